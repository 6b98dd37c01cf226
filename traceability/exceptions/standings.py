"""Where each shipment of a party stands, kept, so that the list of them counts no goods and is ordered as it reads.

Worked out anew when somebody looks after the log has gone on: at once as long as that is cheap, else by the engine.
"""

import logging
from collections.abc import Collection, Iterator, Sequence

from django.db import Error as DatabaseError
from django.db import transaction
from django.db.models import Case, F, IntegerField, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.functions import Coalesce

from traceability.capture.models import PublishedEvent
from traceability.common.clock import now_ms
from traceability.custody import selectors as custody
from traceability.custody import shipments, sides
from traceability.custody.models import Shipment
from traceability.custody.sides import Standing
from traceability.parties import selectors as parties
from traceability.parties.models import Party
from traceability.visibility import rules

from . import expected
from .models import KeptStanding

LIVE = 300  # things of both sides of a shipment; more are not counted while somebody waits
AT_ONCE = 3_000  # of all that are looked at before the list is ordered
LOOKED_AT = 500  # shipments, per question
BATCH = 20_000  # things counted together
RECOUNT_MS = 600_000  # a large one that its own events left alone may have been received by content
NEVER = -2

_NEEDS_ACTION = (Standing.SHORT, Standing.OVER, Standing.VOID_RECEIVED, Standing.UNSENT)
_DONE = (Standing.RECEIVED, Standing.VOID)
# Of what nobody counted yet, and where only a list of the party says what was expected.
_BY_STATUS = {
    "open": Standing.TRANSIT,
    "partial": Standing.PARTIAL,
    "received": Standing.RECEIVED,
    "void": Standing.VOID,
}

log = logging.getLogger(__name__)


def listed(party: Party) -> QuerySet[Shipment]:
    """The party's shipments, what needs somebody first, then what is under way, then the rest; the newest first.

    Without their goods. So that the order is that of what is shown, call `look` before.
    """
    kept, late = _kept(party), now_ms() - sides.PARTIAL_MS
    rows = _of(party).alias(
        standing=Subquery(kept.values("standing")[:1]), arrived=Subquery(kept.values("arrived_ms")[:1])
    )
    urgent = Q(standing__in=_NEEDS_ACTION) | Q(standing=Standing.PARTIAL, arrived__lte=late)
    unknown = Q(standing=None) | Q(standing="")
    group = Case(
        When(urgent | unknown & Q(shipped_index=None), then=Value(0)),
        When(Q(standing__in=_DONE) | unknown & Q(status__in=["received", "void"]), then=Value(2)),
        default=Value(1),
        output_field=IntegerField(),
    )
    return rows.order_by(group, Coalesce("shipped_ms", "received_ms").desc(nulls_last=True), "despatch")


def look(party: Party) -> None:
    """Bring up to date what may stand otherwise than is kept, the longest ago first; what is large is asked for."""
    horizon, kept = rules.horizon(), _kept(party)
    rows = _of(party).alias(
        known=Subquery(kept.values("as_of")[:1]),
        standing=Subquery(kept.values("standing")[:1]),
        size=Subquery(kept.values("things")[:1]),
        counted=Subquery(kept.values("counted_ms")[:1]),
    )
    # What has arrived or was called back changes with its own events only, which change how it is marked.
    rests = Q(standing__in=_DONE) | Q(size__gt=LIVE, counted__gt=now_ms() - RECOUNT_MS)
    rows = rows.filter(Q(known=None) | ~Q(known=horizon) & ~rests)
    rows = rows.annotate(things=_things(party)).order_by(F("known").asc(nulls_first=True), "-shipped_ms", "despatch")
    at_once, later, total = list[str](), list[str](), 0
    for despatch, things in rows.values_list("despatch", "things")[:LOOKED_AT]:
        is_cheap = things <= LIVE and total + things <= AT_ONCE
        total += things if is_cheap else 0
        (at_once if is_cheap else later).append(despatch)
    _work_out(party, at_once)
    _ask(party, later)


