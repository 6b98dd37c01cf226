"""The tests' settings: SQLite or, with DOSETRAIL_TEST_DATABASE=postgresql, PostgreSQL (tests/run.py)."""

import os
import tempfile

_DATA = tempfile.mkdtemp(prefix="dosetrail-test-")
os.environ["DOSETRAIL_DATA_DIR"] = _DATA

from .embedded import *  # noqa: F403
from .embedded import DATA_DIR, DATABASES

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
