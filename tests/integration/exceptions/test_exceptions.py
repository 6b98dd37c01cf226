"""An exception from its opening to its end: on hold until the data arrives, or until a person decides."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from ledger import api as ledger
from tests.integration.conftest import EXPIRY, LOT, House, code, pack
from tests.integration.portal.conftest import PASSWORD, act, person, stocked
from traceability.capture.models import PublishedEvent
from traceability.common import projection
from traceability.common.clock import now_ms
from traceability.common.problems import ProblemError
from traceability.custody.models import ItemState
from traceability.exceptions import arrivals, selectors, services
from traceability.exceptions.models import ExceptionGoods, ExceptionItem
from traceability.parties import services as parties
from traceability.parties.models import Member
from traceability.scans import services as scans

__all__ = ["person", "stocked"]


@pytest.fixture
def member(house: House) -> Callable[..., Member]:
    def add(party: str, role: str = "quality") -> Member:
        return parties.add_member(
            party=house.parties[party], username=f"{party}-{role}-x", password=PASSWORD, role=role
        )

    return add


def opened(house: House, who: Member, codes: list[str], **more: Any) -> ExceptionItem:
    partner = house.parties[more.pop("partner", "maker")]
    told = {"kind": "product-no-data", "note": "no file came", "nonce": "n", **more}
    what = services.Opening(codes=codes, place=house.place(who.party_id), partner=partner, **told)
    item = services.open_item(who, what)
    house.settle()
    item.refresh_from_db()
    return item


def held(serial: str) -> bool:
    return ItemState.objects.get(epc=pack(serial)).held_index is not None


def events(step: str) -> int:
    return PublishedEvent.objects.filter(biz_step=step).count()


def unknown_goods(house: House, who: Member, **more: Any) -> ExceptionItem:
    """A pack arrives of which nothing is recorded."""
    return opened(house, who, [code("77")], **more)


def test_goods_without_data_are_held_and_released_when_the_file_arrives(stocked: House, member: Any) -> None:
    item = unknown_goods(stocked, member("pharmacy", "operator"))
    assert held("77")
    assert item.waits
    assert item.due_ms - item.opened_ms == 72 * 3_600_000
    assert arrivals.look() == 0
    verdict = scans.preflight(
        party=stocked.parties["pharmacy"], step="dispense", codes=[code("77")], place=stocked.place("pharmacy")
    )
    assert "held" in {one.code for one in verdict.reasons}
    act(stocked, "pharmacy", "receive", [code("77")])
    # The file tells of what was before: its events are older than the receipt and the hold.
    late(stocked)
    assert arrivals.look() == 1
    stocked.settle()
    assert not held("77")
    item.refresh_from_db()
    assert (item.state, item.waits) == ("resolved", False)
    step = item.steps.last()
    assert (step.actor, len(step.event_ids)) == ("", 1)
    assert arrivals.look() == 0


def late(house: House) -> None:
    """The maker's file: the making and the despatch of the pack, an hour ago."""
    gln = {name: house.parties[name].identifiers.get(scheme="gln").value for name in ("maker", "pharmacy")}
    place, before = house.place("maker"), now_ms() - 3_600_000
    base = {
        "type": "ObjectEvent", "eventTimeZoneOffset": "+08:00", "epcList": [pack("77")],
        "readPoint": {"id": place}, "bizLocation": {"id": place},
    }  # fmt: skip
    made = base | {
        "eventTime": _iso(before), "action": "ADD",
        "bizStep": "commissioning", "disposition": "active",
        "ilmd": {"cbvmda:lotNumber": LOT, "cbvmda:itemExpirationDate": EXPIRY.isoformat()},
    }  # fmt: skip
    sent = base | {
        "eventTime": _iso(before + 60_000), "action": "OBSERVE", "bizStep": "shipping", "disposition": "in_transit",
        "sourceList": [{"type": "owning_party", "source": f"https://id.gs1.org/417/{gln['maker']}"}],
        "destinationList": [{"type": "owning_party", "destination": f"https://id.gs1.org/417/{gln['pharmacy']}"}],
    }  # fmt: skip
    answer = house.capture("maker", made, sent)
    assert answer.status_code in {200, 201, 202}, answer.content
    house.settle()


