"""Celery's wake-up call for exceptions that wait for data; losing or doubling one costs time, never correctness."""

from celery import shared_task

from . import arrivals


@shared_task(name="traceability.exceptions.tasks.look")
def look() -> int:
    """Resolve what has what it waited for; how many."""
    return arrivals.look()
