from django.apps import AppConfig


class ColdchainConfig(AppConfig):
    name = "traceability.coldchain"
    label = "coldchain"
