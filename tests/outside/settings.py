"""The embedded size's settings; on PostgreSQL when the test run is."""

import os

from traceability.settings.embedded import *  # noqa: F403
from traceability.settings.embedded import DATABASES

if os.environ.get("DOSETRAIL_TEST_DATABASE") == "postgresql":
    DATABASES["default"] = {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": os.environ["DOSETRAIL_OUTSIDE_DATABASE"],
        "USER": os.environ["PGUSER"],
        "HOST": os.environ["PGHOST"],
        "PORT": os.environ["PGPORT"],
    }
