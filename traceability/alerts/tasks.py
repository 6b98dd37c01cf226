"""Celery's wake-up call for alerts that time alone brings up (contracts/tasks.py sends it)."""

from celery import shared_task

from . import projection


@shared_task(name="traceability.alerts.tasks.refresh")
def refresh() -> int:
    """Take up what a tick found; the number of incidents."""
    return projection.refresh()
