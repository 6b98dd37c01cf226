"""Celery's wake-up call for capture jobs; losing or doubling one costs time, never correctness."""

from celery import shared_task

from . import jobs


@shared_task(name="traceability.capture.tasks.work")
def work() -> int:
    """Work on the jobs that wait, and tidy up after them; how many were done."""
    done = 0
    while jobs.work_one():
        done += 1
    jobs.sweep()
    return done
