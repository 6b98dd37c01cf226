"""The event stream's process: server-sent events and nothing else (architecture.md, section 4)."""

import os
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "traceability.settings.embedded")


def _application() -> Any:
    django.setup()
    from traceability.alerts.stream import application  # after setup: it reads models

    return application


application = _application()
