from django.apps import AppConfig


class CustodyConfig(AppConfig):
    name = "traceability.custody"
    label = "custody"
