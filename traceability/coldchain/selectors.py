"""Reading temperatures: of a holder, along a pack's path, for a chart; and the files behind them."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from django.db.models import Q, QuerySet

from traceability.capture.models import PublishedEvent
from traceability.custody import selectors as custody
from traceability.parties.models import Party
from traceability.visibility import receipts

from . import charts, chunks, journey
from .excursions import Reading
from .models import LoggerFile, ReadingChunk

FOREVER_MS = 2**62


class Leg(NamedTuple):
    """A stretch of a pack's path: what held it (itself, a container, a place), from, to (None = still), readings.

    One leg per logger where several reported on a holder, so that each series can be judged by itself.
    """

    holder: str
    from_ms: int
    to_ms: int | None
    readings: list[Reading]


def readings(holder: str, start_ms: int | None = None, end_ms: int | None = None) -> list[Reading]:
    """All readings of `holder` from `start_ms` to `end_ms` (both included), in time order, whatever the device.

    To judge durations use `series`: two interleaved loggers must not break each other's runs.
    """
    return sorted({reading for part in series(holder, start_ms, end_ms).values() for reading in part})


def series(holder: str, start_ms: int | None = None, end_ms: int | None = None) -> dict[str, list[Reading]]:
    """The readings of `holder` per device URI, each in time order; the same sample read out twice counts once."""
    start, end = _bounds(start_ms, end_ms)
    return _by_device(_chunks(holder, start, end).filter(count__gt=0), start, end)


def _by_device(rows: Iterable[ReadingChunk], start: int, end: int) -> dict[str, list[Reading]]:
    found: dict[str, set[Reading]] = defaultdict(set)
    for row in rows:
        if row.start_ms <= end and row.end_ms >= start:
            receipts.shown([(row.event_index, row.reporter)])
            found[row.device].update(one for one in chunks.decode(bytes(row.data)) if start <= one[0] <= end)
    return {device: sorted(found[device]) for device in sorted(found) if found[device]}


def summaries(holder: str, start_ms: int | None = None, end_ms: int | None = None) -> list[ReadingChunk]:
    """Lowest and highest temperatures reported without the readings behind them (`count` 0)."""
    return list(_chunks(holder, *_bounds(start_ms, end_ms)).filter(count=0).order_by("start_ms", "key"))


def source_events(holder: str, start_ms: int | None = None, end_ms: int | None = None) -> list[int]:
    """Log indexes of the events that the readings of `holder` come from: the evidence of a finding."""
    found = _chunks(holder, *_bounds(start_ms, end_ms)).values_list("event_index", flat=True)
    return sorted(set(found))


def exposure_path(epc: str, past: custody.Past | None = None) -> list[Leg]:
    """What temperatures `epc` was exposed to: its own readings, its containers' while inside, its places' while there.

    Legs without any reading are there too, with an empty list: unknown is not fine. In order of their start. What
    came after the pack was sold or destroyed is not its exposure, even if nobody took it out of its case on record.
    `past` spares reading it again.
    """
    past = past or custody.past(epc)
    steps = _steps(past)
    gone_ms = journey.gone_ms(step for step, relation in steps if relation == "own")
    end_ms = FOREVER_MS if gone_ms is None else gone_ms
    held: list[tuple[str, int, int | None]] = [(epc, 0, None)]
    held += [(stay.container, stay.from_ms, stay.to_ms) for stay in past.stays]
    held += [(stay.place, stay.from_ms, stay.to_ms) for stay in journey.stays(step for step, _ in steps)]
    spans = [
        (holder, from_ms, end_ms if to_ms is None else min(to_ms, end_ms))
        for holder, from_ms, to_ms in held
        if from_ms < end_ms
    ]
    legs = []
    for (holder, from_ms, until_ms), parts in zip(spans, _series_of(spans), strict=True):
        if holder == epc:
            legs += [Leg(epc, part[0][0], part[-1][0], part) for part in parts]
        else:
            legs += [Leg(holder, from_ms, None if until_ms == FOREVER_MS else until_ms, part) for part in parts or [[]]]
    return sorted(legs, key=lambda leg: (leg.from_ms, leg.holder))


def _series_of(spans: Sequence[tuple[str, int, int]]) -> list[list[list[Reading]]]:
    """Per span (holder, from, until; until not included) the readings of each of its devices; one query for all."""
    wanted = Q()
    for holder, from_ms, until_ms in spans:
        wanted |= Q(holder=holder, start_ms__lt=until_ms, end_ms__gte=from_ms)
    rows = list(_standing().filter(wanted, count__gt=0)) if spans else []
    return [
        list(_by_device([row for row in rows if row.holder == holder], from_ms, until_ms - 1).values())
        for holder, from_ms, until_ms in spans
    ]


def chart_points(
    holder: str, *, start_ms: int | None = None, end_ms: int | None = None, max_points: int = 400
) -> list[Reading]:
    """The readings of `holder` for a chart: lowest and highest per bucket, never averages."""
    return charts.thin(readings(holder, start_ms, end_ms), max_points)


def files(party: Party) -> QuerySet[LoggerFile]:
    """The captured logger files that `party` may see, newest first: its own; a regulator all."""
    found = LoggerFile.objects.exclude(statement_hash="").select_related("party", "site").order_by("-uploaded_ms", "pk")
    return found if party.has_role(Party.Role.REGULATOR) else found.filter(party=party)


def file_by_hash(sha256: str, *, party: Party) -> LoggerFile | None:
    """The file with this hash if `party` may see it, else None (do not tell the two apart)."""
    return files(party).filter(sha256=sha256).first()


def uploads_of(sha256: str, *, party: Party) -> set[str]:
    """The event IDs under which `party` has uploaded this file."""
    rows = LoggerFile.objects.filter(sha256=sha256, party=party).exclude(statement_hash="")
    return set(rows.values_list("event_id", flat=True))


def _chunks(holder: str, start_ms: int, end_ms: int) -> QuerySet[ReadingChunk]:
    return _standing().filter(holder=holder, start_ms__lte=end_ms, end_ms__gte=start_ms).order_by("start_ms", "key")


def _standing() -> QuerySet[ReadingChunk]:
    """The readings of events that no declaration has made void."""
    return ReadingChunk.objects.filter(voided_by=None)


def _bounds(start_ms: int | None, end_ms: int | None) -> tuple[int, int]:
    return (-FOREVER_MS if start_ms is None else start_ms), (FOREVER_MS if end_ms is None else end_ms)


def _steps(past: custody.Past) -> list[tuple[journey.Step, str]]:
    """The thing's events in time order, each with its relation: its own, or a container's while inside."""
    relations = {step.index: step.relation for step in past.steps}
    events = PublishedEvent.objects.filter(index__in=list(relations)).order_by("event_time_ms", "event_id")
    return [
        (
            journey.Step(event.event_time_ms, event.biz_step, event.biz_location, event.disposition),
            relations[event.index],
        )
        for event in events
    ]