def of(party: Party, rows: Sequence[Shipment]) -> dict[str, KeptStanding]:
    """How these stand, by number: now, large ones a while ago; those that are still to be counted are left out."""
    found, old = _kept_of(party, rows)
    sizes = dict(_of(party).filter(despatch__in=old).annotate(things=_things(party)).values_list("despatch", "things"))
    _ask(party, [despatch for despatch in old if sizes.get(despatch, 0) > LIVE])
    return found | _work_out(party, [despatch for despatch in old if sizes.get(despatch, 0) <= LIVE])


def everything(party: Party) -> Iterator[tuple[Shipment, KeptStanding]]:
    """All in the order of `listed`, with how they stand, counted whatever it costs; BATCH things at a time."""
    waiting, things = list[Shipment](), 0
    for row in list(listed(party).annotate(things=_things(party))):
        waiting.append(row)
        things += row.things
        if things >= BATCH or len(waiting) >= LOOKED_AT:
            yield from _counted(party, waiting)
            waiting, things = [], 0
    yield from _counted(party, waiting)


def now(one: KeptStanding) -> Standing:
    """Where it stands at this moment: what was not received in a day is missing."""
    standing = Standing(one.standing)
    is_late = one.arrived_ms is not None and now_ms() - one.arrived_ms >= sides.PARTIAL_MS
    return Standing.SHORT if standing == Standing.PARTIAL and is_late else standing


def run_once() -> bool:
    """Work out what has been asked for longest; False when nothing is.

    Crash anywhere: it stays as it was, and is asked for by the next who looks.
    """
    waiting = KeptStanding.objects.exclude(wanted_ms=None).order_by("wanted_ms", "id")
    first = waiting.select_related("party").first()
    if first is None:
        return False
    documents = list(waiting.filter(party=first.party).values_list("document", flat=True)[:LOOKED_AT])
    chosen, things = list[str](), 0
    for document in documents:
        things += shipments.things_of(Shipment.objects.filter(despatch=document))
        if chosen and things > BATCH:
            break
        chosen.append(document)
    KeptStanding.objects.filter(party=first.party, document__in=chosen).update(wanted_ms=None)
    found = _work_out(first.party, chosen)
    gone = [document for document in chosen if document not in found]  # the log was rebuilt without it
    KeptStanding.objects.filter(party=first.party, document__in=gone).delete()
    return True


def _of(party: Party) -> QuerySet[Shipment]:
    return custody.shipments_of(parties.uris_of(party)).defer("despatched", "received")


def _kept(party: Party) -> QuerySet[KeptStanding]:
    """What is kept of the shipment in the outer query, if it was counted as that is recorded now."""
    return KeptStanding.objects.filter(
        party=party,
        document=OuterRef("despatch"),
        status=OuterRef("status"),
        shipped_index=Coalesce(OuterRef("shipped_index"), Value(NEVER)),
        received_index=Coalesce(OuterRef("received_index"), Value(NEVER)),
    )


def _things(party: Party) -> Coalesce:
    """How many things both sides name: as kept, so that the database looks into no list twice."""
    counted = shipments.Length("despatched") + shipments.Length("received")
    return Coalesce(Subquery(_kept(party).exclude(standing="").values("things")[:1]), counted)


def _kept_of(party: Party, rows: Sequence[Shipment]) -> tuple[dict[str, KeptStanding], list[str]]:
    """What was counted of these as they are recorded now, by number; and what is to be counted anew."""
    horizon, marks = rules.horizon(), {row.despatch: _mark(row) for row in rows}
    kept = KeptStanding.objects.filter(party=party, document__in=list(marks)).exclude(standing="")
    found = {one.document: one for one in kept if _mark(one) == marks[one.document]}
    old = [name for name in marks if name not in found or (found[name].as_of != horizon and not _rests(found[name]))]
    return found, old


def _rests(one: KeptStanding) -> bool:
    """Whether a large one can wait: it is done with, or was counted a short while ago."""
    return one.things > LIVE and (one.standing in _DONE or now_ms() - one.counted_ms < RECOUNT_MS)


def _mark(row: Shipment | KeptStanding) -> tuple[str, int, int]:
    shipped, received = row.shipped_index, row.received_index
    return row.status, NEVER if shipped is None else shipped, NEVER if received is None else received


