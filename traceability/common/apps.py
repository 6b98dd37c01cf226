from django.apps import AppConfig


class CommonConfig(AppConfig):
    name = "traceability.common"
    label = "common"
