"""Paths of a member's node: the witness (https://c2sp.org/tlog-witness), and the replica as tlog-tiles below /log/."""

from django.urls import path

from . import member_health, member_views, views

urlpatterns = [
    path("healthz", member_health.healthz),
    path("add-checkpoint", member_views.add_checkpoint),
    path("log/checkpoint", views.checkpoint),
    path("log/content", member_views.content),
    path("log/tile/<path:path>", views.tile_at),
    path("<str:origin_hash>/checkpoint", member_views.cosigned_checkpoint),
]
