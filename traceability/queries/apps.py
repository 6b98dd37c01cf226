from django.apps import AppConfig


class QueriesConfig(AppConfig):
    name = "traceability.queries"
    label = "queries"
