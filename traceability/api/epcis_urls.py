"""The EPCIS 2.0 REST binding."""

from django.urls import path

from . import capture_views, collection_views, epcis_base, event_views, query_views

app_name = "epcis"
urlpatterns = [
    path("", epcis_base.TopLevel.as_view(), name="top"),
    path("capture", capture_views.Capture.as_view(), name="capture"),
    path("capture/<str:job_id>", capture_views.CaptureJobView.as_view(), name="capture-job"),
    path("events", event_views.Events.as_view(), name="events"),
    path("events/<path:event_id>", event_views.Event.as_view(), name="event"),
    path("queries", query_views.Queries.as_view(), name="queries"),
    path("queries/<str:name>", query_views.Query.as_view(), name="query"),
    path("queries/<str:name>/events", query_views.QueryEvents.as_view(), name="query-events"),
    path("queries/<str:name>/subscriptions", query_views.Subscriptions.as_view(), name="subscriptions"),
    path(
        "queries/<str:name>/subscriptions/<str:subscription_id>",
        query_views.SubscriptionView.as_view(),
        name="subscription",
    ),
    *collection_views.urls(),
    path("nextPageToken/<str:token>", collection_views.NextPageToken.as_view(), name="next-page-token"),
    path("<path:rest>", epcis_base.Missing.as_view()),
]
