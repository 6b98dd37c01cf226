"""Every holder is told of exactly its packs: at once, and those that get packs later as well."""

from collections import Counter
from itertools import count
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.integration.conftest import EXPIRY, GTIN, LOT, House, code, pack
from tests.integration.portal.conftest import CASE, SSCC, act
from tests.integration.visibility.conftest import CONTEXT, LOT_CLASS, Chain
from traceability.capture import selectors as captured
from traceability.capture.models import PublishedEvent
from traceability.common import clock
from traceability.custody import lot_packs, stops
from traceability.gs1.digital_link import lot_class
from traceability.recalls import reach, responses, selectors
from traceability.recalls.models import Notice, NoticeVersion, Recall
from traceability.web.consumer import codes
from traceability.web.consumer.codes import OnPack
from traceability.web.consumer.selectors import look_up
from traceability.web.consumer.verdict import Outcome

from .conftest import later, listed, look, published, told


def test_each_holder_gets_its_packs(stocked: House) -> None:
    published(stocked)
    assert look(stocked) == 2
    assert told() == {"maker": (2, 0), "pharmacy": (5, 1)}
    mine = Notice.objects.get(party="pharmacy")
    assert listed(mine) == {pack(str(n)) for n in range(1, 7)}
    cases = Counter(one.container for one in responses.packs_of(mine).each)
    assert cases == {"": 4, f"https://id.gs1.org/00/{SSCC}": 2}
    assert mine.deliver_by_ms - mine.created_ms == 24 * reach.HOUR_MS
    assert look(stocked) == 0, "nothing has moved"


def test_who_gets_packs_later_is_told_later(stocked: House) -> None:
    """A recall that moves on all the same: the next holder is told, and the one before has nothing left of it."""
    published(stocked)
    look(stocked)
    chain = later(stocked)
    chain.ship("on", "pharmacy", 24, [pack("1"), pack("2")], to="other")
    assert look(stocked) == 2
    assert told() == {"maker": (2, 0), "pharmacy": (3, 1), "other": (2, 0)}
    chain.receive("there", "other", 24 + 1, [pack("1"), pack("2")])
    assert look(stocked) == 1, "on the way to it before, with it now"
    assert listed(Notice.objects.get(party="other")) == {pack("1"), pack("2")}
    assert NoticeVersion.objects.filter(notice__party="other").count() == 2


def test_packs_that_change_places_one_for_one_are_another_notice(stocked: House) -> None:
    """The negative control for a count alone: it stays the same."""
    published(stocked)
    look(stocked)
    before = told()
    chain, hour = later(stocked), 24
    chain.ship("on", "pharmacy", hour, [pack("1")], to="maker")
    chain.receive("back", "maker", hour + 1, [pack("1")])
    chain.ship("out", "maker", hour + 2, [pack("7")], to="pharmacy")
    chain.receive("in", "pharmacy", hour + 3, [pack("7")])
    assert look(stocked) == 2
    assert told() == before
    assert listed(Notice.objects.get(party="pharmacy")) == {pack(n) for n in "234567"}


def test_a_recall_from_a_maker_s_own_system_is_told_too(stocked: House) -> None:
    recalled: dict[str, Any] = {
        "quantityList": [{"epcClass": LOT_CLASS}],
        "persistentDisposition": {"set": ["recalled"]},
    }
    later(stocked).event("recall", "maker", 24, "holding", epcList=None, **recalled)
    assert look(stocked) == 2
    found = Recall.objects.get()
    assert (found.origin, found.owner_id, found.content["class"]) == ("event", "maker", "1")
    assert told() == {"maker": (2, 0), "pharmacy": (5, 1)}
    assert look(stocked) == 0
    assert Recall.objects.count() == 1
    # Nor is the event of a recall that was signed here taken for one more.
    published(stocked, "regulator")
    look(stocked)
    assert Recall.objects.count() == 2


