"""Which path leads to which door; each door keeps its own list."""

from django.urls import include, path

handler404 = "traceability.api.problems.page_not_found"
handler500 = "traceability.api.problems.server_error"
urlpatterns = [
    path("", include("traceability.operations.urls")),
    path("log/", include("ledger.urls")),
    path("epcis/", include("traceability.api.epcis_urls")),
    path("api/", include("traceability.api.schema.urls")),
    path("api/v1/", include("traceability.api.scan_urls")),
    path("portal/", include("traceability.web.portal.urls")),
    path("regulator/", include("traceability.web.regulator.urls")),
    path("", include("traceability.web.consumer.urls")),
]
