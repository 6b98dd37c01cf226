"""Celery's wake-up call for what goes out; losing or doubling one costs time, never an event."""

from celery import shared_task

from . import outgoing


@shared_task(name="traceability.exchange.tasks.send")
def send() -> int:
    """Send what is due; how many reports and deliveries were made or tried."""
    return outgoing.drain()
