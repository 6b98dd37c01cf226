"""Paths below /log/ (https://c2sp.org/tlog-tiles)."""

from django.urls import path

from . import views

urlpatterns = [
    path("", views.page, name="log"),
    path("checkpoint", views.checkpoint, name="log-checkpoint"),
    path("vkey", views.verifier_key, name="log-vkey"),
    path("vkeys", views.verifier_keys, name="log-vkeys"),
    path("tile/<path:path>", views.tile_at, name="log-tile"),
    path("content", views.content, name="log-content"),
    path("reports", views.take_report, name="log-reports"),
]
