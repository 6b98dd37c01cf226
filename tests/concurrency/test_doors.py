"""The same thing sent at the same moment: recorded once, answered alike; contradictions have one winner."""

import json
from functools import partial
from typing import Any

import pytest

from ledger import api as ledger
from tests.concurrency.conftest import at_once
from tests.integration.api.test_capture import observed
from tests.integration.api.test_product_links import LEAFLET
from tests.integration.api.test_products import ITEM, NEW, PLACE, put
from tests.integration.conftest import EXPIRY, LOT, House, code, pack
from tests.integration.portal.conftest import act
from traceability.capture.models import CapturedEvent, CaptureJob, PublishedEvent
from traceability.common.models import Document
from traceability.epcis.context import DEFAULT_CONTEXT
from traceability.parties import services as parties
from traceability.parties.models import PartyKey
from traceability.products import links
from traceability.products.links import TargetLink
from traceability.products.models import TradeItem
from traceability.scans.models import ScanEvent

CALLS = 4


def bare(event: dict[str, Any]) -> dict[str, Any]:
    return {"@context": [DEFAULT_CONTEXT], **event}


@pytest.mark.parametrize("turn", range(3))
def test_one_event_id_with_two_contents_has_one_winner(house: House, writer: Any, turn: int) -> None:
    contents = [bare(observed(writer, "1", disposition=word)) for word in ("in_progress", "sellable_accessible")]
    before = Document.objects.count()
    answers = at_once(*(partial(house.post, "pharmacy", "/epcis/events", one) for one in contents))
    assert sorted(answer.status_code for answer in answers) == [201, 409], [answer.content for answer in answers]
    (loser,) = [answer for answer in answers if answer.status_code == 409]
    assert loser.json()["code"] == "event-id-reused"
    assert (CapturedEvent.objects.count(), Document.objects.count()) == (1, before + 1)


@pytest.mark.parametrize("turn", range(3))
def test_the_same_document_at_once_is_one_job(house: House, writer: Any, turn: int) -> None:
    event = observed(writer, "1", eventTime="2026-01-01T00:00:00Z")
    answers = at_once(*[partial(house.capture, "pharmacy", event)] * CALLS)
    assert {answer.status_code for answer in answers} == {202}, [answer.content for answer in answers]
    assert len({answer.json()["captureID"] for answer in answers}) == 1
    assert (CaptureJob.objects.count(), CapturedEvent.objects.count()) == (1, 1)


@pytest.mark.parametrize("turn", range(3))
def test_the_same_key_at_once_is_one_event(house: House, writer: Any, turn: int) -> None:
    event = bare(observed(writer, "1", eventTime="2026-01-01T00:00:00Z"))
    headers = {"Idempotency-Key": "till-7"}
    client = house.client("pharmacy")
    call = partial(client.post, "/epcis/events", event, content_type="application/json", headers=headers)
    answers = at_once(*[call] * CALLS)
    assert {answer.status_code for answer in answers} == {201}, [answer.content for answer in answers]
    assert len({answer["Dosetrail-Statement-Hash"] for answer in answers}) == 1
    assert CapturedEvent.objects.count() == 1


def test_a_next_key_sent_twice_at_once_is_registered_once(house: House) -> None:
    first, following = (ledger.generate_key().public for _ in range(2))
    key = parties.register_device_key(party=house.parties["maker"], public=first, label="till")
    answers = at_once(*[partial(parties.rotate_device_key, key=key, public=following)] * CALLS)
    refused = [answer for answer in answers if isinstance(answer, Exception)]
    assert [getattr(error, "code", error) for error in refused] == ["key-known"] * (CALLS - 1)
    assert PartyKey.objects.filter(public_key=following).count() == 1


@pytest.mark.parametrize("turn", range(3))
def test_the_same_nonce_at_once_is_one_scan(house: House, turn: int) -> None:
    call = {"step": "receive", "codes": [pack("1")], "place": house.place("pharmacy"), "nonce": "n-1"}
    answers = at_once(*[partial(house.post, "pharmacy", "/api/v1/scans", call)] * CALLS)
    assert {answer.status_code for answer in answers} == {201}, [answer.content for answer in answers]
    assert len({tuple(answer.json()["eventIDs"]) for answer in answers}) == 1
    assert (ScanEvent.objects.filter(nonce="n-1").count(), CapturedEvent.objects.count()) == (1, 1)


def test_without_a_nonce_each_call_is_a_scan(house: House) -> None:
    """The negative control: what makes the calls one is the nonce. Two in one millisecond share their event."""
    call = {"step": "receive", "codes": [pack("1")], "place": house.place("pharmacy")}
    answers = at_once(*[partial(house.post, "pharmacy", "/api/v1/scans", call)] * CALLS)
    assert {answer.status_code for answer in answers} == {201}
    assert ScanEvent.objects.count() == CALLS
    bodies = Document.objects.filter(kind="event").values_list("body", flat=True)
    moments = {json.loads(bytes(body))["eventTime"] for body in bodies}
    assert CapturedEvent.objects.count() == len(moments)


