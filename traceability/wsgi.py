"""Pages and API, for a WSGI server with threads."""

import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application

from traceability.common import chunked

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "traceability.settings.embedded")
_CAPTURE = "/epcis/capture"


def _most(path: str) -> int:
    return settings.CAPTURE_MAX_BYTES if path == _CAPTURE else settings.DATA_UPLOAD_MAX_MEMORY_SIZE


application = chunked.readable(get_wsgi_application(), _most)
