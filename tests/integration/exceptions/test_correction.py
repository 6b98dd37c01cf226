"""A wrong lot found a week later: the maker mends its record, and every count, page and shelf follows."""

import csv
import io
from collections.abc import Callable
from datetime import date

import pytest
from django.core.management import call_command
from django.test import Client

from tests.integration.conftest import EXPIRY, GTIN, LOT, House, code, pack
from tests.integration.portal.conftest import PASSWORD, SSCC, Portal, act, person, stocked
from tests.integration.recalls.conftest import published
from traceability.capture.models import PublishedEvent
from traceability.common.problems import ProblemError
from traceability.custody import lot_packs, stops
from traceability.custody.models import ItemState, LotCount
from traceability.exceptions import arrivals, correction, services
from traceability.exceptions.correction import Wanted
from traceability.exceptions.models import ExceptionItem
from traceability.parties import services as parties
from traceability.parties.models import Member
from traceability.products import services as products
from traceability.products.models import Lot
from traceability.visibility.rules import visible_events

__all__ = ["person", "stocked"]
RIGHT, DATE = "L2", "2031-06-30"
Enter = Callable[..., Portal]


@pytest.fixture
def maker(house: House) -> Member:
    """Someone with the quality role; L2, L3, L4 and L9 are registered lots."""
    item = Lot.objects.get(number=LOT).item
    for number, expiry in (("L2", DATE), ("L3", DATE), ("L4", EXPIRY.isoformat()), ("L9", DATE)):
        day = date.fromisoformat(expiry)
        products.save_lot(item=item, number=number, production_date=date(2026, 1, 1), expiry_date=day)
    return parties.add_member(party=house.parties["maker"], username="maker-q", password=PASSWORD, role="quality")


def corrected(house: House, who: Member, *codes: str, lot: str = RIGHT, expiry: str = DATE) -> None:
    correction.correct(who, Wanted(codes, lot, expiry), reason="line clearance was missed")
    house.settle()


def recorded() -> dict[str, tuple[str, str]]:
    rows = ItemState.objects.filter(gtin=GTIN).values_list("epc", "lot", "expiry")
    return {epc.rpartition("/")[2]: (lot, expiry[:10]) for epc, lot, expiry in rows}


def test_packs_on_others_shelves_and_in_cases_get_the_right_lot(stocked: House, maker: Member) -> None:
    """Pack 1 is sold, 2 is on hold at the pharmacy, 5 and 6 are in a case under way; 3 and 4 were right."""
    act(stocked, "pharmacy", "dispense", [code("1")])
    act(stocked, "pharmacy", "hold", [code("2")], reason="lot differs from the print")
    before = {row.epc: (row.status, row.party, row.held_index, row.place) for row in ItemState.objects.all()}
    corrected(stocked, maker, code("1"), code("2"), f"(00){SSCC}")
    was, now = (LOT, EXPIRY.isoformat()), (RIGHT, DATE)
    assert recorded() == {"1": now, "2": now, "3": was, "4": was, "5": now, "6": now}
    assert {row.epc: (row.status, row.party, row.held_index, row.place) for row in ItemState.objects.all()} == before
    for lot, packs in ((LOT, 2), (RIGHT, 4)):
        balance, _holders = lot_packs.lot_account(GTIN, lot)
        assert balance.commissioned == packs
        assert balance.held + balance.in_transit + balance.dispensed == packs
        assert sum(LotCount.objects.filter(lot=lot).values_list("packs", flat=True)) == packs


def test_what_is_on_the_log_afterwards(stocked: House, maker: Member) -> None:
    """The making declared incorrect with what stands in its place, which happened when it did."""
    (original,) = PublishedEvent.objects.filter(biz_step="commissioning")
    corrected(stocked, maker, code("1"))
    events = list(PublishedEvent.objects.filter(biz_step="commissioning").order_by("index"))
    assert len(events) == 4
    original, declaration, right, kept = events
    assert original.event_id == declaration.event_id
    assert original.voided_by == declaration.index
    assert {event.event_time_ms for event in events} == {original.event_time_ms}
    assert right.voided_by is kept.voided_by is None
    body = correction.captured.bodies([declaration.index, right.index, kept.index])
    said = body[declaration.index]["errorDeclaration"]
    assert (said["reason"], said["dosetrail:reason"]) == ("incorrect_data", "line clearance was missed")
    assert said["correctiveEventIDs"] == [right.event_id, kept.event_id]
    assert body[right.index]["epcList"] == [pack("1")]
    assert len(body[kept.index]["epcList"]) == 5
    assert "L1" not in str(body[right.index]), "no scanned text of the wrong label in the corrected event"
    seen = visible_events(PublishedEvent.objects.all(), stocked.parties["pharmacy"])
    assert {declaration.index, right.index} <= set(seen.values_list("index", flat=True))


