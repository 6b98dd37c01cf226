"""The EPCIS 2.0 REST binding."""

from django.urls import path

from . import epcis_views as views

app_name = "epcis"
urlpatterns = [
    path("", views.TopLevel.as_view(), name="top"),
    path("capture", views.Capture.as_view(), name="capture"),
    path("capture/<str:job_id>", views.CaptureJobView.as_view(), name="capture-job"),
    path("events", views.Events.as_view(), name="events"),
    path("events/<path:event_id>", views.Event.as_view(), name="event"),
    path("<path:rest>", views.Missing.as_view()),
]
