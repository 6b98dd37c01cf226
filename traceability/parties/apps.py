from django.apps import AppConfig


class PartiesConfig(AppConfig):
    name = "traceability.parties"
    label = "parties"
