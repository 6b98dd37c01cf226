from django.apps import AppConfig


class ScansConfig(AppConfig):
    name = "traceability.scans"
    label = "scans"

    def ready(self) -> None:
        """A profile that does not fit stops the house before it judges anything."""
        from . import in_force

        in_force.current()
