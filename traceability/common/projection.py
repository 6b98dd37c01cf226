"""Projections: deterministic folds over the published log, each with its cursor (architecture.md, idea 1)."""

import hashlib
import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from typing import Any, TypeVar

from django.conf import settings
from django.db import models, transaction

from ledger import api as ledger

from . import bulk
from .models import Cursor, Document

log = logging.getLogger(__name__)
T = TypeVar("T")

_BODIES = bulk.Select(Document.objects.values_list("statement_hash", "body"), "statement_hash")
# At most so many entries per transaction, so that a projection never holds the write gate for long.
BATCH = 500
# While rebuilding: so many, or as many as hold so much content. What a thing's events make of it is worked out once per
# batch that names it, so that wide batches are less work; others that want to write meanwhile wait the longer.
WIDE, WIDE_BYTES = 5_000, 4 * 2**20


@dataclass(frozen=True)
class LogEntry:
    """One published entry as a projection sees it; `body`, of `size` bytes, is None when it is not held here."""

    index: int
    statement_hash: str
    record_time_ms: int
    kind: str
    iss: str
    kid: bytes
    iat: int
    payload: bytes
    body: Any | None
    size: int = 0
    _readings: dict[Callable[[Any], Any], Any] = field(default_factory=dict, repr=False, compare=False)

    def read(self, reader: Callable[[Any], T]) -> T:
        """What `reader` makes of the body, worked out once for all projections that ask; not to be changed."""
        if reader not in self._readings:
            self._readings[reader] = reader(self.body)
        found: T = self._readings[reader]
        return found


@dataclass(frozen=True)
class Projection:
    """A fold: `apply` is called with entries in index order, inside the transaction that moves the cursor.

    `apply` must depend on nothing but the entries, its own `models` and the tables of projections before it. Raise
    `version` when it finds other rows of the same entries than before: houses then rebuild it.
    """

    name: str
    models: tuple[type[models.Model], ...]
    apply: Callable[[Sequence[LogEntry]], None]
    version: int = 1


class Reading:
    """What one pass of the projections reads of the log: entries that the first of them decoded are not read again."""

    def __init__(self) -> None:
        self._entries: Sequence[LogEntry] = ()

    def entries(self, start: int, limit: int) -> Sequence[LogEntry]:
        """As `read_entries`; fewer, where only those are at hand."""
        place = start - self._entries[0].index if self._entries else -1
        if not 0 <= place < len(self._entries):
            self._entries, place = read_entries(start, limit), 0
        return self._entries[place : place + limit]


def read_entries(start: int, limit: int) -> list[LogEntry]:
    """The published entries from `start`, at most `limit`, joined with the content held here; two queries per BATCH.

    Those after a batch that brings their content to WIDE_BYTES are left for the next time.
    """
    entries: list[LogEntry] = []
    size = 0
    while len(entries) < limit and size < WIDE_BYTES:
        published = ledger.published(start + len(entries), min(BATCH, limit - len(entries)))
        if not published:
            break
        names = {entry.statement_hash for entry in published}
        bodies = dict(_BODIES(names))
        batch = [_log_entry(entry, bodies.get(entry.statement_hash)) for entry in published]
        entries += batch
        size += sum(entry.size for entry in batch)
    return entries


def all_projections() -> list[Projection]:
    """The projections of `settings.DOSETRAIL_PROJECTIONS`, in the order in which an entry passes them."""
    return [_load(path) for path in settings.DOSETRAIL_PROJECTIONS]


def advance(projection: Projection, *, limit: int = BATCH, reading: Reading | None = None) -> int:
    """Apply the next entries and move the cursor, in one transaction; the number applied (0 = caught up).

    A projection never overtakes the one before it, so that it may read its tables. Safe to call from several workers:
    the cursor row is locked. What was built by another schema stands still until it is rebuilt (`rebuilding`).
    """
    with transaction.atomic():
        cursor = _locked(projection)
        if cursor.schema != schema(projection):
            log.error("built by another schema: run manage.py rebuild --stale", extra={"projection": projection.name})
            return 0
        limit = min(limit, _target(projection) - cursor.position)
        entries = (reading or Reading()).entries(cursor.position, limit) if limit > 0 else ()
        if not entries:
            return 0
        projection.apply(entries)
        Cursor.objects.filter(projection=projection.name).update(position=entries[-1].index + 1)
    log.info("folded", extra={"projection": projection.name, "first": entries[0].index, "last": entries[-1].index})
    return len(entries)


