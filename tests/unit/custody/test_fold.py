"""The custody fold: what facts in (event_time, event_id) order make of a thing, a lot, a shipment."""

from dataclasses import replace
from typing import Any

import pytest

from traceability.custody import fold
from traceability.custody.fold import Fact

CASE, PALLET = "https://id.gs1.org/00/395210000001001060", "https://id.gs1.org/00/395210000001002029"


def fact(index: int, step: str, **more: Any) -> Fact:
    """An observation at second `index` by its own reporter and place."""
    plain = {
        "index": index, "time_ms": index * 1000, "event_id": f"e{index:03d}", "role": "epc", "type": "ObjectEvent",
        "action": "OBSERVE", "step": step, "disposition": "", "place": f"place-{index}", "reporter": f"party-{index}",
    }  # fmt: skip
    return Fact(**{**plain, **more})


def made(index: int = 1, **more: Any) -> Fact:
    return fact(index, "commissioning", **{"action": "ADD", "lot": "L1", "expiry": "2030-01-31", **more})


def packed(index: int, parent: str, action: str = "ADD", role: str = "child", **more: Any) -> Fact:
    return fact(index, "packing", type="AggregationEvent", action=action, parent=parent, role=role, **more)


STATUSES = [
    ("active", []),
    ("shipped", [fact(2, "shipping")]),
    ("exported", [fact(2, "shipping", disposition="exported")]),
    ("exported", [fact(2, "shipping", disposition="inactive")]),
    ("active", [fact(2, "shipping", disposition="inactive"), fact(3, "receiving")]),  # it came back
    ("active", [fact(2, "shipping"), fact(3, "receiving")]),
    ("active", [fact(2, "shipping"), fact(3, "void_shipping", reporter="party-2")]),
    ("shipped", [fact(2, "shipping"), fact(3, "void_shipping")]),  # by another, somewhere else
    ("shipped", [fact(2, "shipping"), fact(3, "stocking")]),
    ("dispensed", [fact(2, "dispensing", disposition="dispensed")]),
    ("dispensed", [fact(2, "retail_selling")]),
    ("partially_dispensed", [fact(2, "dispensing", disposition="partially_dispensed")]),
    ("active", [fact(2, "dispensing"), fact(3, "receiving", disposition="returned")]),
    ("sampled", [fact(2, "sampling")]),
    ("destroyed", [fact(2, "destroying", action="DELETE", disposition="destroyed")]),
    ("decommissioned", [fact(2, "other", action="DELETE")]),
    ("decommissioned", [fact(2, "repackaging", type="TransformationEvent", action="", role="input")]),
    ("destroyed", [fact(2, "destroying"), fact(3, "shipping")]),  # gone is the safe answer
    ("stolen", [fact(2, "other", persistent_set=frozenset({"stolen"}))]),
    ("stolen", [fact(2, "other", persistent_set=frozenset({"stolen"})), fact(3, "receiving")]),
    (
        "active",
        [
            fact(2, "other", persistent_set=frozenset({"stolen"})),
            fact(3, "inspecting", persistent_unset=frozenset({"stolen"})),
        ],
    ),
]


@pytest.mark.parametrize(("status", "facts"), STATUSES)
def test_the_status_follows_from_the_facts(status: str, facts: list[Fact]) -> None:
    assert fold.item([made(), *facts]).status == status


def test_a_shipment_called_back_after_receipt_leaves_the_goods_where_they_arrived() -> None:
    late = fact(4, "void_shipping", reporter="party-2", place="place-2")
    state = fold.item([made(), fact(2, "shipping"), fact(3, "receiving"), late])
    assert (state.status, state.place, state.party, state.last_index) == ("active", "place-3", "party-3", 3)
    sent_on = [fact(4, "shipping", reporter="party-3", place="place-3"), replace(late, index=5, time_ms=5)]
    state = fold.item([made(), fact(2, "shipping"), fact(3, "receiving"), *sent_on])
    assert (state.status, state.party) == ("shipped", "party-3"), (
        "what the receiver has sent on is not the first sender's"
    )


def test_a_read_out_logger_moves_nothing() -> None:
    state = fold.item([made(), fact(2, "shipping"), fact(3, "sensor_reporting")])
    assert (state.place, state.party, state.last_index) == ("place-2", "party-2", 2)


