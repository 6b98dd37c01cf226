"""Pages and API, for a WSGI server with threads."""

import os
from importlib import import_module
from typing import Any

from django.conf import settings
from django.core.wsgi import get_wsgi_application

from traceability.common import chunked, garbage

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "traceability.settings.embedded")
_CAPTURE = "/epcis/capture"


def _most(path: str) -> int:
    return settings.CAPTURE_MAX_BYTES if path == _CAPTURE else settings.DATA_UPLOAD_MAX_MEMORY_SIZE


def _application() -> Any:
    django = get_wsgi_application()
    import_module("traceability.urls")  # with all views, which the first request would wait for
    garbage.leave_out_what_is_loaded()
    return chunked.readable(django, _most)


application = _application()
