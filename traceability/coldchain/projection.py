"""COLD_CHAIN: the temperatures that published events carry, as chunks per holder.

Reads only the log's entries, the capture index of the same entries (EVENT_INDEX comes before) and the uploaded files
that the entries name by hash. An event that is an error declaration adds nothing; what is void counts no more.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from zoneinfo import ZoneInfo

from traceability.capture import standing
from traceability.capture.models import EventClass, EventEpc, PublishedEvent
from traceability.common import bulk
from traceability.common.projection import LogEntry, Projection

from . import chunks, loggers, originals, sensors
from .excursions import Reading
from .loggers.model import LoggerError
from .models import LoggerFile, ReadingChunk
from .sensor_event import Window

KIND = "event"
_MEMBER = "sensorElementList"
_TEXT = 256


def _apply(entries: Sequence[LogEntry]) -> None:
    _mark_voided([entry.index for entry in entries])
    carrying = {
        entry.index: entry
        for entry in entries
        if entry.kind == KIND and isinstance(entry.body, dict) and entry.body.get(_MEMBER)
    }
    published = PublishedEvent.objects.filter(index__in=carrying, declaration_ms__isnull=True).order_by("index")
    events = list(published)
    holders = _holders(events)
    rows: list[ReadingChunk] = []
    for event in events:
        rows += _rows(carrying[event.index], event, holders[event.index])
    ReadingChunk.objects.bulk_create(rows, batch_size=200)


def _mark_voided(indexes: Sequence[int]) -> None:
    """Mark the readings of events that these entries make void or let count again."""
    turned = {index for index, _ in standing.turned(indexes)}
    carrying = set(bulk.among(ReadingChunk.objects.values_list("event_index", flat=True), "event_index", turned))
    for index, now in bulk.among(PublishedEvent.objects.values_list("index", "voided_by"), "index", carrying):
        ReadingChunk.objects.filter(event_index=index).update(voided_by=now)


def _holders(events: Sequence[PublishedEvent]) -> dict[int, list[str]]:
    """Whose temperature each event reports: its objects, else its lots, else the place (EPCIS 2.0, 7.3.7).

    Of an aggregation it is the container, if it is named: what lies in it is reached through custody.
    """
    epcs: dict[int, list[tuple[str, str]]] = defaultdict(list)
    for index, role, epc in EventEpc.objects.filter(event_index__in=[event.index for event in events]).values_list(
        "event_index", "role", "epc"
    ):
        epcs[index].append((role, epc))
    classes: dict[int, set[str]] = defaultdict(set)
    for index, epc_class in EventClass.objects.filter(event_index__in=[event.index for event in events]).values_list(
        "event_index", "epc_class"
    ):
        classes[index].add(epc_class)
    found = {}
    for event in events:
        parents = {epc for role, epc in epcs[event.index] if role == "parent"}
        objects = parents or {epc for _, epc in epcs[event.index]} or classes[event.index]
        place = event.read_point or event.biz_location
        found[event.index] = sorted(objects) or ([place] if place else [])
    return found


def _rows(entry: LogEntry, event: PublishedEvent, holders: Sequence[str]) -> Iterator[ReadingChunk]:
    assert isinstance(entry.body, dict)
    data = sensors.read(entry.body[_MEMBER], event_time_ms=event.event_time_ms)
    parts: list[dict[str, object]] = []
    for device in sorted(data.readings):
        parts += _series_parts(data.readings[device], device, "")
    for summary in data.summaries:
        readings = _file_readings(entry, summary)
        if readings:
            parts += _series_parts(readings, summary.device, summary.sha256)
        elif summary.min_mc is not None or summary.max_mc is not None:
            parts.append(_summary_part(summary))
    for number, holder in enumerate(holders):
        for position, part in enumerate(parts):
            yield ReadingChunk(
                key=f"{entry.index}.{number}.{position}",
                event_index=entry.index,
                holder=holder,
                reporter=entry.iss,
                voided_by=event.voided_by,
                **part,
            )


def _series_parts(readings: Sequence[Reading], device: str, sha256: str) -> Iterator[dict[str, object]]:
    for series in layers(readings):
        for piece in chunks.split(series):
            values = [value for _, value in piece]
            yield {
                "device": device[:_TEXT],
                "file_sha256": sha256,
                "start_ms": piece[0][0],
                "end_ms": piece[-1][0],
                "count": len(piece),
                "min_mc": min(values),
                "max_mc": max(values),
                "data": chunks.encode(piece),
            }


def _summary_part(summary: sensors.FileSummary) -> dict[str, object]:
    return {
        "device": summary.device[:_TEXT],
        "file_sha256": summary.sha256[:64],
        "start_ms": summary.start_ms,
        "end_ms": summary.end_ms,
        "count": 0,
        "min_mc": summary.min_mc,
        "max_mc": summary.max_mc,
        "data": b"",
    }


def _file_readings(entry: LogEntry, summary: sensors.FileSummary) -> Sequence[Reading]:
    """The counted readings of the file that this event logged; none if we do not hold it or cannot read it.

    Only the file uploaded for this very event counts: the row is written before the event is submitted, so that a
    rebuild finds exactly what the first fold found.
    """
    assert isinstance(entry.body, Mapping)
    held = LoggerFile.objects.filter(event_id=str(entry.body.get("eventID", "")), sha256=summary.sha256).first()
    if held is None or held.party.uri != entry.iss:
        return ()
    try:
        recording = loggers.parse(originals.load(held.sha256), zone=ZoneInfo(summary.time_zone))
    except (LoggerError, originals.OriginalError, ValueError, LookupError, OSError):
        return ()  # the summary is kept instead; `manage.py check_logger_files` names a missing or changed file
    return Window(summary.start_ms, summary.end_ms).clip(recording.readings)


def layers(readings: Iterable[Reading]) -> list[list[Reading]]:
    """The readings as series in strictly increasing time order: a moment's second value goes into a second series."""
    series: list[list[Reading]] = []
    seen: dict[int, int] = defaultdict(int)
    for ms, value in sorted(set(readings)):
        if seen[ms] == len(series):
            series.append([])
        series[seen[ms]].append((ms, value))
        seen[ms] += 1
    return series


COLD_CHAIN = Projection(name="cold-chain", models=(ReadingChunk,), apply=_apply)
