"""The tests' settings: SQLite or, with DOSETRAIL_TEST_DATABASE=postgresql, PostgreSQL (tests/run.py)."""

import atexit
import os
import shutil
import tempfile

# In memory where 2 GiB are free: a test waits for no disk. Those of durability run houses in folders of their own.
_MEMORY = "/dev/shm"  # noqa: S108
_ROOMY = os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free > 2 * 2**30
_DATA = tempfile.mkdtemp(prefix="dosetrail-test-", dir=_MEMORY if _ROOMY else None)
_MAKER = os.getpid()


def _tidy() -> None:
    if os.getpid() == _MAKER:  # not in a child that was forked
        shutil.rmtree(_DATA, ignore_errors=True)


atexit.register(_tidy)
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
