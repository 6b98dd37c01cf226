from django.apps import AppConfig


class VisibilityConfig(AppConfig):
    name = "traceability.visibility"
    label = "visibility"
