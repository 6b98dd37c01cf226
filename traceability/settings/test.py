"""The tests' settings: SQLite unless TEST_DATABASE_URL=postgresql names a reachable server; see docs/contributing.md."""

import os
import tempfile

_DATA = tempfile.mkdtemp(prefix="dosetrail-test-")
os.environ["DOSETRAIL_DATA_DIR"] = _DATA

from .embedded import *  # noqa: E402, F403
from .embedded import DATABASES, DATA_DIR  # noqa: E402

DATABASES["default"]["TEST"] = {"NAME": str(DATA_DIR / "test.sqlite3")}
if os.environ.get("DOSETRAIL_TEST_DATABASE") == "postgresql":
    DATABASES["default"] = {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "dosetrail",
        "USER": os.environ.get("PGUSER", "postgres"),
        "HOST": os.environ.get("PGHOST", ""),
        "PORT": os.environ.get("PGPORT", ""),
        "TEST": {"NAME": f"dosetrail_test_{os.getpid()}"},
    }
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
