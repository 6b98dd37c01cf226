"""Pages and API, for a WSGI server with threads."""

import os
from importlib import import_module
from typing import Any

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "traceability.settings.embedded")


def _application() -> Any:
    from traceability.common import garbage

    application = get_wsgi_application()
    import_module("traceability.urls")  # with all views, which the first request would wait for
    garbage.leave_out_what_is_loaded()
    return application


application = _application()
