"""Which published events count. Error declarations, and the end of a key, take events back from an entry on.

A declaration that does not count itself takes nothing back any more: what it had made void counts again.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence

from django.db.models import Q

from ledger import api as ledger
from traceability.common import bulk, masterdata
from traceability.common.projection import LogEntry

from .models import PublishedEvent, VoidSpan
from .spans import Spans

EVENT = "event"
_SPANS = bulk.Select(
    VoidSpan.objects.order_by("event_index", "from_index", "reason").values_list(
        "event_index", "from_index", "to_index"
    ),
    "event_index",
)
_DECLARED = bulk.Select(
    PublishedEvent.objects.filter(declaration_ms__isnull=False).values_list("event_id", flat=True), "event_id"
)
_KEY_ENDS = frozenset({"key-revoked", "key-rotated"})
_BATCH = 1000
_Reason = VoidSpan.Reason
# Of an event: log index, key, party that signed, time of signing in seconds.
_Signed = tuple[int, str, str, int]


def events(entries: Sequence[LogEntry]) -> list[LogEntry]:
    """Those entries that are events whose content is held here."""
    return [entry for entry in entries if entry.kind == EVENT and entry.body is not None]


def update(entries: Sequence[LogEntry], events: Sequence[LogEntry], event_ids: set[str]) -> None:
    """Bring up to date what these entries void or restore; `events` are those among them, with their IDs."""
    fresh = _void_by_key(entries, events)
    VoidSpan.objects.bulk_create(fresh, batch_size=_BATCH)
    changed = {span.event_index for span in fresh}
    declarations = PublishedEvent.objects.filter(declaration_ms__isnull=False).values_list("event_id", flat=True)
    changed |= _declare(event_ids | set(bulk.among(declarations, "index", changed)))
    _mark(changed)


def spans(indexes: Collection[int]) -> dict[int, Spans]:
    """While each of these events did not count; those that always did are left out."""
    found: dict[int, Spans] = {}
    for index, start, until in _SPANS(indexes):
        found[index] = (*found.get(index, ()), (start, until))
    return found


def turned(entries: Collection[int]) -> Iterator[tuple[int, int]]:
    """The events that these entries make void or let count again, each with the entry's index, or its own if later."""
    if not entries:
        return
    span, asked = (min(entries), max(entries)), set(entries)
    rows = VoidSpan.objects.filter(Q(from_index__range=span) | Q(to_index__range=span))
    for index, start, until in rows.values_list("event_index", "from_index", "to_index"):
        if start in asked:
            yield index, max(index, start)
        if until in asked:
            yield index, until


def _void_by_key(entries: Sequence[LogEntry], events: Sequence[LogEntry]) -> list[VoidSpan]:
    """The events among these entries, and before them, that do not count from one of these entries on."""
    ending = any(entry.kind in _KEY_ENDS for entry in entries)
    if not (events or ending):
        return []
    keys = ledger.keys(entries[-1].index + 1)
    signed = [(entry.index, entry.kid.hex(), entry.iss, entry.iat) for entry in events]
    if ending:
        signed += _signed_since(keys, first=entries[0].index)
    return [
        VoidSpan(event_index=one[0], from_index=start, reason=_Reason.KEY)
        for one in signed
        if (start := _void_from(keys, one)) is not None
    ]


def _void_from(keys: Mapping[str, ledger.KeyRecord], signed: _Signed) -> int | None:
    index, kid, party, iat = signed
    record = keys.get(kid)
    return index if record is None or record.party != party else record.void_from(index, iat)


def _signed_since(keys: Mapping[str, ledger.KeyRecord], *, first: int) -> Iterator[_Signed]:
    """Earlier events, still believed, of keys that an entry from `first` on ends."""
    disowned = VoidSpan.objects.filter(reason=_Reason.KEY).values("event_index")
    for kid, record in keys.items():
        since = [end.bad_since_ms for end in record.endings if end.index >= first]
        if since:
            rows = PublishedEvent.objects.filter(kid=kid, iat__gte=-(-min(since) // 1000), index__lt=first)
            yield from rows.exclude(index__in=disowned).values_list("index", "kid", "reporter", "iat")


def _declare(event_ids: Collection[str]) -> set[int]:
    """Write anew what declarations make void, of all events with one of these IDs; those for which that changed.

    A declaration takes effect, whichever of the two came first, when its reporter is the original's or, as the log
    knew at its index, a regulator.
    """
    declared = set(_DECLARED(event_ids))
    by_id: dict[str, list[PublishedEvent]] = {}
    for row in bulk.among(PublishedEvent.objects.order_by("index"), "event_id", declared):
        by_id.setdefault(row.event_id, []).append(row)
    wanted = {span for rows in by_id.values() for span in _declared_spans(rows)}
    originals = {row.index for rows in by_id.values() for row in rows if row.declaration_ms is None}
    held = VoidSpan.objects.filter(reason=_Reason.DECLARED)
    columns = held.values_list("event_index", "from_index", "to_index")
    changed = {span[0] for span in wanted ^ set(bulk.among(columns, "event_index", originals))}
    for part in bulk.chunks(changed):
        held.filter(event_index__in=part).delete()
    VoidSpan.objects.bulk_create(
        VoidSpan(event_index=index, from_index=start, to_index=until, reason=_Reason.DECLARED)
        for index, start, until in sorted(wanted, key=lambda span: span[:2])
        if index in changed
    )
    return changed


def _declared_spans(rows: Sequence[PublishedEvent]) -> Iterator[tuple[int, int, int | None]]:
    """What the declarations among the events of one ID make void: (event, from, until)."""
    declarations = [row for row in rows if row.declaration_ms is not None]
    disowned = dict(
        VoidSpan.objects.filter(reason=_Reason.KEY, event_index__in=[row.index for row in declarations]).values_list(
            "event_index", "from_index"
        )
    )
    for declaration in declarations:
        until = disowned.get(declaration.index)
        if until is not None and until <= declaration.index:
            continue  # it never counted
        for original in rows:
            if original.declaration_ms is None and _may_declare(declaration, original):
                yield original.index, declaration.index, until


def _may_declare(declaration: PublishedEvent, original: PublishedEvent) -> bool:
    if declaration.reporter == original.reporter:
        return True
    party = declaration.reporter.rpartition(":")[2]
    version = masterdata.at(f"party:{party}", declaration.index)
    return version is not None and "regulator" in version["roles"]


def _mark(indexes: Collection[int]) -> None:
    """Note at each event by which entry it does not count now."""
    known = spans(indexes)
    changed = []
    for row in bulk.among(PublishedEvent.objects.all(), "index", indexes):
        now = min((start for start, until in known.get(row.index, ()) if until is None), default=None)
        if row.voided_by != now:
            row.voided_by = now
            changed.append(row)
    PublishedEvent.objects.bulk_update(changed, ["voided_by"], batch_size=_BATCH)
