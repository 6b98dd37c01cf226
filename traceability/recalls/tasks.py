"""Celery's wake-up call for who is to be told; losing or doubling one costs time, never a notice."""

from celery import shared_task

from . import delivery, reach


@shared_task(name="traceability.recalls.tasks.reach")
def tell() -> int:
    """Give notices to holders and bring them to where their parties look; how many were given, renewed or sent."""
    return reach.run() + delivery.run()
