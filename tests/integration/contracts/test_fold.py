"""Findings as a fold: any arrival order gives the same open set, any batch size the same bytes, time the same row."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db import transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from ledger import writer
from tests.integration.conftest import pack
from traceability.alerts.models import Alert
from traceability.capture import services as capture
from traceability.common import clock, projection
from traceability.contracts import projection as findings
from traceability.contracts.models import Finding, Timer

from .conftest import CASES, DAY, HOUR, MINUTE, PALLET, START, Watched

A, B, C = pack("A1"), pack("B1"), pack("C1")


def story(watched: Watched) -> list[tuple[str, dict[str, Any]]]:
    """One of each incident, a corrected mistake, and much that is in order."""
    mistake = watched.event("other", START + 2 * DAY, step="dispensing", epcs=[B])
    undo = {"declarationTime": "2026-06-01T00:00:00.000Z", "reason": "did_not_occur"}
    warm = [(START + DAY + place * 10 * MINUTE, 14 if 3 < place < 12 else 5) for place in range(20)]
    return [
        ("maker", watched.commission("maker", START, [A, B, C])),
        ("maker", watched.pack("maker", START + HOUR, CASES[0], [A, B])),
        ("maker", watched.pack("maker", START + 2 * HOUR, PALLET, CASES)),
        ("maker", watched.travel("maker", START + 3 * HOUR, "shipping", [PALLET], "urn:x:D1", "wholesaler")),
        ("wholesaler", watched.travel("wholesaler", START + 2 * DAY, "receiving", CASES[:1], "urn:x:D1", "wholesaler")),
        ("wholesaler", watched.sensor("wholesaler", PALLET, warm)),
        ("pharmacy", watched.event("pharmacy", START + 4 * DAY, step="dispensing", epcs=[A])),
        ("other", watched.event("other", START + 9 * DAY, step="dispensing", epcs=[A])),
        ("pharmacy", watched.event("pharmacy", START + 4 * DAY, step="stocking", epcs=[C])),
        ("other", watched.event("other", START + 4 * DAY + 30 * MINUTE, step="stocking", epcs=[C])),
        ("pharmacy", watched.event("pharmacy", START + 5 * DAY, step="dispensing", epcs=[B])),
        ("other", mistake),
        ("other", {**mistake, "errorDeclaration": undo}),
    ]


EXPECTED = {
    ("clone", C),
    ("double-dispense", A),
    ("quantity-mismatch", "urn:x:D1"),
    ("temperature", PALLET),
}


def content() -> list[tuple[Any, ...]]:
    """The open findings by what they say; log indexes differ with the order."""
    names = ("key", "rule", "subject", "incident", "severity", "certainty", "code", "params", "parties", "at_ms")
    return [
        tuple(map(str, row)) for row in Finding.objects.filter(retracted_index=None).order_by("key").values_list(*names)
    ]


class _Undo(Exception):
    """Leaves the database as it was before an example."""


# Shrinking is left out: an example builds a log, and the first failing order says enough.
@settings(
    max_examples=6,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(order=st.permutations(range(13)), together=st.booleans())
def test_any_arrival_order_finds_the_same(watched: Watched, order: Sequence[int], together: bool) -> None:
    told = _told(watched)
    assert {(row[1], row[2]) for row in told.content} == EXPECTED
    assert _tell(watched, told.events, order, together=together) == told.content


@dataclass(frozen=True)
class _Told:
    events: list[tuple[str, dict[str, Any]]]
    content: list[tuple[Any, ...]]


_tellings: dict[str, _Told] = {}


def _told(watched: Watched) -> _Told:
    """The story in the order of its happening, told once per house."""
    house = watched.house.tokens["maker"]
    if house not in _tellings:
        events = story(watched)
        _tellings[house] = _Told(events, _tell(watched, events, range(len(events)), together=False))
    return _tellings[house]


def _tell(
    watched: Watched, events: Sequence[tuple[str, dict[str, Any]]], order: Sequence[int], *, together: bool
) -> list[tuple[Any, ...]]:
    """What is found when the events come in this order, in one batch or one by one; leaves nothing behind."""
    mark = Path(django_settings.LOG_HIGH_WATER_FILE)  # the log would refuse to go on from an older database
    before = mark.read_text()
    found: list[tuple[Any, ...]] = []
    try:
        with transaction.atomic():
            for place in order:
                party, event = events[place]
                capture.accept_events([event], reporter=watched.house.parties[party])
                if not together:
                    watched.house.settle()
            watched.house.settle()
            found = content()
            raise _Undo
    except _Undo:
        mark.write_text(before)
    return found


def test_any_batch_size_builds_the_same_bytes(watched: Watched) -> None:
    for party, event in story(watched):
        watched.report(party, event)
    models = [model for fold in projection.all_projections() for model in fold.models]
    before = {model._meta.label: projection.digest(model) for model in models}
    assert Finding.objects.exclude(retracted_index=None).exists()
    assert Alert.objects.count() == Finding.objects.values("incident").distinct().count()
    folds = projection.all_projections()
    for limit in (1, 7, 500):
        for fold in folds:
            projection.reset(fold)
        while sum(projection.advance(fold, limit=limit) for fold in folds):
            pass
        assert {model._meta.label: projection.digest(model) for model in models} == before


@pytest.fixture
def at(settings: Any, tmp_path: Path) -> Iterator[Any]:
    settings.CLOCK_FILE = str(tmp_path / "clock")
    clock.set_simulated_ms(START)
    yield clock.set_simulated_ms
    clock.set_simulated_ms(0)


def test_time_closes_the_account(at: Any, watched: Watched) -> None:
    """On an idle log the tick of its clock decides; a rebuild finds the same row."""
    at(START + 4 * HOUR)
    watched.report("maker", watched.travel("maker", START + 3 * HOUR, "shipping", CASES, "urn:x:D1", "wholesaler"))
    at(START + DAY)
    watched.report(
        "wholesaler", watched.travel("wholesaler", START + DAY, "receiving", CASES[:1], "urn:x:D1", "wholesaler")
    )
    assert watched.found() == []
    assert Timer.objects.get().due_ms == START + 2 * DAY
    _tick(at, START + 2 * DAY - 1)
    assert watched.found() == []
    _tick(at, START + 2 * DAY)
    assert watched.found() == [("quantity-mismatch", "quantity-mismatch", "urn:x:D1")]
    assert not Timer.objects.exists()
    before = projection.digest(Finding)
    projection.reset(findings.FINDINGS)
    while projection.advance(findings.FINDINGS):
        pass
    assert watched.found() == []
    assert findings.tick() == 1
    assert projection.digest(Finding) == before
    at(START + 3 * DAY)
    watched.report("maker", watched.commission("maker", START, [A]))  # an entry after it: replay fires in its place
    projection.reset(findings.FINDINGS)
    while projection.advance(findings.FINDINGS):
        pass
    assert projection.digest(Finding) == before


def test_a_receipt_in_time_stops_the_clock(at: Any, watched: Watched) -> None:
    at(START + 4 * HOUR)
    watched.report("maker", watched.travel("maker", START + 3 * HOUR, "shipping", CASES, "urn:x:D1", "wholesaler"))
    for case in CASES:
        at(START + DAY)
        watched.report(
            "wholesaler", watched.travel("wholesaler", START + DAY, "receiving", [case], "urn:x:D1", "wholesaler")
        )
    assert not Timer.objects.exists()
    _tick(at, START + 9 * DAY)
    assert not Finding.objects.exists()


def test_the_tick_waits_for_the_fold(at: Any, watched: Watched) -> None:
    """The rest of the delivery is on the log and not folded yet: no alarm about it."""
    at(START + DAY)
    watched.report("maker", watched.travel("maker", START + 3 * HOUR, "shipping", CASES, "urn:x:D1", "wholesaler"))
    receipts = [
        watched.travel("wholesaler", START + DAY, "receiving", [case], "urn:x:D1", "wholesaler") for case in CASES
    ]
    watched.report("wholesaler", receipts[0])
    capture.accept_events([receipts[1]], reporter=watched.house.parties["wholesaler"])
    at(START + 2 * DAY + 1)
    while writer.sequence_once():
        pass
    assert findings.tick() == 0
    projection.advance_all()
    assert watched.found() == []


def _tick(at: Any, now_ms: int) -> None:
    at(now_ms)
    with writer.elected(lambda: False):
        sequencer = writer.make_sequencer()
        sequencer.settle()
        sequencer.tick()
    findings.tick()