@pytest.mark.parametrize("nonces", [("", ""), ("n", "n"), ("n", "m")])
def test_two_undos_at_once_are_one(house: House, nonces: tuple[str, str]) -> None:
    """Each would say anew what stays sold. The same nonce is one call; another one is told to wait."""
    act(house, "maker", "commission", [code("1"), code("2")], lot=LOT, expiry=EXPIRY.isoformat())
    act(house, "maker", "ship", [code("1"), code("2")], receiver="pharmacy")
    act(house, "pharmacy", "receive", [code("1"), code("2")])
    act(house, "pharmacy", "dispense", [code("1"), code("2")])
    before = CapturedEvent.objects.count()
    call = {"step": "undo", "codes": [code("1")], "place": house.place("pharmacy"), "details": {"reason": "mistake"}}
    answers = at_once(*(partial(house.post, "pharmacy", "/api/v1/scans", {**call, "nonce": one}) for one in nonces))
    expected = [201, 201] if nonces == ("n", "n") else [201, 409]
    assert sorted(answer.status_code for answer in answers) == expected, [answer.content for answer in answers]
    assert CapturedEvent.objects.count() - before == 2  # the declaration, and what stays sold


@pytest.mark.parametrize("turn", range(3))
@pytest.mark.parametrize(
    ("path", "body", "name"),
    [
        ("products/novo", ITEM, "name"),
        ("lots/glarvia/N1", {"productionDate": "2026-01-01", "expiryDate": "2030-01-01"}, "expiryDate"),
        ("places/cold", PLACE, "name"),
    ],
)
def test_the_same_new_thing_put_at_once_is_made_once(
    house: House, turn: int, path: str, body: dict[str, Any], name: str
) -> None:
    """Whoever comes second is told that it is there, whatever it says; nobody's call is lost under another's."""
    bodies = [{**body, name: f"2030-01-{number:02}"} for number in range(1, CALLS + 1)]
    answers = at_once(*(partial(put, house, "maker", path, one, NEW) for one in bodies))
    assert sorted(answer.status_code for answer in answers) == [201] + [412] * (CALLS - 1)
    (made,) = [answer for answer in answers if answer.status_code == 201]
    read = house.client("maker").get(f"/api/v1/{path}")
    assert (read.json(), read["ETag"]) == (made.json(), made["ETag"])


@pytest.mark.parametrize("turn", range(3))
def test_two_changes_of_one_version_at_once_have_one_winner(house: House, turn: int) -> None:
    tag = put(house, "maker", "products/novo", ITEM, NEW)["ETag"]
    bodies = [{**ITEM, "name": f"Novo {number}"} for number in range(CALLS)]
    answers = at_once(*(partial(put, house, "maker", "products/novo", one, {"If-Match": tag}) for one in bodies))
    assert sorted(answer.status_code for answer in answers) == [200] + [412] * (CALLS - 1)


@pytest.mark.parametrize("turn", range(3))
@pytest.mark.parametrize(("path", "body"), [("products/novo", ITEM), ("places/cold", PLACE)])
def test_two_parties_that_make_one_thing_at_once_have_one_winner(
    house: House, path: str, body: dict[str, Any], turn: int
) -> None:
    calls = (partial(put, house, party, path, body, NEW) for party in ("maker", "wholesaler"))
    answers = at_once(*calls)
    assert {answer.status_code for answer in answers} in ({201, 412}, {201, 409}, {201, 403}), [
        one.content for one in answers
    ]
    assert sum(answer.status_code == 201 for answer in answers) == 1


@pytest.mark.parametrize("turn", range(3))
def test_links_of_one_version_changed_at_once_have_one_winner(house: House, turn: int) -> None:
    path, bodies = "products/glarvia/links", [{"links": [{**LEAFLET, "title": str(number)}]} for number in range(CALLS)]
    made = at_once(*(partial(put, house, "maker", path, one, NEW) for one in bodies))
    assert sorted(answer.status_code for answer in made) == [201] + [412] * (CALLS - 1)
    tag = {"If-Match": house.client("maker").get(f"/api/v1/{path}")["ETag"]}
    others = [{"links": [{**LEAFLET, "title": f"again {number}"}]} for number in range(CALLS)]
    changed = at_once(*(partial(put, house, "maker", path, one, tag) for one in others))
    assert sorted(answer.status_code for answer in changed) == [200] + [412] * (CALLS - 1)


@pytest.mark.parametrize("turn", range(3))
def test_links_that_several_add_at_once_are_all_there(house: House, turn: int) -> None:
    """Below both doors, portal and API: without the lock each would add to what it read before the others."""
    item = TradeItem.objects.get(id="glarvia")

    def add(number: int) -> None:
        one = TargetLink("epil", f"https://leaflets.example.com/{number}", "Leaflet")
        links.change(item=item, lot=None, edit=lambda standing: (*standing, one))

    assert at_once(*(partial(add, number) for number in range(CALLS))) == [None] * CALLS
    assert len(links.of(item)) == CALLS


def test_many_writers_and_sequencers_lose_and_double_nothing(house: House, writer: Any) -> None:
    house.settle()
    start = ledger.published_size()

    def post(number: int) -> Any:
        return house.capture("pharmacy", *(observed(writer, str(100 * number + place)) for place in range(5)))

    answers = at_once(*(partial(post, number) for number in range(1, 5)), ledger.sequence_once, ledger.sequence_once)
    assert [answer.status_code for answer in answers[:4]] == [202] * 4
    house.settle()
    assert (ledger.published_size() - start, PublishedEvent.objects.filter(biz_step="stocking").count()) == (20, 20)
    assert list(ledger.fsck(lambda _done, _total: None)) == []
