"""What both sizes of Dosetrail share; `embedded` and `production` say where they differ."""

import os
from pathlib import Path
from typing import Any

BASE_DIR = Path(__file__).resolve().parents[2]

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "django_htmx",
    "rest_framework",
    "drf_spectacular",
    "ledger",
    "traceability.common",
    "traceability.parties",
    "traceability.products",
    "traceability.capture",
    "traceability.custody",
    "traceability.visibility",
    "traceability.queries",
    "traceability.exchange",
    "traceability.coldchain",
    "traceability.contracts",
    "traceability.alerts",
    "traceability.recalls",
    "traceability.scans",
    "traceability.exceptions",
    "traceability.simulation",
    "traceability.api",
    "traceability.web",
]

MIDDLEWARE = [
    "traceability.common.request_log.RequestLogMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "traceability.api.no_nul.NoNulMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "traceability.visibility.receipts.ReceiptMiddleware",
]

ROOT_URLCONF = "traceability.urls"
WSGI_APPLICATION = "traceability.wsgi.application"
ASGI_APPLICATION = "traceability.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": False,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
            ],
        },
    }
]

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Sessions live in the database, so that signing out ends them wherever the cookie was copied to. Only signing in and
# out write: a page view never waits for the write gate.
SESSION_ENGINE = "django.contrib.sessions.backends.db"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 12 * 3600
LOGIN_URL = "/portal/sign-in"
LOGIN_REDIRECT_URL = "/portal/"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.ScryptPasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("zh-hans", "简体中文")]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATICFILES_FINDERS = [
    "django.contrib.staticfiles.finders.FileSystemFinder",
    "django.contrib.staticfiles.finders.AppDirectoriesFinder",
]

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["traceability.api.authentication.PartyTokenAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "EXCEPTION_HANDLER": "traceability.api.problems.exception_handler",
    "UNAUTHENTICATED_USER": None,
    "DEFAULT_SCHEMA_CLASS": "traceability.api.schema.inspector.TableSchema",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Dosetrail",
    "VERSION": "0.1.0",
    "OAS_VERSION": "3.1.1",
    "DESCRIPTION": (
        "Where each pack of a medicine has been, on a log that anyone can check. Every error is a problem document "
        "(RFC 7807) with a stable `code`; a fault of ours is 500 `internal` in the same form."
    ),
    "LICENSE": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
    "SERVE_INCLUDE_SCHEMA": False,
    "POSTPROCESSING_HOOKS": ["traceability.api.schema.inspector.add_components"],
}

_SELF = ["'self'"]
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": _SELF,
        "style-src": _SELF,
        "img-src": ["'self'", "data:"],
        "font-src": _SELF,
        "connect-src": list(_SELF),
        "worker-src": _SELF,
        "manifest-src": _SELF,
        "form-action": _SELF,
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
    }
}
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CONTENT_TYPE_NOSNIFF = True
X_FRAME_OPTIONS = "DENY"

# Projections in the order in which an entry walks through the house (architecture.md, section 3).
DOSETRAIL_PROJECTIONS = [
    "traceability.common.masterdata.MASTER_DATA",
    "traceability.capture.projection.EVENT_INDEX",
    "traceability.custody.projection.CUSTODY",
    "traceability.visibility.projection.AUDIENCE",
    "traceability.coldchain.projection.COLD_CHAIN",
    "traceability.contracts.projection.FINDINGS",
    "traceability.alerts.projection.ALERTS",
    "traceability.capture.event_hashes.EVENT_HASHES",  # last, since nothing waits for it
]

# Origin of the log: a URL without scheme (C2SP tlog-checkpoint); also the log key's name.
LOG_ORIGIN = "dosetrail.example/log"
LOG_ENTRIES_PUBLIC = False
# Who else reads entries: members, and so their followers, with their tokens.
LOG_ENTRIES_READER = "traceability.api.authentication.may_read_entries"
# What their followers may copy beside the log (manage.py follow --content).
LOG_CONTENT_READER = "traceability.api.content.readable"
# What lies beside the log and comes back with its entries when a follower gives them back (manage.py recover).
LOG_RECOVERED = [
    "traceability.common.recovered.take",
    "traceability.parties.recovered.take",
    "traceability.capture.recovered.take",
    "traceability.alerts.recovered.take",
]
# Called after each batch that was published; must not take long (manage.py sequencer).
LOG_PUBLISHED = "traceability.waking.wake"
# Whom this house trusts: witnesses and quorum (C2SP tlog-policy). No file: no witness, and nothing is final.
LOG_POLICY_FILE: Path | None = None
LOG_MMD_SECONDS = 60
# A checkpoint is signed anew on an idle log this often, so that ledger time goes on (time-driven contracts).
LOG_TICK_SECONDS = 30

