"""The log's paths alone, so that this room is tested without the others; the frame's links lead nowhere."""

from django.http import HttpResponse
from django.urls import include, path

urlpatterns = [
    path("log/", include("ledger.urls")),
    path("language", lambda request: HttpResponse(), name="language"),
]
