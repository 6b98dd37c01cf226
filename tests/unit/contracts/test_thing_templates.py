"""Expired sale, clone, double dispense, movement after recall: positive, negative and at the boundary."""

from dataclasses import replace
from typing import Any

import pytest

from traceability.contracts.draft import Draft
from traceability.contracts.facts import Recalled, Seen, ThingFacts
from traceability.contracts.templates import clone, double_dispense, expired_sale, movement_after_recall
from traceability.contracts.templates.clone import Clone
from traceability.contracts.templates.double_dispense import DoubleDispense
from traceability.contracts.templates.expired_sale import ExpiredSale
from traceability.contracts.templates.movement_after_recall import MovementAfterRecall

DAY, MINUTE = 86_400_000, 60_000
JAN_31 = 1_769_817_600_000  # 2026-01-31T00:00:00Z
SHANGHAI, SUZHOU, URUMQI = (31_230_400, 121_473_700), (31_299_000, 120_585_300), (43_825_600, 87_616_800)
LOT = "https://id.gs1.org/01/09521000001008/10/L1"


def seen(index: int, time_ms: int, step: str = "dispensing", **members: Any) -> Seen:
    return Seen(index, f"e{index}", time_ms, **{"reporter": "p", "step": step, **members})


def thing(*events: Seen, **members: Any) -> ThingFacts:
    return ThingFacts("pack", events, **members).as_of(1_000)


def one(found: Any) -> Draft:
    (draft,) = found
    return draft


def made(**members: Any) -> Seen:
    return seen(0, 0, "commissioning", action="ADD", lot="L1", expiry="2026-01-31", fingerprint="f", **members)


@pytest.mark.parametrize(
    ("offset_minutes", "time_ms", "is_late"),
    [
        (0, JAN_31 + DAY - 1, False),  # last millisecond of the last valid day
        (0, JAN_31 + DAY, True),
        (480, JAN_31 + 16 * 60 * MINUTE - 1, False),  # 23:59:59.999 in UTC+8
        (480, JAN_31 + 16 * 60 * MINUTE, True),
        (-300, JAN_31 + DAY, False),  # still the 31st in UTC-5
        (-300, JAN_31 + DAY + 5 * 60 * MINUTE, True),
    ],
)
def test_expired_by_the_local_calendar(offset_minutes: int, time_ms: int, is_late: bool) -> None:
    facts = thing(made(), seen(1, time_ms, offset_minutes=offset_minutes))
    assert bool(list(expired_sale.evaluate(ExpiredSale(), facts))) is is_late


def test_expired_sale_says_when_and_only_once() -> None:
    facts = thing(made(), seen(1, JAN_31 + 2 * DAY), seen(2, JAN_31 + 3 * DAY))
    draft = one(expired_sale.evaluate(ExpiredSale(), facts))
    assert (draft.evidence, draft.params["sold"], draft.params["expiry"]) == ((1,), "2026-02-02", "2026-01-31")


def test_expired_sale_with_grace_other_steps_and_no_expiry() -> None:
    late = seen(1, JAN_31 + 2 * DAY)
    assert list(expired_sale.evaluate(ExpiredSale(grace_days=2), thing(made(), late))) == []
    assert list(expired_sale.evaluate(ExpiredSale(), thing(made(), replace(late, step="storing")))) == []
    assert list(expired_sale.evaluate(ExpiredSale(), thing(late))) == []


def test_no_grace_goes_beyond_the_last_day_that_there_is() -> None:
    """As some write who mean that it does not expire."""
    facts = thing(made(), seen(5, JAN_31), expiries={("", "L1"): [(0, "9999-12-31")]})
    assert list(expired_sale.evaluate(ExpiredSale(grace_days=366), facts)) == []


def test_an_extension_counts_for_entries_after_it() -> None:
    facts = thing(made(), seen(5, JAN_31 + 2 * DAY), expiries={("", "L1"): [(3, "2026-02-28")]})
    assert list(expired_sale.evaluate(ExpiredSale(), facts)) == []
    facts = thing(made(), seen(5, JAN_31 + 2 * DAY), expiries={("", "L1"): [(6, "2026-02-28")]})
    assert one(expired_sale.evaluate(ExpiredSale(), facts)).evidence == (5,)


def travelled(minutes: int, to: tuple[int, int] | None = URUMQI, **members: Any) -> ThingFacts:
    return thing(seen(1, 0, "stocking", point=SHANGHAI), seen(2, minutes * MINUTE, "stocking", point=to, **members))


def test_impossible_travel_at_the_boundary() -> None:
    """3,267,659 m at 900 km/h take 13,070,636 ms; 30 minutes of clock skew are given."""
    limit_ms = 3_267_659 * 4 - 1_800_000
    for time_ms, count in ((limit_ms, 0), (limit_ms - 1, 1)):
        facts = thing(seen(1, 0, "stocking", point=SHANGHAI), seen(2, time_ms, "stocking", point=URUMQI))
        assert len(list(clone.evaluate(Clone(), facts))) == count