# A document, and a file that is fed in; every other body is at most DATA_UPLOAD_MAX_MEMORY_SIZE.
CAPTURE_MAX_BYTES = 128 * 1024 * 1024
CAPTURE_MAX_EVENTS = 100_000
CAPTURE_MAX_BACKLOG = 5_000
# A larger document lies on the disk until a worker comes to it; so many may wait.
CAPTURE_SPOOL_BYTES = 1024 * 1024
CAPTURE_MAX_WAITING = 100
DATA_UPLOAD_MAX_MEMORY_SIZE = 16 * 1024 * 1024

# What webhooks may call (common/outbound.py): public HTTPS servers on these ports; this machine itself only for a demo.
OUTBOUND_PORTS = [int(port) for port in os.environ.get("DOSETRAIL_OUTBOUND_PORTS", "443").split(",")]
OUTBOUND_LOOPBACK = False

# Recall notices also go by mail to the contacts that parties name, where a server for it is set up.
RECALL_MAIL_FROM = os.environ.get("DOSETRAIL_MAIL_FROM", "")
EMAIL_HOST = os.environ.get("DOSETRAIL_MAIL_HOST", "localhost")
EMAIL_PORT = int(os.environ.get("DOSETRAIL_MAIL_PORT", "25"))
EMAIL_HOST_USER = os.environ.get("DOSETRAIL_MAIL_USER", "")
EMAIL_HOST_PASSWORD = os.environ.get("DOSETRAIL_MAIL_PASSWORD", "")
EMAIL_USE_TLS = os.environ.get("DOSETRAIL_MAIL_TLS") == "1"
EMAIL_TIMEOUT = 10
# How long a step can be taken back (docs/shipments-and-exceptions.md).
TAKE_BACK_HOURS = int(os.environ.get("DOSETRAIL_TAKE_BACK_HOURS", "24"))
# How long an exception may take before it is overdue (docs/shipments-and-exceptions.md).
EXCEPTION_HOURS = int(os.environ.get("DOSETRAIL_EXCEPTION_HOURS", "72"))

# The address of the event stream; empty = same origin (production's reverse proxy routes /stream/ there).
EVENT_STREAM_URL = ""

CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None  # a worker waits for its broker, however long it is away
CELERY_WORKER_PREFETCH_MULTIPLIER = 1  # what a busy worker takes ahead, nobody else sees waiting
# Queues of their own: for folding, so that who wakes it sees whether a call waits already (traceability/waking.py), and
# for what takes minutes or waits for other people's servers, so that a worker beside the first can take it.
CELERY_TASK_QUEUES: dict[str, dict[str, Any]] = {"celery": {}, "folds": {}, "long": {}}
CELERY_TASK_ROUTES = {
    "traceability.common.tasks.advance": {"queue": "folds"},
    "traceability.exchange.tasks.send": {"queue": "long"},
    "traceability.recalls.tasks.reach": {"queue": "long"},  # by mail too
    "traceability.exceptions.tasks.work_out": {"queue": "long"},
    "traceability.capture.tasks.work": {"queue": "long"},
}


def _every(seconds: float, task: str) -> dict[str, Any]:
    """A call of beat's. Those that a busy worker has not come to in a minute need not be made up for.

    No less than that: the clocks of two machines may differ.
    """
    return {"task": task, "schedule": seconds, "options": {"expires": max(60.0, seconds)}}


CELERY_BEAT_SCHEDULE = {
    "advance-projections": _every(5.0, "traceability.common.tasks.advance"),  # for a call of the log's that was lost
    "submit-reads": _every(5.0, "traceability.visibility.tasks.submit_reads"),
    "contracts-tick": _every(5.0, "traceability.contracts.tasks.tick"),
    "recalls": _every(5.0, "traceability.recalls.tasks.reach"),
    "send": _every(2.0, "traceability.exchange.tasks.send"),
    "exceptions": _every(5.0, "traceability.exceptions.tasks.look"),
    "overviews": _every(2.0, "traceability.exceptions.tasks.work_out"),
    "capture-jobs": _every(2.0, "traceability.capture.tasks.work"),
    "forget-sessions": _every(24 * 3600.0, "traceability.parties.tasks.forget_sessions"),
}

# The programme's rules of dispensing, undo, returns and destruction (docs/profiles.md).
PROFILE_FILE = os.environ.get("DOSETRAIL_PROFILE", str(BASE_DIR / "traceability" / "scans" / "profiles" / "core.json"))
# /healthz fails when less is free where the data folder (and SQLite's database) lies.
HEALTH_MIN_FREE_BYTES = int(os.environ.get("DOSETRAIL_MIN_FREE_MB", "1024")) * 1024 * 1024
# Who is told numbers by /healthz and /metrics: who has this file's token, and whoever calls from this machine.
METRICS_TOKEN_FILE: Path | None = None
METRICS_LOOPBACK = False

# Where a request's address stands: REMOTE_ADDR, or the header that a proxy in front of us sets.
CLIENT_ADDRESS_HEADER = "REMOTE_ADDR"

# The simulated clock's file (traceability/common/clock.py); None = the machine's own clock.
CLOCK_FILE: str | None = None
