from django.apps import AppConfig


class ContractsConfig(AppConfig):
    name = "traceability.contracts"
    label = "contracts"
