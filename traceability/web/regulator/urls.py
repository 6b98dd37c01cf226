"""The regulator's pages."""

from django.urls import path

from . import (
    alert_views,
    exception_views,
    freeze_views,
    house_views,
    key_views,
    recall_views,
    report_views,
    trace_views,
)  # fmt: skip

app_name = "regulator"
urlpatterns = [
    path("", alert_views.alerts, name="alerts"),
    path("alerts/<str:alert_id>", alert_views.alert, name="alert"),
    path("alerts/<str:alert_id>/evidence.json", alert_views.evidence_bundle, name="evidence"),
    path("alerts/<str:alert_id>/readings.csv", alert_views.readings, name="readings"),
    path("alerts/<str:alert_id>/withdrawn.csv", alert_views.withdrawn, name="withdrawn"),
    path("trace", trace_views.trace, name="trace"),
    path("trace.csv", trace_views.trace_csv, name="trace-csv"),
    path("recalls", recall_views.recalls, name="recalls"),
    path("recalls/new", recall_views.new, name="recall-new"),
    path("recalls/<slug:recall_id>", recall_views.recall, name="recall"),
    path("recalls/<slug:recall_id>/edit", recall_views.edit, name="recall-edit"),
    path("recalls/<slug:recall_id>/calls", recall_views.calls, name="recall-calls"),
    path("recalls/<slug:recall_id>/holders.csv", recall_views.csv, name="recall-csv"),
    path("exceptions", exception_views.exceptions, name="exceptions"),
    path("exceptions/<str:item_id>", exception_views.exception, name="exception"),
    path("freezes", freeze_views.freezes, name="freezes"),
    path("freezes/one", freeze_views.freeze, name="freeze"),
    path("keys", key_views.keys, name="keys"),
    path("keys/<slug:kid>", key_views.key, name="key"),
    path("keys/<slug:kid>/signed.csv", key_views.key_csv, name="key-csv"),
    path("contracts", house_views.contracts, name="contracts"),
    path("master-data", house_views.master_data, name="master-data"),
    path("unknown", house_views.unknown, name="unknown"),
    path("health", house_views.health, name="health"),
    path("witness-reports/<str:digest>", house_views.witness_report, name="witness-report"),
    path("reports", report_views.reports, name="reports"),
    path("reports/<slug:report_id>", report_views.report, name="report"),
    path("reports/<slug:report_id>.csv", report_views.report_csv, name="report-csv"),
    path("reports/<slug:report_id>/proofs.json", report_views.report_proofs, name="report-proofs"),
]
