"""Celery's wake-up call for the projections; losing or doubling one costs time, never correctness."""

from celery import shared_task

from . import projection


@shared_task(name="traceability.common.tasks.advance")
def advance() -> int:
    """Advance all projections to the published log; the number of entries applied."""
    return projection.advance_all()
