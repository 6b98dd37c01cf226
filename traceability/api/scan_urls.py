"""The plain scan API and master data, for systems that will never build EPCIS."""

from django.urls import path

from . import delivery_views, exception_views, expected_views, link_views, product_views, recall_views, trace_views
from . import scan_views as views
from .epcis_base import Missing

app_name = "scan-api"
urlpatterns = [
    path("preflight", views.Preflight.as_view(), name="preflight"),
    path("scans", views.Scans.as_view(), name="scans"),
    path("statements", views.Statements.as_view(), name="statements"),
    path("logger-files", views.LoggerFiles.as_view(), name="logger-files"),
    path("logger-files/<str:sha256>", views.LoggerFile.as_view(), name="logger-file"),
    path("deliveries", delivery_views.Deliveries.as_view(), name="deliveries"),
    path("deliveries/<str:delivery_id>", delivery_views.DeliveryView.as_view(), name="delivery"),
    path("deliveries/<str:delivery_id>/document", delivery_views.DeliveryDocument.as_view(), name="delivery-document"),
    path(
        "deliveries/<str:delivery_id>/acknowledgement",
        delivery_views.Acknowledgement.as_view(),
        name="delivery-acknowledgement",
    ),
    path("deliveries/<str:delivery_id>/resend", delivery_views.Resending.as_view(), name="delivery-resend"),
    path("recalls", recall_views.Recalls.as_view(), name="recalls"),
    path("recalls/<slug:notice_id>", recall_views.RecallView.as_view(), name="recall"),
    path("recalls/<slug:notice_id>/packs", recall_views.Packs.as_view(), name="recall-packs"),
    path(
        "recalls/<slug:notice_id>/acknowledgement",
        recall_views.Acknowledgement.as_view(),
        name="recall-acknowledgement",
    ),
    path("products", product_views.Products.as_view(), name="products"),
    path("products/<slug:id>", product_views.Product.as_view(), name="product"),
    path("products/<slug:id>/links", link_views.ProductLinks.as_view(), name="product-links"),
    path("products/<slug:id>/links/<path:number>", link_views.LotLinks.as_view(), name="lot-links"),
    path("lots/<slug:item>", product_views.Lots.as_view(), name="lots"),
    path("lots/<slug:item>/<path:number>", product_views.LotView.as_view(), name="lot"),
    path("places", product_views.Places.as_view(), name="places"),
    path("places/<slug:id>", product_views.Place.as_view(), name="place"),
    path("expected-lists", expected_views.ExpectedLists.as_view(), name="expected-lists"),
    path("expected-lists/<int:list_id>", expected_views.ExpectedListView.as_view(), name="expected-list"),
    path("expected-lists/<int:list_id>/lines", expected_views.Lines.as_view(), name="expected-lines"),
    path("expected-lists/<int:list_id>/comparison", expected_views.Comparison.as_view(), name="comparison"),
    path(
        "expected-lists/<int:list_id>/comparison/<slug:part>",
        expected_views.ComparisonPart.as_view(),
        name="comparison-part",
    ),
    path("exceptions", exception_views.Exceptions.as_view(), name="exceptions"),
    path("exceptions/<str:exception_id>", exception_views.ExceptionView.as_view(), name="exception"),
    path("exceptions/<str:exception_id>/answer", exception_views.ExceptionAnswer.as_view(), name="exception-answer"),
    path("trace", trace_views.Trace.as_view(), name="trace"),
    path("unknown", product_views.Unknown.as_view(), name="unknown"),
    path("<path:rest>", Missing.as_view()),
]
