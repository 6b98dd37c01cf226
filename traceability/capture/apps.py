from django.apps import AppConfig


class CaptureConfig(AppConfig):
    name = "traceability.capture"
    label = "capture"