def test_a_lot_whose_number_a_link_escapes_is_found(stocked: House) -> None:
    """And a class of another kind, of which custody knows no packs, keeps nobody else from being told."""
    number, chain = "A/B-7%", later(stocked)
    chain.make("made so", "maker", 6, [pack("91")], ilmd={"cbvmda:lotNumber": number})
    for name, uri in (("odd", "https://example.org/batches/7"), ("recall", lot_class(GTIN, number))):
        recalled: dict[str, Any] = {
            "quantityList": [{"epcClass": uri}],
            "persistentDisposition": {"set": ["recalled"]},
        }
        chain.event(name, "regulator", 24, "holding", epcList=None, **recalled)
    assert look(stocked) == 1
    assert Recall.objects.get().content["lots"] == [{"gtin": GTIN, "lot": number}]
    assert told() == {"maker": (1, 0)}
    look(stocked)
    assert Recall.objects.count() == 1, "not one more at each look"


def test_an_event_without_authority_and_a_drill_by_event_tell_nobody(stocked: House) -> None:
    recalled: dict[str, Any] = {
        "quantityList": [{"epcClass": LOT_CLASS}],
        "persistentDisposition": {"set": ["recalled"]},
    }
    chain = later(stocked)
    chain.event("no right", "other", 24, "holding", epcList=None, **recalled)
    drill = {"@context": [CONTEXT, {"ex": "https://example.org/"}], "ex:drill": True}
    chain.event("practice", "maker", 24, "holding", epcList=None, **recalled, **drill)
    assert look(stocked) == 0
    assert not Recall.objects.exists()


def test_a_drill_tells_everybody_and_a_void_recall_nobody(stocked: House) -> None:
    published(stocked, drill=True)
    look(stocked)
    assert told() == {"maker": (2, 0), "pharmacy": (5, 1)}
    Notice.objects.all().delete()
    Recall.objects.all().delete()
    recall = published(stocked)
    look(stocked)
    assert reach.is_in_force(recall, reach.custody_position())
    body = gather_body(recall)
    declared = {"declarationTime": "2026-06-01T00:00:00.000Z", "reason": "did_not_occur"}
    later(stocked).report("maker", {**body, "errorDeclaration": declared})
    look(stocked)
    assert not reach.is_in_force(recall, reach.custody_position())
    assert told() == {"maker": (0, 0), "pharmacy": (0, 0)}


def gather_body(recall: Recall) -> dict[str, Any]:
    index = PublishedEvent.objects.get(event_id=recall.event_id).index
    return captured.bodies([index])[index]


def test_looks_at_large_lots_are_rarer(stocked: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reach, "REST_NS_A_PACK", 10**12)
    published(stocked)
    reach.run()
    recall = Recall.objects.get()
    assert recall.due_ms > clock.now_ms() + 6 * 10**6
    act(stocked, "pharmacy", "hold", [code("1")], reason="recalled")
    assert reach.run() == 0, "not due yet"
    Recall.objects.update(due_ms=0)
    assert reach.run() == 1


def test_balance_of_a_lot(stocked: House) -> None:
    balance = selectors.balances(published(stocked))[GTIN, LOT]
    assert (balance.commissioned, balance.held, balance.in_transit, balance.dispensed) == (8, 5, 2, 1)


