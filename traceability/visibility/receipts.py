"""A regulator's reads leave a receipt: noted with the answer, and put onto the log in batches in its own name.

`shown` is called wherever events leave the house by an answer; the middleware writes one row when the answer is whole.
An answer whose note cannot be written is not given.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass, field

from django.db import transaction
from django.db.models import Count, F, Sum
from django.http import HttpRequest
from django.http.response import HttpResponseBase, StreamingHttpResponse

from traceability.common import documents
from traceability.common.clock import now_ms
from traceability.parties import selectors as parties
from traceability.parties.models import Party

from .models import Read, ReadTally

KIND = "read-receipts"
BATCH = 500
DAY_MS = 24 * 3_600_000
_MAX_QUESTION = 300


@dataclass
class Reading:
    """What one request has shown so far, and to whom."""

    regulator: str = ""
    reader: str = ""
    reporter_of: dict[int, str] = field(default_factory=dict)  # by log index


_now: ContextVar[Reading | None] = ContextVar("reading", default=None)


def read_by(party: Party, reader: str) -> None:
    """Say who asks, once that is known; `reader` = a member's pseudonym or "token:" and part of its digest."""
    reading = _now.get()
    if reading is not None and party.has_role(Party.Role.REGULATOR):
        reading.regulator, reading.reader = party.uri, reader


def shown(events: Iterable[tuple[int, str]]) -> None:
    """Note that the answer shows these events: (log index, reporter) each."""
    reading = _now.get()
    if reading is not None:
        reading.reporter_of.update(events)


class ReceiptMiddleware:
    """Writes the note of a request that showed events to a regulator: one insert."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        reading = Reading()
        token = _now.set(reading)
        try:
            response = self._get_response(request)
        finally:
            _now.reset(token)
        if isinstance(response, StreamingHttpResponse):
            if reading.regulator:
                response.streaming_content = _followed(iter(response), request, reading)
        else:
            _note(request, reading)
        return response


def _followed(parts: Iterator[bytes], request: HttpRequest, reading: Reading) -> Iterator[bytes]:
    """A streamed answer; its note is written at its end, or where the reader hangs up.

    A process that is killed in between leaves no note of what had gone out.
    """
    try:
        while True:
            token = _now.set(reading)
            try:
                part = next(parts)
            except StopIteration:
                return
            finally:
                _now.reset(token)
            yield part
    finally:
        _note(request, reading)


def pushed(party: Party, events: Iterable[tuple[int, str]], *, door: str, question: str) -> None:
    """Note that these events are sent to `party` without a request of its own, if it is a regulator; before they go."""
    reporter_of = dict(events)
    if party.has_role(Party.Role.REGULATOR) and reporter_of:
        _write(Reading(party.uri, "sent", reporter_of), door, question)


def _note(request: HttpRequest, reading: Reading) -> None:
    if not (reading.regulator and reading.reporter_of):
        return
    match = request.resolver_match
    door = (match.view_name or match.route) if match else ""
    _write(reading, door, f"{request.method} {request.get_full_path()}")


def _write(reading: Reading, door: str, question: str) -> None:
    Read.objects.create(
        at_ms=now_ms(),
        regulator=reading.regulator,
        reader=reading.reader,
        door=door[:64],
        question=question[:_MAX_QUESTION],
        events=len(reading.reporter_of),
        indexes_sha256=indexes_sha256(reading.reporter_of),
        reporters=Counter(reading.reporter_of.values()),
    )


def indexes_sha256(indexes: Iterable[int]) -> str:
    """SHA-256 of the log indexes in ascending order, written as a JSON list without spaces (docs/formats.md)."""
    return hashlib.sha256(json.dumps(sorted(indexes), separators=(",", ":")).encode()).hexdigest()


@dataclass(frozen=True)
class Tally:
    """How often a party's events were read on a day (days since 1970, UTC), by whom, through which door."""

    day: int
    regulator: str
    door: str
    reads: int
    events: int


def tallies(party: Party, *, limit: int = 200) -> list[Tally]:
    """Who read a party's events, newest day first; what is not on the log yet comes with the next batch."""
    rows = ReadTally.objects.filter(reporter=party.uri).values("read__regulator", "door")
    rows = rows.annotate(day=F("at_ms") / DAY_MS, reads=Count("pk"), total=Sum("events"))
    return [
        Tally(row["day"], row["read__regulator"], row["door"], row["reads"], row["total"])
        for row in rows.order_by("-day", "read__regulator", "door")[:limit]
    ]


def submit() -> int:
    """Put the notes that wait onto the log, an entry per regulator and BATCH, signed with its key; how many they were.

    LookupError while a regulator has no key that is kept here: the notes wait, and the task's failure is logged.
    """
    with transaction.atomic():
        waiting = list(Read.objects.select_for_update().filter(statement_hash="").order_by("id")[:BATCH])
        for regulator in sorted({row.regulator for row in waiting}):
            _submit(regulator, [row for row in waiting if row.regulator == regulator])
    return len(waiting)


def _submit(regulator: str, rows: list[Read]) -> None:
    party = parties.party_by_uri(regulator)
    if party is None:
        raise LookupError(f"{regulator} is no party any more")
    body = {
        "@type": "ReadReceipts",
        "reads": [
            {
                "time": row.at_ms,
                "reader": row.reader,
                "door": row.door,
                "question": row.question,
                "events": row.events,
                "indexes": row.indexes_sha256,
            }
            for row in rows
        ],
    }
    document = documents.record([documents.Draft(KIND, body, regulator, parties.signer_for(party))])[0]
    Read.objects.filter(pk__in=[row.pk for row in rows]).update(statement_hash=document.statement_hash)
    ReadTally.objects.bulk_create(
        ReadTally(read=row, reporter=reporter, at_ms=row.at_ms, door=row.door, events=events)
        for row in rows
        for reporter, events in sorted(row.reporters.items())
    )
