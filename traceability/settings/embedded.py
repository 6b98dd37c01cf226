"""The embedded size: SQLite, Celery on the in-process transport, files in one data folder.

`make demo`, a pilot and a developer's shell run on it. Keys and secrets are made on first use and kept in the
data folder with mode 0600.
"""

import os
from pathlib import Path

from traceability.common import log_lines
from traceability.common.files import data_folder
from traceability.common.secretfile import read_or_create

from .base import *  # noqa: F403
from .base import BASE_DIR, CELERY_BEAT_SCHEDULE, CONTENT_SECURITY_POLICY

DATA_DIR = data_folder(Path(os.environ.get("DOSETRAIL_DATA_DIR", BASE_DIR / "var")).resolve())

SECRET_KEY = read_or_create(DATA_DIR / "secret-key").hex()
# Encrypts private keys at rest (parties and the log), and keys the ids that must not be guessable.
KEY_ENCRYPTION_KEY = read_or_create(DATA_DIR / "key-encryption-key")
SECRET_FILES = [DATA_DIR / "secret-key", DATA_DIR / "key-encryption-key"]
METRICS_LOOPBACK = True
OUTBOUND_LOOPBACK = os.environ.get("DOSETRAIL_OUTBOUND_LOOPBACK") == "1"  # webhooks to this machine, over plain http
DEBUG = False
ALLOWED_HOSTS = ["*"]

DATABASES = {
    "default": {
        "ENGINE": "traceability.common.sqlite",
        "NAME": DATA_DIR / "dosetrail.sqlite3",
        # Kept open: the last one to close removes the write-ahead log and its index, and on a full disk the next could
        # not make them again, not even to read.
        "CONN_MAX_AGE": None,
        "OPTIONS": {
            "timeout": 20,
            "transaction_mode": "IMMEDIATE",
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA busy_timeout=20000;",
        },
    }
}
CELERY_BROKER_URL = "memory://localhost/"
# The engine has a thread of its own for it: the one worker must not wait for other people's servers.
del CELERY_BEAT_SCHEDULE["send"]
# The one worker must fold meanwhile: the engine has a thread for capture jobs, and one for large comparisons.
del CELERY_BEAT_SCHEDULE["capture-jobs"]
del CELERY_BEAT_SCHEDULE["overviews"]
CELERY_BROKER_TRANSPORT_OPTIONS = {"polling_interval": 0.01}

LOG_ENTRIES_PUBLIC = True
# The log's high-water mark (ledger.md, section 6): size and root of the last signed checkpoint, fsynced.
LOG_HIGH_WATER_FILE = DATA_DIR / "log-high-water"
CAPTURE_SPOOL_DIR = data_folder(DATA_DIR / "spool")
LOG_POLICY_FILE = DATA_DIR / "policy"
CLOCK_FILE = str(DATA_DIR / "clock")
# What a backup holds beside the database and uploaded files.
KEPT_FILES = {name: DATA_DIR / name for name in ("secret-key", "key-encryption-key", "policy")}
STORAGES = {
    "default": {"BACKEND": "traceability.common.storage.LastingStorage", "OPTIONS": {"location": DATA_DIR / "files"}},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = True

PORT = int(os.environ.get("PORT", "8000"))
HOST = os.environ.get("HOST", "127.0.0.1")
# The engine process serves the event stream beside the web process (docs/adr/0004).
EVENT_STREAM_PORT = int(os.environ.get("EVENT_STREAM_PORT", PORT + 1))
CONTENT_SECURITY_POLICY["DIRECTIVES"]["connect-src"].append(f"*:{EVENT_STREAM_PORT}")

LOGGING = log_lines.configuration(
    style=os.environ.get("DOSETRAIL_LOG_FORMAT", "plain"), level=os.environ.get("DOSETRAIL_LOG_LEVEL", "WARNING")
)
