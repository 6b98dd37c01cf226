"""Celery's housekeeping for people's sessions."""

from importlib import import_module

from celery import shared_task
from django.conf import settings


@shared_task(name="traceability.parties.tasks.forget_sessions")
def forget_sessions() -> None:
    """Delete the sessions that have run out."""
    import_module(settings.SESSION_ENGINE).SessionStore.clear_expired()
