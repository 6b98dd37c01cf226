from django.apps import AppConfig


class WebConfig(AppConfig):
    name = "traceability.web"
    label = "web"