def test_a_whole_product_is_every_lot_also_one_made_later_and_packs_without_a_lot(stocked: House) -> None:
    nameless = pack("nolot")
    later(stocked).event("seen", "pharmacy", 6, "receiving", [nameless], bizLocation={"id": stocked.place("pharmacy")})
    recall = published(stocked, lots=[f"{GTIN} *"])
    assert recall.content["lots"] == [{"gtin": GTIN, "lot": ""}]
    look(stocked)
    before = told()["pharmacy"]
    mine = Notice.objects.select_related("recall").get(party="pharmacy")
    assert nameless in listed(mine)
    assert len(listed(mine)) == sum(before)
    held = [one.epc for one in responses.packs_of(mine).each if one.status != "dispensed"]
    answer = responses.Answer(mine.version, {"set_aside": len(held)})
    assert responses.acknowledge(notice=mine, actor="m-1", answer=answer).packs == len(held)
    chain = Chain(stocked, ids=count(2000))
    ilmd = {"cbvmda:lotNumber": "L2", "cbvmda:itemExpirationDate": EXPIRY.isoformat()}
    chain.make("new", "maker", 30, [pack("new")], ilmd=ilmd, bizLocation={"id": stocked.place("maker")})
    chain.ship("new out", "maker", 31, [pack("new")], to="pharmacy")
    look(stocked)
    assert told()["pharmacy"] == (before[0] + 1, before[1])
    assert stops.lot_status(GTIN, "L2").recalled_index is not None  # type: ignore[union-attr]


def test_a_pack_without_a_lot_is_stopped_by_the_recall_of_its_product(stocked: House) -> None:
    """At the till and on the patient's phone; the recall of a lot does not reach it."""
    where = {"id": stocked.place("pharmacy")}
    later(stocked).event("seen", "pharmacy", 6, "receiving", [pack("nolot")], bizLocation=where)
    ask = {"step": "dispense", "codes": [f"(01){GTIN}(21)nolot"], "place": stocked.place("pharmacy")}

    def told() -> tuple[set[str], Outcome]:
        reasons = stocked.post("pharmacy", "/api/v1/preflight", ask).json()["reasons"]
        answer = look_up(codes.pack(GTIN, "nolot"), OnPack(), now_ms=clock.now_ms())
        return {one["code"] for one in reasons} & {"recalled"}, answer.outcome

    published(stocked)
    assert told() == (set(), Outcome.REGISTERED)
    published(stocked, lots=[f"{GTIN} *"])
    assert told() == ({"recalled"}, Outcome.RECALLED)


@pytest.mark.parametrize("portion", [1, 2, 3])
def test_a_list_read_in_portions_is_the_whole_list(
    stocked: House, monkeypatch: pytest.MonkeyPatch, portion: int
) -> None:
    published(stocked)
    look(stocked)
    for notice in Notice.objects.select_related("recall"):
        whole = [*responses.packs_of(notice).each]
        monkeypatch.setattr(lot_packs, "PORTION", portion)
        found = responses.packs_of(notice)
        assert ([*found.each], found.total) == (whole, len(whole))
        monkeypatch.undo()


def test_a_pack_sold_out_of_a_case_that_nobody_opened_is_listed_once(stocked: House) -> None:
    there = {"id": stocked.place("pharmacy")}
    chain = later(stocked)
    chain.event("case came", "pharmacy", 6, "receiving", [CASE], bizLocation=there)
    chain.event("sold one of it", "pharmacy", 7, "dispensing", [pack("5")], bizLocation=there)
    published(stocked)
    look(stocked)
    mine = Notice.objects.select_related("recall").get(party="pharmacy")
    found = responses.packs_of(mine)
    listed_now = sorted((one.epc, one.container, one.status) for one in found.each)
    assert (pack("5"), "", "dispensed") in listed_now
    assert [epc for epc, _, _ in listed_now] == [pack(n) for n in "123456"]
    assert found.total == 6


def test_a_holder_s_page_reads_no_other_packs(stocked: House) -> None:
    """One query for each thing that it needs to know, however many packs others have of the lot."""
    published(stocked)
    look(stocked)
    notice = Notice.objects.select_related("recall").get(party="pharmacy")
    with CaptureQueriesContext(connection) as queries:
        assert len([*responses.packs_of(notice).each]) == 6
    read = [one["sql"] for one in queries if 'FROM "custody_itemstate"' in one["sql"]]
    assert read
    assert all('"epc"' in sql.partition("WHERE")[2] or '"party"' in sql.partition("WHERE")[2] for sql in read)
