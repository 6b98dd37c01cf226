"""Projections: deterministic folds over the published log, each with its cursor (architecture.md, idea 1)."""

import hashlib
import json
import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from django.conf import settings
from django.db import models, transaction

from ledger import api as ledger

from .models import Cursor, Document

log = logging.getLogger(__name__)

# At most so many entries per transaction, so that a projection never holds the write gate for long.
BATCH = 500
# While rebuilding: so many, or as many as hold so much content. What a thing's events make of it is worked out once per
# batch that names it, so that wide batches are less work; others that want to write meanwhile wait the longer.
WIDE, WIDE_BYTES = 5_000, 4 * 2**20


@dataclass(frozen=True)
class LogEntry:
    """One published entry as a projection sees it; `body` is None when its content is not held here."""

    index: int
    statement_hash: str
    record_time_ms: int
    kind: str
    iss: str
    kid: bytes
    iat: int
    payload: bytes
    body: Any | None
    document: Document | None


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


def all_projections() -> list[Projection]:
    """The projections of `settings.DOSETRAIL_PROJECTIONS`, in the order in which an entry passes them."""
    return [_load(path) for path in settings.DOSETRAIL_PROJECTIONS]


def advance(projection: Projection, *, limit: int = BATCH) -> int:
    """Apply the next entries and move the cursor, in one transaction; the number applied (0 = caught up).

    A projection never overtakes the one before it, so that it may read its tables. Safe to call from several workers:
    the cursor row is locked. What was built by another schema stands still until it is rebuilt (`rebuilding`).
    """
    if _target(projection) <= _position(projection.name):
        return 0
    with transaction.atomic():
        Cursor.objects.get_or_create(projection=projection.name, defaults={"schema": schema(projection)})
        cursor = Cursor.objects.select_for_update().get(projection=projection.name)
        if cursor.schema != schema(projection):
            log.error("built by another schema: run manage.py rebuild --stale", extra={"projection": projection.name})
            return 0
        limit = min(limit, _target(projection) - cursor.position)
        if limit <= 0:
            return 0
        entries = read_entries(cursor.position, limit)
        if not entries:
            return 0
        projection.apply(entries)
        cursor.position = entries[-1].index + 1
        cursor.save(update_fields=["position"])
    log.info("folded", extra={"projection": projection.name, "first": entries[0].index, "last": entries[-1].index})
    return len(entries)


def advance_all() -> int:
    """Advance every projection until all have caught up with the published log; the number of entries applied."""
    total = 0
    projections = all_projections()
    while _is_behind(projections) and (applied := sum(map(advance, projections))):
        total += applied
    return total


def _is_behind(projections: Sequence[Projection]) -> bool:
    """Whether one of them has entries to read; two queries, since most calls find nothing."""
    position = dict(Cursor.objects.values_list("projection", "position"))
    size = ledger.published_size()
    return any(position.get(projection.name, 0) < size for projection in projections)


def read_entries(start: int, limit: int) -> list[LogEntry]:
    """The published entries from `start`, at most `limit`, joined with the content held here; two queries per BATCH.

    Those after a batch that brings their content to WIDE_BYTES are left for the next time. The projections pass over
    the same entries one after the other; what this thread decoded last is not decoded again.
    """
    known: dict[str, LogEntry] = getattr(_decoded, "entries", {})
    entries: list[LogEntry] = []
    size = 0
    while len(entries) < limit and size < WIDE_BYTES:
        batch = _read_batch(start + len(entries), min(BATCH, limit - len(entries)), known)
        if not batch:
            break
        entries += batch
        size += sum(len(entry.document.body) for entry in batch if entry.document)
    _decoded.entries = {entry.statement_hash: entry for entry in entries if entry.document is not None}
    return entries


def _read_batch(start: int, limit: int, known: Mapping[str, LogEntry]) -> list[LogEntry]:
    published = ledger.published(start, limit)
    documents = Document.objects.in_bulk([entry.statement_hash for entry in published if not _is_known(entry, known)])
    return [
        known[entry.statement_hash]
        if _is_known(entry, known)
        else _log_entry(entry, documents.get(entry.statement_hash))
        for entry in published
    ]


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


_decoded = threading.local()  # by the hash of what was decoded, so that it cannot go stale


def _is_known(entry: ledger.PublishedEntry, known: Mapping[str, LogEntry]) -> bool:
    found = known.get(entry.statement_hash)
    return found is not None and found.index == entry.index


def digest(model: type[models.Model]) -> str:
    """SHA-256 over a projection table's rows in key order; equal on SQLite and PostgreSQL for equal tables."""
    key = model._meta.pk
    names = [column.attname for column in model._meta.concrete_fields]
    sha = hashlib.sha256()
    rows = sorted(map(_canonical_row, model._default_manager.values_list(*names).iterator())) if key else []
    for row in rows:
        sha.update(row)
    return sha.hexdigest()


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
    return _position(order[place - 1]) if place else ledger.published_size()


def _position(name: str) -> int:
    return Cursor.objects.filter(projection=name).values_list("position", flat=True).first() or 0


def _load(path: str) -> Projection:
    module, _, attribute = path.rpartition(".")
    projection = getattr(import_module(module), attribute)
    if not isinstance(projection, Projection):
        raise TypeError(f"{path} is not a Projection")
    return projection


def _log_entry(entry: Any, document: Document | None) -> LogEntry:
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
        body=None if document is None else json.loads(bytes(document.body)),
        document=document,
    )


def _canonical_row(row: Sequence[Any]) -> bytes:
    return json.dumps(
        [bytes(value).hex() if isinstance(value, bytes | memoryview) else value for value in row],
        sort_keys=True,
        ensure_ascii=False,
        separators=(",", ":"),
    ).encode()
