"""Pages and API, for a WSGI server with threads."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "traceability.settings.embedded")
application = get_wsgi_application()