@pytest.mark.parametrize(
    "blocking",
    [
        fact(2, "holding"),
        fact(2, "receiving", disposition="returned"),  # a return is looked at before it is sold again
        fact(2, "inspecting", disposition="damaged"),
        fact(2, "holding", disposition="no_pedigree_match"),
    ],
)
def test_a_hold_lasts_until_someone_inspects(blocking: Fact) -> None:
    held = [made(), blocking, fact(3, "stocking", disposition="sellable_accessible")]
    assert fold.item(held).held_index == 2
    assert fold.item([*held, fact(4, "inspecting", disposition="conformant")]).held_index is None


def test_lot_and_expiry_come_from_the_first_to_say_them() -> None:
    opening = fact(5, "stock_taking", is_opening=True, lot="read-off", expiry="2031-01-31")
    alone = fold.item([opening])
    assert (alone.lot, alone.commissioned_index, alone.known_since_ms) == ("read-off", None, 5000)
    late = fold.item([made(1), opening])  # the maker's own record came later and happened earlier
    assert (late.lot, late.expiry, late.commissioned_index, late.known_since_ms) == ("L1", "2030-01-31", 1, 1000)


def test_opening_stock_is_an_arrival_and_a_plain_stock_taking_is_none() -> None:
    shipped = [made(), fact(2, "shipping")]
    assert fold.item([*shipped, fact(3, "stock_taking", is_opening=True)]).status == "active"
    assert fold.item([*shipped, fact(3, "stock_taking")]).status == "shipped"


def test_what_is_transformed_takes_no_lot_of_the_outcome() -> None:
    output = {"type": "TransformationEvent", "action": "", "lot": "NEW"}
    assert fold.item([made(), fact(2, "repackaging", role="input", **output)]).lot == "L1"
    outcome = fold.item([fact(2, "repackaging", role="output", **output)])
    assert (outcome.lot, outcome.commissioned_index, outcome.status) == ("NEW", 2, "active")


def test_stays_open_and_end() -> None:
    facts = [packed(2, CASE), packed(3, CASE), packed(5, CASE, "DELETE"), packed(7, PALLET)]
    assert fold.stays(facts) == [fold.Stay(CASE, 2000, 2, 5000, 5), fold.Stay(PALLET, 7000, 7)]


def test_packed_elsewhere_it_has_left_the_case() -> None:
    assert fold.stays([packed(2, CASE), packed(3, PALLET)])[0].to_ms == 3000


def test_neither_another_containers_unpacking_nor_a_transaction_ends_a_stay() -> None:
    facts = [packed(2, CASE), packed(3, PALLET, "DELETE"), replace(packed(4, CASE, "DELETE"), type="TransactionEvent")]
    assert fold.stays(facts) == [fold.Stay(CASE, 2000, 2)]


def test_emptying_the_container_moves_what_was_in_it_then() -> None:
    inside = [made(), packed(2, CASE), packed(4, CASE, "DELETE", "emptied")]
    assert fold.item(fold.own(inside)).place == "place-4"
    left = [made(), packed(2, CASE), packed(3, CASE, "DELETE"), packed(4, CASE, "DELETE", "emptied")]
    assert fold.item(fold.own(left)).place == "place-3"


def test_in_and_out_and_in_within_a_millisecond_is_one_stay() -> None:
    same = [
        replace(packed(index, CASE, action), time_ms=1) for index, action in ((2, "ADD"), (3, "DELETE"), (4, "ADD"))
    ]
    assert fold.stays(same) == [fold.Stay(CASE, 1, 4)]


def legs(*pairs: tuple[str, str]) -> fold.Trip:
    return fold.trip([(fact(index, step), frozenset(epcs.split())) for index, (step, epcs) in enumerate(pairs)])


@pytest.mark.parametrize(
    ("status", "pairs"),
    [
        ("open", [("shipping", "a b")]),
        ("partial", [("shipping", "a b"), ("receiving", "a")]),
        ("received", [("shipping", "a b"), ("receiving", "a"), ("receiving", "b")]),
        ("void", [("shipping", "a b"), ("void_shipping", "a b")]),
        ("void", [("shipping", "a b"), ("void_shipping", "")]),
        ("open", [("shipping", "a b"), ("void_shipping", "a")]),
        ("open", [("shipping", "a"), ("void_shipping", "a"), ("shipping", "b")]),
        ("received", [("receiving", "a"), ("shipping", "a")]),
    ],
)
def test_a_shipment_is_what_its_legs_say(status: str, pairs: list[tuple[str, str]]) -> None:
    assert legs(*pairs).status == status


