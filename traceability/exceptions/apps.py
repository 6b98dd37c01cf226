from django.apps import AppConfig


class ExceptionsConfig(AppConfig):
    name = "traceability.exceptions"
    label = "exceptions"
