"""The Celery application; tasks only wake a service (architecture.md, idea 1)."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "traceability.settings.embedded")

app = Celery("dosetrail")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
