from django.apps import AppConfig


class SimulationConfig(AppConfig):
    name = "traceability.simulation"
    label = "simulation"
