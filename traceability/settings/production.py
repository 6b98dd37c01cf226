"""Production: PostgreSQL and Redis. Fails closed: a missing setting stops the process at start.

Every value comes from the environment (docs/operations.md lists them); secrets come from files, so that they do not
show in a process list.
"""

import os
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from traceability.common import log_lines
from traceability.common.files import data_folder
from traceability.common.secretfile import read_secret

from .base import *  # noqa: F403


def _required(name: str) -> str:
    value = os.environ.get(name, "")
    if not value:
        raise ImproperlyConfigured(f"{name} is not set; see docs/operations.md")
    return value


SECRET_FILES: list[Path] = []  # what /healthz watches the mode of


def _secret_file(name: str, *, minimum: int) -> bytes:
    path = Path(_required(name))
    SECRET_FILES.append(path)
    try:
        return read_secret(path, minimum=minimum)
    except OSError as error:
        raise ImproperlyConfigured(f"{name}: {error}") from error


SECRET_KEY = _secret_file("DOSETRAIL_SECRET_KEY_FILE", minimum=32).hex()
KEY_ENCRYPTION_KEY = _secret_file("DOSETRAIL_KEY_ENCRYPTION_KEY_FILE", minimum=32)[:32]
METRICS_TOKEN_FILE = None
if "DOSETRAIL_METRICS_TOKEN_FILE" in os.environ:
    _secret_file("DOSETRAIL_METRICS_TOKEN_FILE", minimum=32)
    METRICS_TOKEN_FILE = SECRET_FILES[-1]
if os.environ.get("DOSETRAIL_OUTBOUND_LOOPBACK"):
    raise ImproperlyConfigured(
        "DOSETRAIL_OUTBOUND_LOOPBACK is for the embedded size: whoever subscribes could call this machine"
    )
DEBUG = False
ALLOWED_HOSTS = _required("DOSETRAIL_HOSTS").split(",")
LOG_ORIGIN = _required("DOSETRAIL_LOG_ORIGIN")
DATA_DIR = data_folder(Path(_required("DOSETRAIL_DATA_DIR")))

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": _required("PGDATABASE"),
        "USER": os.environ.get("PGUSER", ""),
        "PASSWORD": os.environ.get("PGPASSWORD", ""),
        "HOST": os.environ.get("PGHOST", ""),
        "PORT": os.environ.get("PGPORT", ""),
        "CONN_MAX_AGE": 60,
        "OPTIONS": {"options": "-c synchronous_commit=on"},
    }
}
CELERY_BROKER_URL = _required("DOSETRAIL_REDIS_URL")
LOG_HIGH_WATER_FILE = DATA_DIR / "log-high-water"
CAPTURE_SPOOL_DIR = data_folder(DATA_DIR / "spool")
LOG_POLICY_FILE = DATA_DIR / "policy"
# What a backup holds beside the database and uploaded files, by the names of the embedded size.
KEPT_FILES = {
    "secret-key": Path(_required("DOSETRAIL_SECRET_KEY_FILE")),
    "key-encryption-key": Path(_required("DOSETRAIL_KEY_ENCRYPTION_KEY_FILE")),
    "policy": LOG_POLICY_FILE,
}
STORAGES = {
    "default": {"BACKEND": "traceability.common.storage.LastingStorage", "OPTIONS": {"location": DATA_DIR / "files"}},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
STATIC_ROOT = DATA_DIR / "static"
EVENT_STREAM_PORT = int(os.environ.get("DOSETRAIL_EVENT_STREAM_PORT", "8001"))

SESSION_COOKIE_SECURE = True
CSRF_COOKIE_SECURE = True
SECURE_SSL_REDIRECT = True
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
CLIENT_ADDRESS_HEADER = "HTTP_X_FORWARDED_FOR"  # its last address: what the proxy itself has seen
SECURE_HSTS_SECONDS = 365 * 24 * 3600
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
LOGGING = log_lines.configuration(
    style=os.environ.get("DOSETRAIL_LOG_FORMAT", "json"), level=os.environ.get("DOSETRAIL_LOG_LEVEL", "INFO")
)
