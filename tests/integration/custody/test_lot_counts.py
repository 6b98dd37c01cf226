"""The counts of a lot are those of its packs one by one, whatever happened, and the parts of its balance add up."""

from collections import Counter
from collections.abc import Callable
from random import Random
from typing import Any
from uuid import UUID

import pytest

from tests.integration.conftest import EXPIRY, GTIN, LOT, House, Written, pack
from traceability.custody import lot_packs, lot_stock, opening
from traceability.custody import selectors as custody
from traceability.custody.lot_count import ENDED, Balance
from traceability.custody.models import ItemState, LotCount
from traceability.custody.selectors import Located
from traceability.gs1 import check_digit
from traceability.simulation import events

CASES = [f"https://id.gs1.org/00/{body}{check_digit.of(body)}" for body in (f"39521000000000{n:03d}" for n in range(3))]
PACKS = [pack(f"C{number}") for number in range(12)]


class _Lot:
    number, expiry = LOT, EXPIRY


class _Story:
    """Random events about the packs and cases of a lot, by random parties, in random order of time."""

    def __init__(self, house: House, writer: Callable[[str], Written], seed: int) -> None:
        self.house, self.writer, self.random = house, writer, Random(seed)
        self.number = 0

    def tell(self, count: int) -> None:
        self._say("maker", events.commission(_Lot(), PACKS[:9], **self._common("maker")))  # three are opening stock
        for _ in range(count):
            party = self.random.choice(["maker", "wholesaler", "pharmacy"])
            self._say(party, self._any(party))
        self.house.settle()

    def _any(self, party: str) -> dict[str, Any]:
        some = self.random.sample(PACKS, self.random.randint(1, 5))
        case = self.random.choice(CASES)
        common = self._common(party)
        kind = self.random.choice(["pack", "pack", "empty", "ship", "receive", "dispense", "destroy", "stock", "open"])
        if kind in {"pack", "empty"}:
            inside = some if kind == "pack" else [case]
            container = case if kind == "pack" else CASES[0]
            return events.aggregate(container, inside, action="ADD" if kind == "pack" else "DELETE", **common)
        if kind in {"ship", "receive"}:
            del common["party"]
            partners = {"sender": self.writer(party), "receiver": self.writer("pharmacy")}
            goods = [case] if self.random.random() < 0.7 else some[:1]
            return getattr(events, kind)(goods, **partners, despatch=f"urn:x:{self.number}", **common)
        step, disposition = {
            "dispense": ("dispensing", "dispensed"), "destroy": ("sampling", "unavailable"),
            "stock": ("stocking", "sellable_accessible"), "open": ("stock_taking", "sellable_accessible"),
        }[kind]  # fmt: skip
        event = events.observe(some[:2], step=step, disposition=disposition, **common)
        if kind == "open":
            event |= {"@context": [{"dosetrail": opening.NAMESPACE}], **opening.member(lot=LOT)}
        return event

    def _common(self, party: str) -> dict[str, Any]:
        self.number += 1
        at_ms = 1_790_000_000_000 + self.random.randrange(10**8)
        return {"party": self.writer(party), "at_ms": at_ms, "event_id": UUID(int=self.number).urn}

    def _say(self, party: str, event: dict[str, Any]) -> None:
        answer = self.house.capture(party, event)
        assert answer.status_code == 202, answer.content


def _one_by_one() -> dict[str, Located]:
    names = ItemState.objects.filter(gtin=GTIN, lot=LOT).values_list("epc", flat=True)
    return custody.states(list(names))


