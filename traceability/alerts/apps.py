from django.apps import AppConfig


class AlertsConfig(AppConfig):
    name = "traceability.alerts"
    label = "alerts"
