"""The portal's paths."""

from django.urls import path

from . import (
    alerts_views,
    document_views,
    exports,
    home,
    key_views,
    label_views,
    logger_views,
    lots_views,
    organisation_views,
    partner_views,
    reads_views,
    recorded,
    sign_in,
    step_views,
    steward_views,
    stock_views,
)

app_name = "portal"
urlpatterns = [
    path("", home.home, name="home"),
    path("sign-in", sign_in.SignIn.as_view(), name="sign-in"),
    path("sign-out", sign_in.SignOut.as_view(), name="sign-out"),
    path("step/<slug:step_id>", step_views.step, name="step"),
    path("recorded/<str:nonce>", recorded.recorded, name="recorded"),
    path("labels", label_views.labels, name="labels"),
    path("logger", logger_views.logger, name="logger"),
    path("logger/<int:file_id>", logger_views.logger_file, name="logger-file"),
    path("documents", document_views.documents, name="documents"),
    path("documents/<str:job_id>", document_views.document, name="document"),
    path("stock", stock_views.stock, name="stock"),
    path("stock.csv", exports.stock_csv, name="stock-csv"),
    path("shipments", stock_views.shipments, name="shipments"),
    path("shipments.csv", exports.shipments_csv, name="shipments-csv"),
    path("events.csv", exports.events_csv, name="events-csv"),
    path("organisation", organisation_views.organisation, name="organisation"),
    path("lots", lots_views.where, name="lots"),
    path("reads", reads_views.reads, name="reads"),
    path("master-data", steward_views.master_data, name="master-data"),
    path("keys/<slug:kid>", key_views.key, name="key"),
    path("keys/<slug:kid>/signed.csv", key_views.key_csv, name="key-csv"),
    path("partners", partner_views.partners, name="partners"),
    path("deliveries/<str:delivery_id>", partner_views.delivery, name="delivery"),
    path("deliveries/<str:delivery_id>/document", partner_views.delivery_document, name="delivery-document"),
    path("deliveries/<str:delivery_id>/resend", partner_views.resend, name="delivery-resend"),
    path("alerts", alerts_views.alerts, name="alerts"),
    path("alerts/<str:alert_id>", alerts_views.alert, name="alert"),
    path("alerts/<str:alert_id>/withdrawn.csv", alerts_views.withdrawn, name="withdrawn"),
]
