from django.apps import AppConfig


class RecallsConfig(AppConfig):
    name = "traceability.recalls"
    label = "recalls"
