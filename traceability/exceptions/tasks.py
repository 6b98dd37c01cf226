"""Celery's wake-up calls: for exceptions that wait for data, and for overviews that somebody waits for.

Losing or doubling one costs time, never correctness.
"""

from celery import shared_task

from . import arrivals, kept


@shared_task(name="traceability.exceptions.tasks.look")
def look() -> int:
    """Resolve what has what it waited for; how many."""
    return arrivals.look()


@shared_task(name="traceability.exceptions.tasks.work_out")
def work_out() -> int:
    """Work out the overviews of large shipments that were asked for; 1 when there was one."""
    return int(kept.run_once())