@pytest.mark.parametrize("seed", range(6))
def test_counted_as_one_by_one(house: House, writer: Callable[[str], Written], seed: int) -> None:
    _Story(house, writer, seed).tell(25)
    packs = _one_by_one()
    told = Counter(_where(one) for one in packs.values())
    assert {(row.party, row.place, row.status): row.packs for row in lot_packs.trace_down(GTIN, LOT)} == told
    assert len(told) > 1
    for where in set(told):
        chosen = {epc: one for epc, one in sorted(packs.items()) if _where(one) == where}
        found = lot_packs.packs_of_lot(GTIN, LOT, lambda one, where=where: _where(one) == where)
        assert [(epc, one.path, _where(one)) for epc, one in sorted(found.each)] == [
            (epc, () if one.status in ENDED else one.path, where) for epc, one in chosen.items()
        ]
        assert found.total == len(chosen)
    for places in _choices({one.place for one in packs.values()}):
        here = Counter(one.place for one in packs.values() if one.status == "active" and one.place in places)
        assert [(row.place, row.packs) for row in lot_stock.lots_at(places)] == sorted(here.items())
    balance = lot_packs.lot_balance(GTIN, LOT)
    assert balance.commissioned + balance.opening == len(packs) == _parts(balance)
    assert balance.commissioned == 9


def _choices(places: set[str]) -> list[set[str]]:
    return [places, *({place} for place in places)]


def _where(one: Located) -> tuple[str, str, str]:
    return one.party, one.place, one.status


def _parts(balance: Balance) -> int:
    ends = balance.dispensed + balance.destroyed + balance.exported + balance.unknown
    return balance.held + balance.in_transit + ends


def test_a_full_case_is_one_count_wherever_it_goes(house: House, writer: Callable[[str], Written]) -> None:
    story = _Story(house, writer, 1)
    story._say("maker", events.commission(_Lot(), PACKS, **story._common("maker")))
    story._say("maker", events.aggregate(CASES[0], PACKS, action="ADD", **story._common("maker")))
    house.settle()
    (before,) = LotCount.objects.values_list("key", "packs")
    assert before[1] == len(PACKS)
    moved = story._common("maker") | {"at_ms": 1_790_000_000_000 + 2 * 10**8}
    del moved["party"]
    partners = {"sender": writer("maker"), "receiver": writer("pharmacy")}
    story._say("maker", events.ship([CASES[0]], **partners, despatch="urn:x:1", **moved))
    house.settle()
    assert list(LotCount.objects.values_list("key", "packs")) == [before]  # nothing per pack was touched
    assert lot_packs.lot_balance(GTIN, LOT) == Balance(commissioned=len(PACKS), in_transit=len(PACKS))


def test_packs_in_a_case_on_a_pallet_stand_where_the_pallet_is(house: House, writer: Callable[[str], Written]) -> None:
    story = _Story(house, writer, 1)
    for event in (
        events.commission(_Lot(), PACKS, **story._common("maker")),
        events.aggregate(CASES[0], PACKS[:4], action="ADD", **story._common("maker")),
        events.aggregate(CASES[1], [CASES[0]], action="ADD", **story._common("maker")),
    ):
        story._say("maker", event | {"eventTime": f"2026-03-01T0{story.number}:00:00.000Z"})
    moved = {"at_ms": 1_790_000_000_000 + 2 * 10**8, "event_id": UUID(int=99).urn}
    partners = {"sender": writer("maker"), "receiver": writer("pharmacy")}
    story._say("pharmacy", events.receive([CASES[1]], **partners, despatch="urn:x:1", **moved))
    house.settle()
    maker, pharmacy = house.place("maker"), house.place("pharmacy")
    assert [(row.lot, row.packs) for row in lot_stock.lots_at([pharmacy])] == [(LOT, 4)]
    assert [(row.lot, row.packs) for row in lot_stock.lots_at([maker])] == [(LOT, 8)]


@pytest.mark.parametrize("depth", [1, 2])
def test_what_lies_deeper_than_the_database_looks_is_found_as_well(
    house: House, writer: Callable[[str], Written], monkeypatch: pytest.MonkeyPatch, depth: int
) -> None:
    monkeypatch.setattr(lot_stock, "_LOOKED_AT", depth)
    test_packs_in_a_case_on_a_pallet_stand_where_the_pallet_is(house, writer)


def test_without_the_look_at_containers_packs_in_a_case_are_missed(
    house: House, writer: Callable[[str], Written], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control."""
    monkeypatch.setattr(lot_stock, "carried_at", lambda counts, *_: counts.none())
    with pytest.raises(AssertionError, match="assert \\[\\] =="):
        test_packs_in_a_case_on_a_pallet_stand_where_the_pallet_is(house, writer)
