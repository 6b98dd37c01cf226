"""Celery's wake-up call for what only time decides; losing or doubling one costs time, never correctness."""

from celery import shared_task

from . import projection


@shared_task(name="traceability.contracts.tasks.tick")
def tick() -> int:
    """Judge what the log's clock has made due; the number of subjects."""
    return projection.tick()
