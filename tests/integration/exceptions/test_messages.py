"""The message to the partner: sent over the party's channel, what becomes of it, and the partner's own answer."""

import html
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.integration.conftest import EXPIRY, LOT, House, code, pack
from tests.integration.exchange.conftest import Receiver, receiver
from tests.integration.portal.conftest import Portal, person, stocked
from tests.integration.portal.test_exceptions import open_one
from traceability.exceptions.models import ExceptionItem, ExceptionStep
from traceability.exchange import channels, outgoing
from traceability.exchange.models import Channel, Delivery

__all__ = ["person", "receiver", "stocked"]
Enter = Callable[..., Portal]


@pytest.fixture
def outbox(settings: Any, tmp_path: Path) -> Path:
    settings.DATA_DIR = tmp_path
    return tmp_path / "outbox"


def channel(house: House, way: str = "folder", owner: str = "pharmacy", partner: str = "maker", **more: Any) -> Channel:
    plan = channels.Plan(partner=house.parties[partner], way=way, format="xml-2.0", **more)
    return channels.create(house.parties[owner], plan)


def item() -> ExceptionItem:
    return ExceptionItem.objects.get()


def send(portal: Portal, path: str, row: Channel | str, **more: str) -> Any:
    name = row if isinstance(row, str) else row.id
    return portal.post(path, {"action": "send", "channel": name, "version": str(item().version), **more})


def shown(portal: Portal, path: str) -> str:
    return html.unescape(portal.get(path))


def test_it_goes_by_the_channel_and_the_history_tells_what_became_of_it(
    stocked: House, person: Enter, outbox: Path
) -> None:
    row, portal = channel(stocked), person("pharmacy")
    path = open_one(portal, [code("1"), code("2")], despatch="DA1", comment="the box is wet, “ü”")
    assert "Into the partner's folder (SFTP, AS2)" in shown(portal, path)
    assert send(portal, path, row).status_code == 302
    assert (item().state, item().asked_ms is not None) == ("asked", True)
    assert "Ready" in shown(portal, path)
    again = send(portal, path, row, version="0")  # the same form, sent twice
    assert (again.status_code, Delivery.objects.count(), item().version) == (302, 1, 1)
    assert send(portal, path, channel(stocked, partner="maker"), version="0").status_code == 409
    outgoing.drain()
    (file,) = (outbox / "maker").iterdir()
    assert file.name.endswith(".exception.json"), "its form is JSON, also on a channel of XML"
    assert "Put into the folder" in shown(portal, path)
    first = file.read_bytes()
    file.with_name(file.name + ".ack").write_text("case 4711")
    outgoing.drain()
    assert "Taken by the partner · Maker · case 4711" in shown(portal, path)
    again = {"action": "resend", "delivery": Delivery.objects.get().id, "version": str(item().version)}
    file.unlink()
    assert portal.post(path, again).status_code == 302
    outgoing.drain()
    assert file.read_bytes() == first
    assert portal.member.pseudonym in shown(portal, path), "who sent it once more"
    assert ExceptionStep.objects.filter(state="asked").count() == 1


def test_the_document_says_it_in_fields_and_in_words(stocked: House, person: Enter, outbox: Path) -> None:
    row, portal = channel(stocked), person("pharmacy")
    path = open_one(portal, [code("1")], despatch="DA1", comment="the box is wet")
    page = shown(portal, path)
    send(portal, path, row)
    found = json.loads(bytes(Delivery.objects.get().body))
    assert list(found) == [
        "format", "messageID", "createdAt", "sender", "senderName", "receiver", "receiverName", "exceptionID",
        "reference", "kind", "openedAt", "answerBy", "place", "despatch", "note", "goods", "texts",
    ]  # fmt: skip
    gln = {name: stocked.parties[name].identifiers.get(scheme="gln").value for name in ("pharmacy", "maker")}
    assert found["format"] == "dosetrail.exception-message/1"
    assert found["messageID"].startswith("urn:uuid:")
    assert (found["sender"], found["receiver"]) == tuple(f"https://id.gs1.org/417/{one}" for one in gln.values())
    assert (found["exceptionID"], found["kind"], found["note"]) == (item().id, "packaging", "the box is wet")
    assert (found["despatch"], found["place"]) == ("urn:dosetrail:document:DA1", stocked.place("pharmacy"))
    assert found["goods"] == [{"epc": pack("1"), "lot": LOT, "expiry": EXPIRY.isoformat(), "onHold": True}]
    assert [one["language"] for one in found["texts"]] == ["en", "zh-hans"]
    assert all(one["body"] in page for one in found["texts"]), "what is sent is what the page shows"
    assert "(Asia/Shanghai)" in found["texts"][0]["body"], "in the time of the place where the goods are"


def test_a_webhook_gets_it_as_json(stocked: House, person: Enter, receiver: Receiver) -> None:
    row, portal = channel(stocked, "webhook", dest=receiver.url, token="secret"), person("pharmacy")
    path = open_one(portal, [code("1")])
    send(portal, path, row)
    receiver.statuses = [500]
    outgoing.drain()
    assert "Ready" in shown(portal, path), "it is tried again"
    Channel.objects.update(due_ms=0)
    outgoing.drain()
    headers, body = receiver.got[-1]
    assert headers["Content-Type"] == "application/json"
    assert headers["Dosetrail-Delivery"] == Delivery.objects.get().id
    assert "v1=" in headers["GS1-Signature"]
    assert body == bytes(Delivery.objects.get().body)
    assert "Taken by the partner · Maker · HTTP 200" in shown(portal, path)


