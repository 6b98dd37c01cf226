"""The facts of /healthz, /metrics and the regulator's health page: one selector, a constant number of queries."""

import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connection
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from ledger import api as ledger
from traceability.common import projection, secretfile
from traceability.common.clock import now_ms
from traceability.common.models import Cursor, Document

BROKER_SECONDS = 0.5
IN_PROCESS = "in-process"  # the embedded size's broker


@dataclass(frozen=True)
class Fold:
    """How far a projection has read: the next log index, and how many published entries lie behind it."""

    name: str
    position: int
    behind: int


@dataclass(frozen=True)
class LogFacts:
    """What the database says."""

    log: ledger.LogStanding
    oldest_ms: int | None  # when the statement that waits longest was submitted; None = none waits, or not known
    folds: tuple[Fold, ...]
    unread_ms: int | None  # record time of the first entry that the slowest projection has not read
    rebuilding: tuple[str, ...] = ()  # projections whose rebuild is under way, or that wait for one


@dataclass(frozen=True)
class Facts:
    """All that is watched, at `now_ms` of the house's clock; `log` is None while the database does not answer."""

    now_ms: int
    log: LogFacts | None
    database_error: str
    database: str  # its kind
    disk_data: int | None  # bytes free, None = not visible from here
    disk_database: int | None
    broker: str  # what is wrong with it, '' = it answers, IN_PROCESS
    loose_files: tuple[str, ...]  # names of secret files that others may read, or that are not there
    limits: Mapping[str, int] = field(default_factory=dict)

    def age_s(self, time_ms: int | None) -> int | None:
        """Whole seconds since a time; None stays None, a time ahead of the clock is no age."""
        return None if time_ms is None else max(0, self.now_ms - time_ms) // 1000


def gather() -> Facts:
    """All facts as they are now. A database that does not answer is one of them."""
    error, log = "", None
    try:
        log = _from_database()
    except DatabaseError as caught:
        error = type(caught).__name__
    folder = Path(settings.DATA_DIR)
    return Facts(
        now_ms=now_ms(),
        log=log,
        database_error=error,
        database=connection.vendor,
        disk_data=_free(folder),
        disk_database=_free(Path(str(settings.DATABASES["default"]["NAME"])).parent) if _is_file() else None,
        broker=_broker(settings.CELERY_BROKER_URL),
        loose_files=tuple(path.name for path in map(Path, settings.SECRET_FILES) if _is_loose(path)),
        limits={
            "mmd_s": settings.LOG_MMD_SECONDS,
            "backlog": settings.CAPTURE_MAX_BACKLOG,
            "disk": settings.HEALTH_MIN_FREE_BYTES,
        },
    )


def _from_database() -> LogFacts:
    log = ledger.log_standing()
    submitted = Document.objects.filter(pk=log.oldest).values_list("submitted_ms", flat=True).first()
    cursors = {cursor.projection: cursor for cursor in Cursor.objects.all()}
    names = [one.name for one in projection.all_projections()]
    positions = {name: cursor.position for name, cursor in cursors.items()}
    folds = tuple(_fold(name, positions.get(name, 0), log.published_size) for name in names)
    waiting = [one.name for one in projection.all_projections() if _is_incomplete(one, cursors.get(one.name))]
    slowest = min((fold.position for fold in folds), default=0)
    unread = ledger.published(slowest, 1)
    return LogFacts(log, submitted, folds, unread[0].record_time_ms if unread else None, tuple(waiting))


def _is_incomplete(one: projection.Projection, cursor: Cursor | None) -> bool:
    return cursor is not None and (cursor.rebuild is not None or cursor.schema != projection.schema(one))


def _fold(name: str, position: int, size: int) -> Fold:
    return Fold(name, position, max(0, size - position))


def database_bytes() -> int:
    """The database's size on disk; of SQLite with what its write-ahead log holds."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_database_size(current_database())")
            return int(cursor.fetchone()[0])
    name = str(connection.settings_dict["NAME"])
    return sum(os.path.getsize(path) for path in (name, f"{name}-wal") if os.path.exists(path))


def _is_file() -> bool:
    return connection.vendor == "sqlite"


def _free(folder: Path) -> int | None:
    return _or_none(lambda: shutil.disk_usage(folder).free)


def _or_none(look: Callable[[], int]) -> int | None:
    try:
        return look()
    except OSError:
        return None


def _is_loose(path: Path) -> bool:
    return _or_none(lambda: secretfile.is_loose(path)) is not False


def _broker(url: str) -> str:
    """What is wrong with the broker; one try, since the next request asks again."""
    if urlsplit(url).scheme == "memory":
        return IN_PROCESS
    retry = Retry(NoBackoff(), 0)
    try:
        with Redis.from_url(
            url, socket_timeout=BROKER_SECONDS, socket_connect_timeout=BROKER_SECONDS, retry=retry
        ) as redis:
            redis.ping()
    except (RedisError, ValueError) as error:
        return type(error).__name__
    return ""
