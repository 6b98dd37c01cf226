from django.apps import AppConfig


class ApiConfig(AppConfig):
    name = "traceability.api"
    label = "api"
