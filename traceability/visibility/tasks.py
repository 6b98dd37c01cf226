"""Celery's wake-up call for the receipts of reads; losing or doubling one costs time, never correctness."""

from celery import shared_task

from . import receipts


@shared_task(name="traceability.visibility.tasks.submit_reads")
def submit_reads() -> int:
    """Put the reads that were noted onto the log; the number of them."""
    return receipts.submit()
