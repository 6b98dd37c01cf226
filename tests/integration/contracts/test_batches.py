"""A finding tells the same history however the entries were cut into batches: also with voids and edits in between."""

from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.db import transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.integration.conftest import LOT, pack
from traceability.capture import services as capture
from traceability.capture.spans import stands
from traceability.common import projection
from traceability.custody.fold import Fact
from traceability.products import services as products
from traceability.products.models import TradeItem

from .conftest import CASES, DAY, HOUR, MINUTE, PALLET, START, Watched

A, B, C = pack("A1"), pack("B1"), pack("C1")
Act = Callable[[], None]


def readings(start_ms: int, *values: float) -> list[tuple[int, float]]:
    return [(start_ms + place * 10 * MINUTE, value) for place, value in enumerate(values)]


class Story:
    """Acts in the order of their happening; each event may be made void, each edit is logged."""

    def __init__(self, watched: Watched) -> None:
        self.watched = watched
        travel, sensor, event = watched.travel, watched.sensor, watched.event
        place = watched.house.place("pharmacy")
        in_store = sensor("pharmacy", place, readings(START + 2 * DAY, 5, *[11] * 6, 5)) | {"epcList": []}
        self.events = [
            ("maker", watched.commission("maker", START, [A, B, C])),
            ("maker", watched.pack("maker", START + HOUR, CASES[0], [A, B])),
            ("maker", watched.pack("maker", START + HOUR, CASES[1], [C])),
            ("maker", watched.pack("maker", START + 2 * HOUR, PALLET, CASES)),
            ("maker", travel("maker", START + 3 * HOUR, "shipping", [PALLET], "urn:x:D1", "wholesaler")),
            ("wholesaler", sensor("wholesaler", PALLET, readings(START + 4 * HOUR, 5, *[14] * 7, 5))),
            ("wholesaler", sensor("wholesaler", CASES[0], readings(START + 4 * HOUR, 5, *[-3] * 9, 5))),
            ("wholesaler", travel("wholesaler", START + DAY, "receiving", CASES[:1], "urn:x:D1", "wholesaler")),
            ("wholesaler", watched.pack("wholesaler", START + 2 * DAY, PALLET, CASES[:1], action="DELETE")),
            ("maker", watched.recall("maker", START + 3 * DAY)),
            ("wholesaler", travel("wholesaler", START + 4 * DAY, "shipping", CASES[:1], "urn:x:D2", "pharmacy")),
            ("pharmacy", event("pharmacy", START + 5 * DAY, step="dispensing", epcs=[A])),
            ("other", event("other", START + 6 * DAY, step="dispensing", epcs=[A])),
            ("pharmacy", in_store),
        ]

    def acts(self) -> list[Act]:
        events = [self._event(party, body) for party, body in self.events]
        return [*events, self._warmer(20_000), self._warmer(8_000), self._shorter_life]

    def void(self, number: int) -> None:
        party, body = self.events[number]
        declaration = {"declarationTime": "2026-06-01T00:00:00.000Z", "reason": "did_not_occur"}
        self._event(party, {**body, "errorDeclaration": declaration})()

    def _event(self, party: str, body: dict[str, object]) -> Act:
        return lambda: _ignore(capture.accept_events([body], reporter=self.watched.house.parties[party]))

    def _warmer(self, high_mc: int) -> Act:
        return lambda: _ignore(
            products.save_profile(
                id="fridge", name="2–8 °C", source="test", low_mc=2000, high_mc=high_mc, low_seconds=1200,
                high_seconds=1800, freeze_sensitive=True,
            )
        )  # fmt: skip

    def _shorter_life(self) -> None:
        item = TradeItem.objects.get(id="glarvia")
        products.save_lot(item=item, number=LOT, production_date=date(2026, 1, 1), expiry_date=date(2026, 3, 4))


def _ignore(_: object) -> None:
    """An act's result is what the log then holds."""


def _digests() -> dict[str, str]:
    return {
        model._meta.label: projection.digest(model) for fold in projection.all_projections() for model in fold.models
    }


def _rebuilt(limit: int) -> dict[str, str]:
    folds = projection.all_projections()
    for fold in reversed(folds):
        projection.reset(fold)
    while sum(projection.advance(fold, limit=limit) for fold in folds):
        pass
    return _digests()


class _Undo(Exception):
    """Leaves the database as it was before an example."""


def _differences(watched: Watched, order: Sequence[int], voids: Sequence[int], *, limits: Sequence[int]) -> set[str]:
    """The tables that a rebuild in other batches makes different from those built entry by entry."""
    story = Story(watched)
    acts = story.acts()
    mark = Path(django_settings.LOG_HIGH_WATER_FILE)
    before = mark.read_text()
    found: set[str] = set()
    try:
        with transaction.atomic():
            for number in order:
                acts[number]()
                watched.house.settle()
            for number in voids:
                story.void(number)
                watched.house.settle()
            live = _digests()
            for limit in limits:
                rebuilt = _rebuilt(limit)
                found |= {name for name in live if live[name] != rebuilt[name]}
            raise _Undo
    except _Undo:
        mark.write_text(before)
    return found


_ACTS = 17
_VOIDS = st.lists(st.integers(0, _ACTS - 4), min_size=3, max_size=6, unique=True)


# Shrinking is left out: an example builds a log, and the first one that fails says enough.
@settings(
    max_examples=5,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(order=st.permutations(range(_ACTS)), voids=_VOIDS)
def test_other_batches_give_the_same_bytes(watched: Watched, order: Sequence[int], voids: Sequence[int]) -> None:
    assert _differences(watched, order, voids, limits=(3, 500)) == set()


def test_without_the_state_as_of_the_entry_they_differ(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control: judged by what the whole batch says, findings that were voided in it were never there."""
    in_order, voids = range(_ACTS), (1, 5, 8)
    assert _differences(watched, in_order, voids, limits=(500,)) == set()
    monkeypatch.setattr("traceability.contracts.facts.counts", lambda fact, _index: stands(fact.void))
    assert "contracts.Finding" in _differences(watched, in_order, voids, limits=(500,))


def test_without_the_contents_as_of_the_entry_they_differ(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    in_order, voids = range(_ACTS), (1, 3)
    assert _differences(watched, in_order, voids, limits=(500,)) == set()
    monkeypatch.setattr(Fact, "counts", lambda fact, _as_of=None: stands(fact.void))
    assert "contracts.Finding" in _differences(watched, in_order, voids, limits=(500,))


def test_the_story_has_a_finding_of_every_kind(watched: Watched) -> None:
    """So that equal tables say something: on a thing, a case, a place and a shipment."""
    for act in Story(watched).acts():
        act()
        watched.house.settle()
    found = {(rule, subject) for rule, _, subject in watched.found()}
    place = watched.house.place("pharmacy")
    assert {("temperature", CASES[0]), ("temperature", PALLET), ("temperature", place)} <= found
    assert {("double-dispense", A), ("movement-after-recall", A), ("quantity-mismatch", "urn:x:D1")} <= found


@pytest.mark.long
@settings(
    max_examples=300,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(order=st.permutations(range(_ACTS)), voids=_VOIDS)
def test_other_batches_give_the_same_bytes_at_length(
    watched: Watched, order: Sequence[int], voids: Sequence[int]
) -> None:
    assert _differences(watched, order, voids, limits=(2, 3, 7, 500)) == set()