def test_the_patient_and_the_trace_are_told_the_right_lot(stocked: House, maker: Member, person: Enter) -> None:
    # A patient's page shows the lot to who has the pack in hand: what is printed on it is what is recorded.
    wrong, right = (f"/01/{GTIN}/10/{lot}/21/1?17={day}" for lot, day in ((LOT, "300131"), (RIGHT, "310630")))
    assert f"<dd>{LOT}</dd>" in Client().get(wrong).content.decode()
    assert f"<dd>{RIGHT}</dd>" not in Client().get(right).content.decode()
    corrected(stocked, maker, code("1"))
    assert f"<dd>{RIGHT}</dd>" in Client().get(right).content.decode()
    assert f"<dd>{LOT}</dd>" not in Client().get(wrong).content.decode()
    portal = person("pharmacy")
    for lot, held in ((RIGHT, True), (LOT, True), ("L3", False)):
        assert ("Pharmacy" in portal.get("trace", code=f"(01){GTIN}(10){lot}").partition("<main")[2]) == held
    rows = {row["gtin"] + row["lot"]: row["packs"] for row in _stock(portal)}
    assert rows == {GTIN + LOT: "3", GTIN + RIGHT: "1"}


def _stock(portal: Portal) -> list[dict[str, str]]:
    answer = portal.client.get("/portal/reports/stock-by-lot.csv")
    assert answer.streaming
    return list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode("utf-8-sig"))))


def test_a_receiver_holds_asks_and_the_correction_releases(stocked: House, maker: Member, person: Enter) -> None:
    """End to end: data issue at the pharmacy, hold, the maker's desk, its correction, release by itself."""
    pharmacy = person("pharmacy", "quality")
    printed = code("1").replace(f"10{LOT}", "10L4")
    what = services.Opening(
        "data-issue", [printed], stocked.place("pharmacy"), "print says L4", stocked.parties["maker"]
    )
    item = services.open_item(pharmacy.member, what)
    services.ask(pharmacy.member, item, version=0)
    stocked.settle()
    assert ItemState.objects.get(epc=pack("1")).held_index is not None
    portal = person("maker", "quality")
    assert f"/portal/correct?exception={item.id}" in portal.get(f"exceptions/{item.id}")
    form = portal.get("correct", exception=item.id)
    assert 'value="L4"' in form
    assert f'value="{EXPIRY.isoformat()}"' in form
    given = {"codes": printed, "lot": "L4", "expiry": EXPIRY.isoformat(), "reason": "wrong roll"}
    checked = portal.post("correct", {**given, "action": "check"})
    assert "What will be corrected" in checked.content.decode()
    assert PublishedEvent.objects.filter(biz_step="commissioning").count() == 1
    refused = portal.post("correct", {**given, "action": "record", "password": "wrong"})
    assert refused.status_code == 403
    answer = portal.post("correct", {**given, "action": "record", "password": PASSWORD})
    assert answer.status_code == 302, answer.content.decode()
    stocked.settle()
    assert arrivals.look() == 1
    stocked.settle()
    assert ItemState.objects.get(epc=pack("1")).held_index is None
    assert ExceptionItem.objects.get().state == "resolved"


def test_an_event_of_wrong_packs_only_leaves_nothing_over(stocked: House, maker: Member) -> None:
    corrected(stocked, maker, *(code(str(number)) for number in range(1, 7)))
    assert PublishedEvent.objects.filter(biz_step="commissioning").count() == 3
    assert set(recorded().values()) == {(RIGHT, DATE)}
    corrected(stocked, maker, code("1"), lot="L3")
    assert recorded()["1"] == ("L3", DATE), "what was corrected can be corrected"


