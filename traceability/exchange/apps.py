from django.apps import AppConfig


class ExchangeConfig(AppConfig):
    name = "traceability.exchange"
    label = "exchange"