def test_the_partner_downloads_it_and_nobody_else(stocked: House, person: Enter) -> None:
    row, portal = channel(stocked, "download"), person("pharmacy")
    path = open_one(portal, [code("1")])
    send(portal, path, row)
    document = f"/api/v1/deliveries/{Delivery.objects.get().id}/document"
    for stranger in ("wholesaler", "other", "regulator"):
        assert stocked.client(stranger).get(document).status_code == 404
    answer = stocked.client("maker").get(document)
    assert (answer["Content-Type"], answer.json()["exceptionID"]) == ("application/json", item().id)
    (listed,) = stocked.client("maker").get("/api/v1/deliveries?direction=in").json()
    assert (listed["format"], listed["events"]) == ("dosetrail.exception-message/1", 0)
    assert "Fetched · Maker" in shown(portal, path)
    assert "Message about an exception, JSON" in shown(person("maker"), "partners")


@pytest.mark.parametrize("which", ["none", "another's", "to another", "suspended"])
def test_without_a_channel_of_one_s_own_nothing_is_sent_and_nothing_noted(
    stocked: House, person: Enter, which: str
) -> None:
    portal = person("pharmacy")
    path, row = open_one(portal, [code("1")]), "none"
    if which == "another's":
        row = channel(stocked, owner="other").id
    elif which == "to another":
        row = channel(stocked, partner="wholesaler").id
    elif which == "suspended":
        row = channel(stocked).id
        Channel.objects.update(state="suspended")
    page = shown(portal, path)
    assert "Your organisation keeps no running way to send documents to this partner" in page
    assert 'value="send"' not in page
    answer = send(portal, path, row)
    assert answer.status_code == 409
    assert "This way to the partner is not running." in answer.content.decode()
    assert (item().state, item().asked_ms, item().version) == ("open", None, 0)
    assert not Delivery.objects.exists()


def test_a_partner_that_works_here_needs_no_channel(stocked: House, person: Enter) -> None:
    """It is asked on its desk, and its answer stands first until somebody acts on it."""
    portal, maker = person("pharmacy"), person("maker")
    path = open_one(portal, [code("1")])
    assert "Maker works in this house" in shown(portal, path)
    portal.post(path, {"action": "ask", "version": "0"})
    maker.post(path, {"action": "answer", "comment": "send a photo", "version": "1"})
    assert "Maker has answered at" in shown(portal, path)
    portal.post(path, {"action": "ask", "version": "2"})
    assert "Maker has answered at" not in shown(portal, path)
    maker.member.user.is_active = False
    maker.member.user.save()
    assert "works in this house" not in shown(portal, path)


def test_who_acts_on_an_old_page_sends_nothing(stocked: House, person: Enter) -> None:
    row, portal = channel(stocked), person("pharmacy")
    path = open_one(portal, [code("1")])
    send(portal, path, row)
    portal.post(path, {"action": "escalate", "comment": "no answer", "version": "1"})
    for old in ("0", "1"):
        assert send(portal, path, row, version=old).status_code == 409
    assert Delivery.objects.count() == 1
    assert send(portal, path, row, version="2").status_code == 302, "the control: of the page as it is now"
    assert Delivery.objects.count() == 2


def test_sending_once_more_does_not_wake_a_channel_that_is_suspended(stocked: House, person: Enter) -> None:
    row, portal = channel(stocked), person("pharmacy")
    path = open_one(portal, [code("1")])
    send(portal, path, row)
    Channel.objects.update(state="suspended")
    form = {"action": "resend", "delivery": Delivery.objects.get().id, "version": "1"}
    assert portal.post(path, form).status_code == 409
    assert 'value="resend"' not in shown(portal, path)
    assert Channel.objects.get().state == "suspended"
    assert portal.post(path, {**form, "delivery": "none"}).status_code == 404


def test_the_partner_answers_on_its_own_desk(stocked: House, person: Enter) -> None:
    portal, maker, stranger = person("pharmacy"), person("maker"), person("other")
    path = open_one(portal, [code("1")])
    answer = {"action": "answer", "comment": "Send it back, please.", "version": "0"}
    assert maker.post(path, answer).status_code == 404, "nobody has asked it yet"
    assert "Exceptions that partners ask you to clear up" not in maker.get("")
    assert portal.post(path, {"action": "ask", "version": "0"}).status_code == 302
    assert "Exceptions that partners ask you to clear up: 1." in maker.get("")
    assert 'value="answer"' in maker.get(path)
    for who in (stranger, portal):
        assert who.post(path, {**answer, "version": "1"}).status_code == 404
    assert maker.post(path, {**answer, "version": "1", "comment": " "}).status_code == 400
    assert maker.post(path, answer).status_code == 409, "an old page"
    assert item().state == "asked"
    assert maker.post(path, {**answer, "version": "1"}).status_code == 302
    page = shown(portal, path)
    assert "Partner has answered" in page
    assert "Send it back, please." in page
    assert "Exceptions that partners ask you to clear up" not in maker.get("")
    assert item().id in portal.get("exceptions", state="answered")
    assert portal.post(path, {"action": "ask", "version": "2"}).status_code == 302
    assert (item().state, item().steps.count()) == ("asked", 4)
    assert "Exceptions that partners ask you to clear up: 1." in maker.get("")