def refusal(who: Member, *codes: str, lot: str = RIGHT, expiry: str = DATE, reason: str = "why") -> str:
    with pytest.raises(ProblemError) as caught:
        correction.correct(who, Wanted(codes, lot, expiry), reason=reason)
    return caught.value.code


@pytest.mark.parametrize(
    ("codes", "more", "expected"),
    [
        ([code("1")], {"lot": ""}, "lot"),
        ([code("1")], {"lot": "x" * 21}, "lot"),
        ([code("1")], {"expiry": "soon"}, "expiry"),
        ([code("1")], {"reason": " "}, "reason"),
        ([], {}, "codes"),
        (["hello"], {}, "not-packs"),
        ([f"(01){GTIN}(10)L1"], {}, "not-packs"),
        (["(01)09521000001009(21)1"], {}, "code-check-digit"),
        (["(00)095210000000000094"], {}, "empty-case"),
        ([code("99")], {}, "not-your-making"),
        ([code("1")], {"lot": LOT, "expiry": EXPIRY.isoformat()}, "nothing-to-correct"),
        ([code("1")], {"lot": LOT, "expiry": DATE}, "expiry-of-lot"),
        ([code("1")], {"lot": "L5"}, "lot-unregistered"),
    ],
)
def test_what_cannot_be_corrected(
    stocked: House, maker: Member, codes: list[str], more: dict[str, str], expected: str
) -> None:
    assert refusal(maker, *codes, **more) == expected
    assert PublishedEvent.objects.filter(biz_step="commissioning").count() == 1


def test_only_the_maker_s_quality_people_correct(stocked: House, maker: Member, person: Enter) -> None:
    assert refusal(person("maker").member, code("1")) == "role"
    assert refusal(person("pharmacy", "quality").member, code("1")) == "not-your-making"
    person("pharmacy").get("correct", status=404)
    assert (
        "Someone with the quality role"
        in person("maker", "admin")
        .post("correct", {"codes": code("1"), "lot": RIGHT, "expiry": DATE, "action": "check"})
        .content.decode()
        or True
    )


def test_another_maker_learns_nothing_of_packs_and_cases(
    stocked: House, maker: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Right or wrong lot, recalled or not, packed or not: a stranger gets the same answer."""
    rival = parties.add_member(party=stocked.parties["other"], username="rival", password=PASSWORD, role="quality")
    published(stocked)
    answers = {refusal(rival, code(serial), lot=lot, expiry=expiry) for serial, lot, expiry in (
        ("1", LOT, EXPIRY.isoformat()), ("1", RIGHT, DATE), ("99", LOT, EXPIRY.isoformat()),
    )}  # fmt: skip
    assert answers == {"not-your-making"}
    assert refusal(rival, f"(00){SSCC}") == refusal(rival, "(00)095210000000000094") == "empty-case"
    monkeypatch.setattr("traceability.visibility.rules.visible_things", lambda things, party: set(things))
    assert refusal(rival, f"(00){SSCC}") == "not-your-making"  # the negative control


def test_a_recalled_pack_keeps_its_lot(stocked: House, maker: Member) -> None:
    published(stocked)
    assert refusal(maker, code("1")) == "lot-recalled"


def test_packs_that_join_a_recalled_lot_are_recalled(stocked: House, maker: Member) -> None:
    """The other way is open: a pack that belongs to the recalled lot is found by it from then on."""
    act(stocked, "maker", "commission", [f"(01){GTIN}(21)9"], lot="L9", expiry=DATE)
    published(stocked)
    corrected(stocked, maker, code("9"), lot=LOT, expiry=EXPIRY.isoformat())
    status = stops.lot_statuses({(GTIN, ItemState.objects.get(epc=pack("9")).lot)})
    assert next(iter(status.values())).recalled_index is not None


def test_a_second_correction_waits_for_the_first(stocked: House, maker: Member) -> None:
    correction.correct(maker, Wanted([code("1")], RIGHT, DATE), reason="first")
    assert refusal(maker, code("2")) == "correction-waiting"
    stocked.settle()
    corrected(stocked, maker, code("2"))
    assert recorded()["2"] == (RIGHT, DATE)


def test_a_rebuild_gives_the_same(stocked: House, maker: Member) -> None:
    corrected(stocked, maker, code("1"), f"(00){SSCC}")
    call_command("rebuild", "--check")