def _counted(party: Party, rows: Sequence[Shipment]) -> Iterator[tuple[Shipment, KeptStanding]]:
    found, old = _kept_of(party, rows)
    found |= _work_out(party, old)
    yield from ((row, found[row.despatch]) for row in rows if row.despatch in found)


def _ask(party: Party, documents: Collection[str]) -> None:
    """Have the engine work these out."""
    if not documents:
        return
    kept = KeptStanding.objects.filter(party=party, document__in=documents)
    known = set(kept.values_list("document", flat=True))
    new = [KeptStanding(party=party, document=name, wanted_ms=now_ms()) for name in documents if name not in known]
    try:
        with transaction.atomic():
            KeptStanding.objects.bulk_create(new, ignore_conflicts=True)
            kept.filter(wanted_ms=None).update(wanted_ms=now_ms())
    except DatabaseError:  # full or locked: the list is shown as it is kept, and who looks again asks again
        log.exception("the standings of %s shipments were not asked for", len(documents))


def _work_out(party: Party, documents: Collection[str]) -> dict[str, KeptStanding]:
    """Count these, and keep it; by number."""
    if not documents:
        return {}
    as_of = rules.horizon()  # read first: what is folded meanwhile is for the next look
    rows = list(Shipment.objects.filter(despatch__in=documents))
    matches = shipments.by_content(rows)
    seen = _arrivals({one.index for found in matches.values() for one in found}, party)
    told = expected.known_by_lists(party, [row.despatch for row in rows if row.shipped_index is None])
    matched = [[one for one in matches.get(row.despatch, ()) if one.index in seen] for row in rows]
    goods = [set[str]().union(*(one.things for one in found)) for found in matched]
    result = {}
    lines_of = shipments.lines_of(list(zip(rows, goods, strict=True)))
    for row, found, lines in zip(rows, matched, lines_of, strict=True):
        times = [seen[one.index] for one in found] + ([row.received_ms] if row.received_ms is not None else [])
        got = sum(sum(line.received.values()) for line in lines)
        status, shipped_index, received_index = _mark(row)
        # What only a list tells of is measured by the list, on its own page.
        standing = _BY_STATUS[row.status] if row.despatch in told else _standing(row, lines)
        result[row.despatch] = KeptStanding(
            party=party, document=row.despatch, as_of=as_of, counted_ms=now_ms(), status=status,
            shipped_index=shipped_index, received_index=received_index, things=len(row.despatched) + len(row.received),
            standing=standing, arrived_ms=max(times, default=None),
            sent=sum(sum(line.expected.values()) for line in lines), got=got,
            missing=sum(line.missing for line in lines) if got else 0, by_content=bool(found),
        )  # fmt: skip
    _keep(result.values())
    return result


def _standing(row: Shipment, lines: Sequence[sides.Line]) -> Standing:
    """Without the day after which what was not received is missing: that is looked at when it is shown."""
    return sides.standing(
        sides.totals(lines),
        is_void=row.status == "void",
        is_sent=row.shipped_index is not None or bool(row.despatched),
        received_ms=None,
        now_ms=0,
    )


def _keep(rows: Collection[KeptStanding]) -> None:
    columns = [field.name for field in KeptStanding._meta.fields if field.name not in {"id", "party", "document"}]
    ordered = sorted(rows, key=lambda one: one.document)  # two that keep the same rows wait for each other
    try:
        with transaction.atomic():
            KeptStanding.objects.bulk_create(
                ordered,
                update_conflicts=True,
                unique_fields=["party", "document"],
                update_fields=columns,
                batch_size=50,
            )
    except DatabaseError:  # full or locked: what was counted is shown all the same, and counted again by the next
        log.exception("the standings of %s shipments were not kept", len(rows))


def _arrivals(indexes: Collection[int], party: Party) -> dict[int, int]:
    """When those of these receipts happened that the party may see."""
    rows = PublishedEvent.objects.filter(index__in=rules.visible_indexes(indexes, party))
    return dict(rows.values_list("index", "event_time_ms"))