def test_what_counts_is_the_time_between() -> None:
    """The same boundary long after 1970; and two clocks that disagree make no journey into the past."""
    limit_ms = 3_267_659 * 4 - 1_800_000
    for time_ms, count in ((limit_ms, 0), (limit_ms - 1, 1)):
        facts = thing(seen(1, DAY, "stocking", point=SHANGHAI), seen(2, DAY + time_ms, "stocking", point=URUMQI))
        found = list(clone.evaluate(Clone(), facts))
        assert [draft.params["minutes"] for draft in found] == [time_ms // MINUTE] * count
    one_place = thing(seen(1, 0, "stocking", point=SHANGHAI), seen(2, 0, "stocking", point=SHANGHAI))
    assert list(clone.evaluate(Clone(min_distance_m=0, clock_skew_s=0), one_place)) == []


def test_impossible_travel_says_how_far() -> None:
    draft = one(clone.evaluate(Clone(), travelled(40)))
    assert (draft.severity, draft.certainty, draft.code) == ("S1", "certain", "clone-impossible-travel")
    assert (draft.params["km"], draft.params["minutes"], draft.evidence) == (3267, 40, (1, 2))


@pytest.mark.parametrize(
    "facts",
    [
        travelled(0, to=SHANGHAI),
        travelled(0, to=None),  # a place that no master data knows
        travelled(0, to=SUZHOU),  # 85 km within the clocks' skew
        thing(seen(1, 0, "stocking", point=SHANGHAI), seen(2, 0, "sensor_reporting", point=URUMQI)),
    ],
)
def test_no_impossible_travel(facts: ThingFacts) -> None:
    assert list(clone.evaluate(Clone(), facts)) == []


def test_short_distances_are_not_judged() -> None:
    strict = Clone(clock_skew_s=0, min_distance_m=90_000)
    assert list(clone.evaluate(strict, travelled(0, to=SUZHOU))) == []
    assert one(clone.evaluate(replace(strict, min_distance_m=80_000), travelled(0, to=SUZHOU)))


def test_a_clone_is_one_incident_however_often_it_is_seen() -> None:
    places = [SHANGHAI, URUMQI] * 4
    facts = thing(*(seen(i, i * MINUTE, "stocking", point=point) for i, point in enumerate(places)))
    assert one(clone.evaluate(Clone(), facts)).evidence == tuple(range(8))


def test_commissioned_twice() -> None:
    again = replace(made(), index=4, event_id="e4", time_ms=5)
    assert list(clone.evaluate(Clone(), thing(made(), again))) == []  # the same content once more
    other = replace(again, fingerprint="g")
    assert list(clone.evaluate(Clone(), thing(made(), replace(other, action="OBSERVE")))) == []
    assert list(clone.evaluate(Clone(), thing(made(), replace(other, step="encoding")))) == []
    draft = one(clone.evaluate(Clone(), thing(made(), other)))
    assert (draft.code, draft.evidence) == ("clone-commissioned-twice", (0, 4))


def test_many_packs_of_the_same_two_events_are_one_incident() -> None:
    twice = [made(many=True), replace(made(many=True), index=4, event_id="e4", fingerprint="g")]
    drafts = [one(clone.evaluate(Clone(), ThingFacts(epc, tuple(twice)).as_of(9))).incident for epc in ("a", "b", "c")]
    assert len(set(drafts)) == 1
    single = [twice[0], replace(twice[1], many=False)]
    drafts = [one(clone.evaluate(Clone(), ThingFacts(epc, tuple(single)).as_of(9))).incident for epc in ("a", "b")]
    assert len(set(drafts)) == 2


@pytest.mark.parametrize(
    ("gap_ms", "reporter", "severity"),
    [
        (600_000, "p", "S4"),
        (600_001, "p", "S3"),
        (1, "q", "S2"),
        (30 * DAY, "q", "S2"),
    ],
)
def test_double_dispense_by_gap_and_party(gap_ms: int, reporter: str, severity: str) -> None:
    facts = thing(seen(1, 0), seen(2, gap_ms, "retail_selling", reporter=reporter))
    draft = one(double_dispense.evaluate(DoubleDispense(), facts))
    assert (draft.severity, draft.evidence) == (severity, (1, 2))


def test_the_gravest_repetition_speaks() -> None:
    facts = thing(seen(1, 0), seen(2, 1000), seen(3, 2000, reporter="q"))
    draft = one(double_dispense.evaluate(DoubleDispense(), facts))
    assert (draft.severity, draft.evidence) == ("S2", (1, 2, 3))


@pytest.mark.parametrize(
    "events",
    [
        [seen(1, 0)],
        [seen(1, 0), seen(2, 5, "receiving", disposition="returned"), seen(3, 9)],
        [seen(1, 0, disposition="partially_dispensed"), seen(2, DAY, disposition="partially_dispensed")],
        [seen(1, 0, void=((2, None),)), seen(3, DAY)],
        [seen(1, 0), seen(2, 5, "stocking")],
    ],
)
def test_no_double_dispense(events: list[Seen]) -> None:
    assert list(double_dispense.evaluate(DoubleDispense(), thing(*events))) == []


def test_parts_of_one_pack_by_two_parties() -> None:
    facts = thing(seen(1, 0, disposition="partially_dispensed"), seen(2, 5, reporter="q"))
    assert one(double_dispense.evaluate(DoubleDispense(), facts)).severity == "S2"


def recalled(*events: Seen, **members: Any) -> list[Draft]:
    recall = Recalled(**{"index": 10, "lot_class": LOT, "effective_ms": 100, "reporter": "m", **members})
    cargo = {event.index: frozenset({LOT}) for event in events}
    facts = ThingFacts("case", events, recalls=(recall,), cargo=cargo).as_of(1_000)
    return list(movement_after_recall.evaluate(MovementAfterRecall(), facts))


def test_moved_after_recall_needs_both_orders() -> None:
    assert one(recalled(seen(11, 101))).evidence == (10, 11)
    assert recalled(seen(11, 100)) == []  # at the moment it took effect
    assert recalled(seen(11, 99)) == []  # before it, reported after it
    assert recalled(seen(9, 101)) == []  # on the log before it


def test_moved_after_recall_by_step() -> None:
    assert one(recalled(seen(11, 200, "shipping"))).code == "movement-after-recall-shipped"
    assert one(recalled(seen(11, 200, "retail_selling"))).code == "movement-after-recall-sold"
    assert recalled(seen(11, 200, "shipping", is_return=True)) == []
    assert recalled(seen(11, 200, "receiving"), seen(12, 300, "destroying"), seen(13, 300, "holding")) == []


def test_recalls_of_other_lots_of_products_and_their_end() -> None:
    assert recalled(seen(11, 200), lot_class="https://id.gs1.org/01/09521000001008/10/L2") == []
    assert one(recalled(seen(11, 200), lot_class="https://id.gs1.org/01/09521000001008")).discriminator == LOT
    assert recalled(seen(11, 200), sets=False) == []
    assert recalled(seen(11, 200), void=((12, None),)) == []


def test_grace_after_recall() -> None:
    recall = Recalled(10, LOT, 100, "m")
    cargo = {11: frozenset({LOT})}
    facts = ThingFacts("case", (seen(11, 60_100),), recalls=(recall,), cargo=cargo).as_of(99)
    assert list(movement_after_recall.evaluate(MovementAfterRecall(grace_s=60), facts)) == []
    assert one(movement_after_recall.evaluate(MovementAfterRecall(grace_s=59), facts))


def test_a_double_dispense_counts_the_time_between() -> None:
    """Also long after 1970; what was received as good, and not as a return, starts nothing anew."""
    for gap_ms, severity in ((600_000, "S4"), (600_001, "S3")):
        draft = one(double_dispense.evaluate(DoubleDispense(), thing(seen(1, DAY), seen(2, DAY + gap_ms))))
        assert (draft.severity, draft.params["minutes"]) == (severity, 10)
    received = seen(2, DAY + 1, "receiving", disposition="in_progress")
    assert list(double_dispense.evaluate(DoubleDispense(), thing(seen(1, DAY), received, seen(3, DAY + 2))))


def test_packs_sold_twice_together_are_one_incident() -> None:
    def incidents(*many: bool) -> set[str]:
        sales = tuple(seen(index, index * DAY, many=flag) for index, flag in enumerate(many, 1))
        found = (double_dispense.evaluate(DoubleDispense(), ThingFacts(epc, sales).as_of(9)) for epc in ("a", "b"))
        return {one(drafts).incident for drafts in found}

    assert (len(incidents(True, True)), len(incidents(True, False)), len(incidents(False, False))) == (1, 2, 2)


def test_packs_moved_together_after_recall_are_one_incident() -> None:
    def incidents(many: bool) -> set[str]:
        recall, moved = Recalled(10, LOT, 100, "m"), seen(11, 200, many=many)
        facts = (ThingFacts(epc, (moved,), recalls=(recall,), cargo={11: frozenset({LOT})}) for epc in ("a", "b"))
        return {one(movement_after_recall.evaluate(MovementAfterRecall(), each.as_of(99))).incident for each in facts}

    assert (len(incidents(True)), len(incidents(False))) == (1, 2)
