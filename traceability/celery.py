"""The Celery application; tasks only wake a service (architecture.md, idea 1)."""

import os
from typing import Any

from celery import Celery, signals

from traceability.common import garbage, log_context

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "traceability.settings.embedded")

app = Celery("dosetrail")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

_scopes: dict[str, Any] = {}  # of the tasks that run now, by task id


@signals.setup_logging.connect
def _keep_djangos_logging(**_: Any) -> None:
    """That somebody listens here keeps Celery from replacing our handlers: its lines look like all others."""


@signals.worker_process_init.connect
def _settle_in(**_: Any) -> None:
    garbage.leave_out_what_is_loaded()


@signals.task_prerun.connect
def _enter(task_id: str, task: Any, **_: Any) -> None:
    """Give each line of a task its name and id."""
    scope = _scopes[task_id] = log_context.scope(task=task.name, task_id=task_id)
    scope.__enter__()


@signals.task_postrun.connect
def _leave(task_id: str, **_: Any) -> None:
    if scope := _scopes.pop(task_id, None):
        scope.__exit__(None, None, None)
