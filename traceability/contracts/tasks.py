"""Celery's wake-up call for what only time decides; losing or doubling one costs time, never correctness."""

from celery import current_app, shared_task

from . import projection


@shared_task(name="traceability.contracts.tasks.tick")
def tick() -> int:
    """Judge what the log's clock has made due; the number of subjects.

    The alerts' fold stands above this room, so it is asked by name; the next entry would wake it as well.
    """
    judged = projection.tick()
    current_app.send_task("traceability.alerts.tasks.refresh")
    return judged
