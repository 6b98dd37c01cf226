"""A member's own node: the ledger alone, on SQLite, following or witnessing somebody else's log.

`manage.py follow` and `manage.py witness` run on it; nothing about medicines is installed.
"""

import os
from pathlib import Path

from traceability.common import log_lines
from traceability.common.files import data_folder
from traceability.common.secretfile import read_or_create

BASE_DIR = Path(__file__).resolve().parents[2]
DATA_DIR = data_folder(Path(os.environ.get("DOSETRAIL_DATA_DIR", BASE_DIR / "var" / "follower")).resolve())
SECRET_KEY = read_or_create(DATA_DIR / "secret-key").hex()
KEY_ENCRYPTION_KEY = read_or_create(DATA_DIR / "key-encryption-key")
DEBUG = False
ALLOWED_HOSTS = ["*"]
INSTALLED_APPS = ["ledger"]
MIDDLEWARE = [
    "traceability.common.request_log.RequestLogMiddleware",
    "django.middleware.security.SecurityMiddleware",
]
ROOT_URLCONF = "ledger.member_urls"
DATABASES = {
    "default": {
        "ENGINE": "traceability.common.sqlite",
        "NAME": DATA_DIR / "follower.sqlite3",
        "OPTIONS": {
            "timeout": 20,
            "transaction_mode": "IMMEDIATE",
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA busy_timeout=20000;",
        },
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
TIME_ZONE = "UTC"
SECURE_CONTENT_TYPE_NOSNIFF = True
# Marks of what was cosigned lie beside it, one for each log.
LOG_HIGH_WATER_FILE = DATA_DIR / "log-high-water"
LOG_CLOCK = "ledger.clock.now_ms"
# Whether this node hands on the entries that it holds; hash tiles and checkpoints are for everybody.
LOG_ENTRIES_PUBLIC = os.environ.get("DOSETRAIL_ENTRIES_PUBLIC", "") == "1"
LOG_ENTRIES_READER = "ledger.member_views.may_read_entries"
LOG_MMD_SECONDS = 60
HEALTH_MIN_FREE_BYTES = int(os.environ.get("DOSETRAIL_MIN_FREE_MB", "1024")) * 1024 * 1024
LOGGING = log_lines.configuration(
    style=os.environ.get("DOSETRAIL_LOG_FORMAT", "plain"), level=os.environ.get("DOSETRAIL_LOG_LEVEL", "WARNING")
)