def test_calling_back_a_part_leaves_the_rest() -> None:
    assert legs(("shipping", "a b"), ("void_shipping", "a")).despatched == {"b"}
    assert legs(("shipping", "a"), ("void_shipping", "a"), ("shipping", "b")).despatched == {"b"}


def lot_fact(index: int, what: str, authority: str) -> Fact:
    more: dict[str, dict[str, Any]] = {
        "recall": {"persistent_set": frozenset({"recalled"})},
        "end": {"persistent_unset": frozenset({"recalled"})},
        "hold": {},
        "release": {"disposition": "conformant"},
    }
    return fact(index, "inspecting" if what == "release" else "holding", authority=authority, **more[what])


@pytest.mark.parametrize(
    ("recalled", "held", "frozen", "story"),
    [
        (1, None, None, [("recall", "maker")]),
        (None, None, None, [("recall", "")]),  # nobody's recall
        (None, None, None, [("hold", "")]),  # a holder's word on its own goods is not the lot's
        (None, None, None, [("recall", "maker"), ("end", "maker")]),
        (None, None, None, [("recall", "maker"), ("end", "regulator")]),
        (1, None, None, [("recall", "regulator"), ("end", "maker")]),
        (None, None, 1, [("hold", "regulator"), ("release", "maker")]),
        (None, None, 1, [("hold", "regulator"), ("hold", "maker"), ("release", "maker")]),
        (None, 1, None, [("hold", "maker"), ("hold", "regulator"), ("release", "regulator")]),  # the maker's own stays
        (None, None, None, [("hold", "regulator"), ("release", "regulator")]),
        (None, None, None, [("hold", "maker"), ("release", "regulator")]),
        (None, None, None, [("hold", "maker"), ("release", "maker")]),
    ],
)
def test_only_who_has_a_say_over_a_lot_is_heard(
    recalled: int | None, held: int | None, frozen: int | None, story: list[tuple[str, str]]
) -> None:
    state = fold.lot([lot_fact(index, what, who) for index, (what, who) in enumerate(story, 1)])
    assert (state.recalled_index, state.held_index, state.frozen_index) == (recalled, held, frozen)


def test_a_place_is_frozen_by_a_regulator_only() -> None:
    freeze, lift = lot_fact(1, "hold", "regulator"), lot_fact(2, "release", "regulator")
    assert fold.place([freeze]).frozen_index == 1
    assert fold.place([freeze, lift]).frozen_index is None
    assert fold.place([freeze, lot_fact(2, "release", ""), lot_fact(3, "release", "maker")]).frozen_index == 1
    assert fold.place([lot_fact(1, "hold", "")]).frozen_index is None


def test_where_it_goes_is_said_while_it_travels_only() -> None:
    shipped = fact(2, "shipping", destination="urn:x:to")
    assert fold.item([made(), shipped]).destination == "urn:x:to"
    assert fold.item([made(), shipped, fact(3, "receiving", destination="urn:x:other")]).destination == ""


@pytest.mark.parametrize(
    ("index", "voided_by", "as_of", "counts"),
    [
        (5, None, None, True),
        (5, 9, None, False),
        (5, None, 4, False),
        (5, None, 5, True),
        (5, 9, 8, True),
        (5, 9, 9, False),
        (9, 5, 9, False),  # declared void before it came
        (9, 5, 5, False),
    ],
)
def test_a_fact_counts_from_its_entry_until_it_is_void(
    index: int, voided_by: int | None, as_of: int | None, counts: bool
) -> None:
    assert fact(index, "storing", void=() if voided_by is None else ((voided_by, None),)).counts(as_of) is counts


def test_a_despatch_that_names_nobody_leaves_the_receiver_as_named_before() -> None:
    first = fact(2, "shipping", destination="urn:x:to"), frozenset({"a"})
    rest = fact(3, "shipping"), frozenset({"b"})
    other = fact(4, "shipping", destination="urn:x:else"), frozenset({"c"})
    assert fold.trip([first, rest]).receiver == "urn:x:to"
    assert fold.trip([first, rest, other]).receiver == "urn:x:else"