def advance_all() -> int:
    """Advance every projection until all have caught up with the published log; the number of entries applied."""
    total = 0
    projections = all_projections()
    while _is_behind(projections):
        reading = Reading()
        applied = sum(advance(one, reading=reading) for one in projections)
        if not applied:
            break
        total += applied
    return total


def _is_behind(projections: Sequence[Projection]) -> bool:
    """Whether one of them has entries to read; two queries, since most calls find nothing."""
    position = dict(Cursor.objects.values_list("projection", "position"))
    size = ledger.published_size()
    return any(position.get(projection.name, 0) < size for projection in projections)


def in_force(entries: Sequence[LogEntry]) -> list[LogEntry]:
    """Those entries whose key counted for them when they came: registered to their issuer and not yet ended.

    What a key signed before it was ended counts here for good. Only events are taken back later (capture/standing.py).
    """
    keys = ledger.keys(entries[-1].index + 1) if entries else {}
    return [entry for entry in entries if _is_in_force(entry, keys.get(entry.kid.hex()))]


def _is_in_force(entry: LogEntry, key: ledger.KeyRecord | None) -> bool:
    if key is None or key.party != entry.iss:
        return False
    void = key.void_from(entry.index, entry.iat)
    return void is None or void > entry.index


def digest(model: type[models.Model]) -> str:
    """SHA-256 over a projection table's rows in key order; equal on SQLite and PostgreSQL for equal tables."""
    key = model._meta.pk
    names = [column.attname for column in model._meta.concrete_fields]
    sha = hashlib.sha256()
    rows = sorted(map(_canonical_row, model._default_manager.values_list(*names).iterator())) if key else []
    for row in rows:
        sha.update(row)
    return sha.hexdigest()


@cache
def schema(projection: Projection) -> str:
    """SHA-256 over a projection's version and tables: rows that another has built may not be gone on with."""
    tables = [
        [table._meta.db_table, [[column.attname, column.get_internal_type()] for column in table._meta.concrete_fields]]
        for table in projection.models
    ]
    return hashlib.sha256(json.dumps([projection.name, projection.version, tables]).encode()).hexdigest()


def reset(projection: Projection) -> None:
    """Forget what a projection has built, cursor included; `advance` then builds it anew.

    One without tables of its own only passes news on (alerts): it has said what it had to say and keeps its cursor.
    """
    if not projection.models:
        return
    with transaction.atomic():
        for model in projection.models:
            model._default_manager.all().delete()
        Cursor.objects.filter(projection=projection.name).delete()


def _target(projection: Projection) -> int:
    """How far `projection` may read: as far as the one before it has, or the published log for the first."""
    order = [other.name for other in all_projections()]
    place = order.index(projection.name) if projection.name in order else 0
    if not place:
        return ledger.published_size()
    return Cursor.objects.filter(projection=order[place - 1]).values_list("position", flat=True).first() or 0


def _locked(projection: Projection) -> Cursor:
    """The cursor's row, made where there is none, locked."""
    rows = Cursor.objects.select_for_update().filter(projection=projection.name)
    return rows.first() or rows.get_or_create(projection=projection.name, defaults={"schema": schema(projection)})[0]


def _load(path: str) -> Projection:
    module, _, attribute = path.rpartition(".")
    projection = getattr(import_module(module), attribute)
    if not isinstance(projection, Projection):
        raise TypeError(f"{path} is not a Projection")
    return projection


def _log_entry(entry: ledger.PublishedEntry, content: bytes | memoryview | None) -> LogEntry:
    statement = ledger.parse_statement(entry.statement)
    return LogEntry(
        index=entry.index,
        statement_hash=entry.statement_hash,
        record_time_ms=entry.record_time_ms,
        kind=statement.kind,
        iss=statement.iss,
        kid=statement.kid,
        iat=statement.iat,
        payload=statement.payload,
        body=None if content is None else json.loads(str(content, "utf-8")),
        size=0 if content is None else len(content),
    )


def _canonical_row(row: Sequence[Any]) -> bytes:
    return json.dumps(
        [bytes(value).hex() if isinstance(value, bytes | memoryview) else value for value in row],
        sort_keys=True,
        ensure_ascii=False,
        separators=(",", ":"),
    ).encode()