def _iso(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def test_a_despatch_to_another_releases_nothing(stocked: House, member: Any) -> None:
    unknown_goods(stocked, member("pharmacy"))
    act(stocked, "maker", "commission", [code("78")], lot=LOT, expiry=EXPIRY.isoformat())
    act(stocked, "maker", "ship", [code("78")], receiver="pharmacy")
    assert arrivals.look() == 0
    assert held("77")


def test_missing_goods_are_not_held_and_their_arrival_resolves_it(stocked: House, member: Any) -> None:
    item = opened(stocked, member("pharmacy"), [code("5")], kind="data-no-product", despatch="DA2")
    assert events("holding") == 0
    assert arrivals.look() == 0
    act(stocked, "pharmacy", "receive", [code("5")], despatch="DA2")
    assert arrivals.look() == 1
    item.refresh_from_db()
    assert item.state == "resolved"
    assert events("inspecting") == 0


def test_a_hold_of_one_s_own_is_not_lifted(stocked: House, member: Any) -> None:
    act(stocked, "pharmacy", "hold", [code("1")], reason="smells odd")
    who = member("pharmacy")
    item = opened(stocked, who, [code("1"), code("2")], kind="packaging")
    assert events("holding") == 2
    services.resolve(who, item, comment="box taped", release=True, version=item.version)
    stocked.settle()
    assert held("1"), "it was on hold before"
    assert not held("2")


def test_a_hold_that_came_after_is_not_lifted(stocked: House, member: Any) -> None:
    who = member("pharmacy")
    item = opened(stocked, who, [code("1")], kind="packaging")
    act(stocked, "pharmacy", "hold", [code("1")], reason="cold chain")
    services.resolve(who, item, comment="box taped", release=True, version=item.version)
    stocked.settle()
    assert held("1")
    assert events("inspecting") == 0


def test_resolved_without_release_they_stay_on_hold(stocked: House, member: Any) -> None:
    who = member("pharmacy")
    item = opened(stocked, who, [code("1")], kind="packaging")
    services.resolve(who, item, comment="goes back", release=False, version=item.version)
    stocked.settle()
    assert held("1")
    again = opened(stocked, who, [code("1")], kind="unavailable", nonce="m")
    assert again.id != item.id


def test_a_recall_meanwhile_keeps_the_hold_and_the_exception(stocked: House, member: Any, monkeypatch: Any) -> None:
    who = member("pharmacy")
    item = opened(stocked, who, [code("1")], kind="packaging")

    def stopped(**_: Any) -> None:
        raise ProblemError(409, "preflight-stop", "recalled")

    monkeypatch.setattr(scans, "record", stopped)
    with pytest.raises(ProblemError, match="preflight-stop"):
        services.resolve(who, item, comment="fine", release=True, version=item.version)
    item.refresh_from_db()
    assert (item.state, item.version, item.steps.count()) == ("open", 0, 1)
    ExceptionItem.objects.update(kind="data-no-product", waits=True)
    assert arrivals.look() == 0
    item.refresh_from_db()
    assert item.state == "open", "looked at again when the log goes on"


def test_one_thing_is_in_one_open_exception(stocked: House, member: Any) -> None:
    who = member("pharmacy")
    opened(stocked, who, [code("1")], kind="packaging")
    with pytest.raises(ProblemError, match="exception-open"):
        opened(stocked, who, [code("1"), code("2")], kind="data-issue", nonce="m")
    assert not held("2"), "nothing is half stored"
    assert ExceptionItem.objects.count() == 1


def test_the_same_form_twice_is_one_exception(stocked: House, member: Any) -> None:
    who = member("pharmacy")
    first = opened(stocked, who, [code("1")], kind="packaging")
    assert opened(stocked, who, [code("1")], kind="packaging") == first
    assert events("holding") == 1


@pytest.mark.parametrize(
    ("more", "codes", "fault"),
    [
        ({"kind": "nonsense"}, [code("1")], "kind"),
        ({"note": " "}, [code("1")], "comment"),
        ({"note": "x" * 501}, [code("1")], "comment"),
        ({}, ["(01)09521000001008(10)L1"], "not-things"),
        ({}, ["hello"], "not-things"),
        ({}, [], "codes"),
    ],
)
def test_bad_input_opens_nothing(stocked: House, member: Any, more: Any, codes: list[str], fault: str) -> None:
    with pytest.raises(ProblemError) as caught:
        opened(stocked, member("pharmacy"), codes, **more)
    assert caught.value.code == fault
    assert not ExceptionItem.objects.exists()


def test_goods_at_another_s_place_are_received_first(stocked: House, member: Any) -> None:
    act(stocked, "maker", "commission", [code("9")], lot=LOT, expiry=EXPIRY.isoformat())
    operator = member("pharmacy", "operator")
    with pytest.raises(ProblemError, match="preflight-stop"):
        opened(stocked, operator, [code("9")])
    assert not ExceptionItem.objects.exists()
    act(stocked, "pharmacy", "receive", [code("9")])
    assert opened(stocked, operator, [code("9")]).waits


def test_wrong_data_corrected_by_the_maker_is_resolved(stocked: House, member: Any) -> None:
    printed = code("1").replace("10L1", "10L2")
    item = opened(stocked, member("pharmacy"), [printed], kind="data-issue")
    assert item.waits
    assert held("1")
    assert arrivals.look() == 0
    ItemState.objects.filter(epc=pack("1")).update(lot="L2")  # as the corrected event leaves it
    act(stocked, "pharmacy", "stock", [code("2")])
    assert arrivals.look() == 1
    stocked.settle()
    assert not held("1")


def test_the_same_form_sent_twice_at_one_moment_is_one_exception(
    stocked: House, member: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first is opened while the second looks whether its goods are free. Another form is the negative control."""
    who, look, first = member("pharmacy"), ExceptionGoods.objects.filter, []

    def late(**asked: Any) -> Any:
        monkeypatch.setattr(ExceptionGoods.objects, "filter", look)
        first.append(opened(stocked, who, [code("1")], kind="packaging"))
        return look(**asked)

    monkeypatch.setattr(ExceptionGoods.objects, "filter", late)
    assert opened(stocked, who, [code("1")], kind="packaging") == first[0]
    with pytest.raises(ProblemError, match="exception-open"):
        opened(stocked, who, [code("1")], kind="packaging", nonce="m")
    assert (ExceptionItem.objects.count(), events("holding")) == (1, 1)


def test_a_form_sent_again_with_other_goods_is_another_exception(stocked: House, member: Any) -> None:
    """As from a page that one went back to: its goods are put on hold too."""
    who = member("pharmacy")
    items = {opened(stocked, who, [code(serial)], kind="packaging").id for serial in ("1", "1", "2")}
    assert (len(items), held("1"), held("2")) == (2, True, True)


@pytest.mark.parametrize("act", ["ask", "answer", "escalate", "resolve"])
def test_the_same_act_sent_twice_is_taken_once(stocked: House, member: Any, act: str) -> None:
    """Of the same version, by the same person, with the same words; all else is another's doing, or another act."""
    who, other = member("pharmacy"), member("pharmacy", "admin")
    item = opened(stocked, who, [code("1")], kind="packaging", partner="other")
    services.ask(who, item, version=0)
    if act == "answer":
        who, other = member("other"), member("other", "admin")
    said: dict[str, Any] = {} if act == "ask" else {"comment": "look"}
    more = {"release": True} if act == "resolve" else {}
    for _ in range(2):
        services.__dict__[act](who, ExceptionItem.objects.get(), version=1, **said, **more)
    assert (ExceptionItem.objects.get().version, item.steps.count()) == (2, 3)
    others = [(other, 1, said), (who, 0, said), *([(who, 1, {"comment": "again"})] if said else [])]
    for one, version, words in others:
        with pytest.raises(ProblemError, match="changed-meanwhile"):
            services.__dict__[act](one, ExceptionItem.objects.get(), version=version, **words, **more)
    stocked.settle()
    assert events("inspecting") == (act == "resolve")


def test_no_release_before_custody_knows_of_the_hold(stocked: House, member: Any) -> None:
    """The events are indexed before custody is folded: in between goods would stay on hold that came a moment late."""
    who = member("pharmacy")
    what = services.Opening("packaging", [code("1")], stocked.place("pharmacy"), "wet", nonce="n")
    item = services.open_item(who, what)
    while ledger.sequence_once():
        pass
    for whole in projection.all_projections()[:2]:
        projection.advance(whole)
    assert PublishedEvent.objects.filter(biz_step="holding").exists()
    with pytest.raises(ProblemError, match="hold-waiting"):
        services.resolve(who, item, comment="fine", release=True, version=0)
    stocked.settle()
    services.resolve(who, item, comment="fine", release=True, version=0)
    stocked.settle()
    assert not held("1")


def test_who_may_do_what(stocked: House, member: Any) -> None:
    operator, quality, stranger = member("pharmacy", "operator"), member("pharmacy"), member("other")
    item = opened(stocked, operator, [code("1")], kind="packaging")
    with pytest.raises(ProblemError, match="role"):
        services.resolve(operator, item, comment="fine", release=True, version=0)
    with pytest.raises(ProblemError, match="changed-meanwhile"):
        services.escalate(stranger, item, comment="mine", version=0)
    services.ask(operator, item, version=0)
    with pytest.raises(ProblemError, match="changed-meanwhile"):
        services.escalate(quality, item, comment="late", version=0)
    services.escalate(quality, item, comment="no answer", version=1)
    services.ask(operator, item, version=2)
    item.refresh_from_db()
    assert item.state == "escalated", "asking once more does not take it back from the regulator"


def test_who_sees_what(stocked: House, member: Any) -> None:
    maker, other, regulator = (stocked.parties[name] for name in ("maker", "other", "regulator"))
    who = member("pharmacy")
    item = opened(stocked, who, [code("1")], kind="packaging")
    seen = [selectors.find(item.id, party=one) is not None for one in (who.party, maker, other, regulator)]
    assert seen == [True, False, False, False]
    services.ask(who, item, version=0)
    services.escalate(who, item, comment="no answer", version=1)
    seen = [selectors.find(item.id, party=one) is not None for one in (who.party, maker, other, regulator)]
    assert seen == [True, True, False, True]
    assert list(selectors.asked_of(maker, {})) == list(selectors.escalated({})) == [item]
    assert selectors.asked_of(maker, {}).count() == 1
    assert not selectors.of_party(maker, {}).exists()


def test_the_desk_filters(stocked: House, member: Any) -> None:
    who = member("pharmacy")
    one = opened(stocked, who, [code("1")], kind="packaging")
    two = opened(stocked, who, [code("2")], kind="unavailable", nonce="m")
    ExceptionItem.objects.filter(id=two.id).update(due_ms=0)
    assert list(selectors.of_party(who.party, {})) == [two, one], "the one that is due first comes first"
    assert list(selectors.of_party(who.party, {"overdue": "1"})) == [two]
    assert list(selectors.of_party(who.party, {"kind": "packaging", "state": "open"})) == [one]
    assert list(selectors.of_party(who.party, {"state": "resolved"})) == []
    assert list(selectors.of_party(who.party, {"state": "nonsense", "kind": "x"})) == [two, one]


def test_looking_takes_the_same_statements_for_one_and_for_many(stocked: House, member: Any) -> None:
    who = member("pharmacy")
    for number in range(80, 86):
        opened(stocked, who, [code(str(number))], nonce=str(number))

    def statements(number: int) -> int:
        ExceptionItem.objects.update(looked_index=10**9)
        names = list(ExceptionItem.objects.values_list("id", flat=True)[:number])
        ExceptionItem.objects.filter(id__in=names).update(looked_index=-1)
        with CaptureQueriesContext(connection) as found:
            assert arrivals.look() == 0
        return len(found)

    assert statements(1) == statements(6)
