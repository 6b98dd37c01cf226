"""Deliveries to partners: what is in them, the three ways and formats, and what becomes of each."""

import hashlib
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.integration.api.test_capture import observed
from tests.integration.api.test_query import listed
from tests.integration.conftest import EXPIRY, LOT, House, code
from tests.integration.exchange.conftest import Receiver
from tests.integration.exchange.test_subscriptions import later
from tests.integration.portal.conftest import act
from traceability.capture.models import PublishedEvent
from traceability.common.problems import ProblemError
from traceability.epcis import validation
from traceability.epcis.xml import reader
from traceability.exchange import channels, deliveries, dispatch, leases, outgoing, partner_document, retry
from traceability.exchange.channels import Plan
from traceability.exchange.models import Channel, Delivery, DeliveryStep

Set = Callable[..., Channel]


@pytest.fixture
def channel(chain: House) -> Set:
    """A channel from the maker to the wholesaler, with what it may see already."""

    def made(way: str = "download", form: str = "json-2.0", **more: Any) -> Channel:
        plan = {"partner": chain.parties["wholesaler"], "way": way, "format": form, "since_ever": True, **more}
        return channels.create(chain.parties["maker"], Plan(**plan))

    return made


@pytest.fixture
def data(settings: Any, tmp_path: Path) -> Path:
    settings.DATA_DIR = tmp_path
    return tmp_path


def the_one() -> Delivery:
    return Delivery.objects.get()


def steps(delivery: Delivery) -> list[tuple[str, str]]:
    return list(DeliveryStep.objects.filter(delivery=delivery).order_by("id").values_list("state", "detail"))


def test_a_document_is_made_once_kept_and_fetched(chain: House, channel: Set) -> None:
    channel()
    outgoing.drain()
    outgoing.drain()
    made = the_one()
    assert (made.state, made.events, made.number) == ("queued", 1, 1)
    assert hashlib.sha256(bytes(made.body)).hexdigest() == made.sha256
    (shown,) = chain.client("wholesaler").get("/api/v1/deliveries?direction=in").json()
    assert (shown["deliveryID"], shown["sha256"], shown["direction"]) == (made.id, made.sha256, "in")
    path = f"/api/v1/deliveries/{made.id}"
    assert chain.client("maker").get(f"{path}/document").content == bytes(made.body)
    assert the_one().state == "queued"  # the sender's own look is no fetching
    answer = chain.client("wholesaler").get(f"{path}/document")
    assert (answer.content, answer["Dosetrail-SHA256"]) == (bytes(made.body), made.sha256)
    assert [one["state"] for one in chain.client("maker").get(path).json()["steps"]] == ["queued", "fetched"]
    assert DeliveryStep.objects.get(state="fetched").actor == chain.parties["wholesaler"].uri
    said = chain.post("wholesaler", f"{path}/acknowledgement", {"accepted": True, "detail": "RECADV 7"})
    assert (said.status_code, said.json()["state"]) == (200, "answered")
    assert steps(made)[-1] == ("answered", "RECADV 7")


def test_the_document_is_valid_and_says_from_whom_to_whom(chain: House, channel: Set, writer: Any) -> None:
    channel()
    outgoing.drain()
    document = json.loads(bytes(the_one().body))
    assert validation.validate_document(document) == []
    assert (document["sender"], document["receiver"]) == (writer("maker").party_uri, writer("wholesaler").party_uri)
    assert document["type"] == "EPCISDocument"
    (event,) = document["epcisBody"]["eventList"]
    assert event["bizStep"] == "shipping"


@pytest.mark.parametrize(("form", "version"), [("xml-2.0", "2.0"), ("xml-1.2", "1.2")])
def test_xml_reads_back_as_the_same_events(chain: House, channel: Set, form: str, version: str) -> None:
    channel(form=form, statement="Seller has complied with each applicable subsection of FDCA Sec. 581(27)(A)–(G).")
    outgoing.drain()
    body = bytes(the_one().body)
    source = reader.open_document(io.BytesIO(body))
    (event,) = source.events()
    (original,) = listed(chain, "wholesaler")
    assert event["bizStep"] == original["bizStep"]
    assert event["eventID"] == original["eventID"]
    text = body.decode()
    assert f'schemaVersion="{version}"' in text
    assert "<sbdh:StandardBusinessDocumentHeader" in text
    assert "<gs1ushc:dscsaTransactionStatement>" in text
    assert "EPCISMasterData" in text
    assert "Glarvia" in text  # the product's name, from our master data
    assert "<gs1ushc:affirmTransactionStatement>true<" in text
    assert "FDCA Sec. 581(27)(A)–(G)" in text


def test_a_partner_never_gets_more_than_it_may_see_nor_than_the_sender_may(
    chain: House, writer: Any, channel: Set
) -> None:
    channel()
    for partner in ("other", "pharmacy", "regulator"):
        plan = Plan(chain.parties[partner], "download", "json-2.0", since_ever=True)
        channels.create(chain.parties["maker"], plan)
    outgoing.drain()
    for delivery in Delivery.objects.select_related("channel__partner", "channel__party"):
        sent = {one["eventID"] for one in json.loads(bytes(delivery.body))["epcisBody"]["eventList"]}
        for party in (delivery.channel.partner_id, delivery.channel.party_id):
            assert sent <= {one["eventID"] for one in listed(chain, party, "?perPage=1000")}
    # The regulator sees the pharmacy's stock, the maker does not: it is in no document of the maker's.
    assert sum(Delivery.objects.values_list("events", flat=True)) < PublishedEvent.objects.count()
    assert Delivery.objects.filter(channel__partner="regulator").get().events == 1
    assert not Delivery.objects.filter(channel__partner__in=["other", "pharmacy"]).exists()


def test_without_the_sender_s_own_view_a_channel_would_show_it_the_partner_s_records(
    chain: House, monkeypatch: Any
) -> None:
    """The negative control of the rule before."""
    channels.create(chain.parties["maker"], Plan(chain.parties["pharmacy"], "download", "json-2.0", since_ever=True))
    monkeypatch.setattr(deliveries.rules, "visible_indexes", lambda indexes, _party: set(indexes))
    outgoing.drain()
    assert the_one().events == 7


def test_only_the_two_may_see_a_delivery(chain: House, channel: Set) -> None:
    channel()
    outgoing.drain()
    path = f"/api/v1/deliveries/{the_one().id}"
    for party in ("other", "pharmacy", "regulator"):
        assert chain.client(party).get(path).status_code == 404
        assert chain.client(party).get(f"{path}/document").status_code == 404
        assert chain.post(party, f"{path}/acknowledgement", {"accepted": True}).status_code == 404
        assert chain.post(party, f"{path}/resend", {}).status_code == 404
        assert chain.client(party).get("/api/v1/deliveries").json() == []
    assert chain.post("wholesaler", f"{path}/resend", {}).status_code == 404
    assert chain.post("maker", f"{path}/acknowledgement", {"accepted": True}).status_code == 404
    assert the_one().state == "queued"


@pytest.mark.parametrize(
    "body", [{}, {"accepted": "yes"}, {"accepted": True, "detail": 5}, {"accepted": True, "detail": "x" * 301}]
)
def test_what_is_no_acknowledgement(chain: House, channel: Set, body: Any) -> None:
    channel()
    outgoing.drain()
    answer = chain.post("wholesaler", f"/api/v1/deliveries/{the_one().id}/acknowledgement", body)
    assert (answer.status_code, len(answer.json()["errors"])) == (400, 1)


def test_a_folder_gets_whole_files_and_tells_what_became_of_them(chain: House, channel: Set, data: Path) -> None:
    channel("folder", "xml-1.2")
    outgoing.drain()
    made = the_one()
    (path,) = (data / "outbox" / "wholesaler").iterdir()
    assert path.name == dispatch.file_name(made)
    assert (path.read_bytes(), made.state) == (bytes(made.body), "sent")
    outgoing.drain()
    assert the_one().state == "sent"
    path.with_name(path.name + ".ack").write_text("recadv 12: taken\n\x1b[31m")
    outgoing.drain()
    assert steps(made)[-1] == ("answered", "recadv 12: taken  [31m")
    assert not path.with_name(path.name + ".ack").exists()
    chain.post("maker", f"/api/v1/deliveries/{made.id}/resend", {})
    path.unlink()
    outgoing.drain()
    assert path.read_bytes() == bytes(made.body)
    path.unlink()
    outgoing.drain()
    assert the_one().state == "fetched"


def test_killed_after_the_file_was_written_it_is_written_again(
    chain: House, channel: Set, data: Path, monkeypatch: Any
) -> None:
    channel("folder")
    deliveries.make()

    class Killed(BaseException):
        """As a kill: no handler of ours sees it."""

    def die(*_args: Any, **_more: Any) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(deliveries, "note", die)
        with pytest.raises(Killed):
            dispatch.run_once()
    assert the_one().state == "queued"
    outgoing.drain()
    assert [one.read_bytes() for one in (data / "outbox" / "wholesaler").iterdir()] == [bytes(the_one().body)]
    assert the_one().state == "sent"


def test_killed_while_a_document_is_made_none_is_left_out_or_doubled(
    chain: House, channel: Set, monkeypatch: Any
) -> None:
    channel()

    class Killed(BaseException):
        """As a kill."""

    def die(*_args: Any, **_more: Any) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(deliveries, "note", die)
        with pytest.raises(Killed):
            deliveries.make()
    assert Delivery.objects.count() == 0
    outgoing.drain()
    assert (the_one().events, the_one().number) == (1, 1)


def test_a_webhook_gets_documents_in_order_signed_and_its_answer_is_kept(
    chain: House, channel: Set, receiver: Receiver, writer: Any, monkeypatch: Any
) -> None:
    made = channel("webhook", dest=receiver.url, token="secret")
    monkeypatch.setattr(deliveries, "BATCH", 1)
    from tests.integration.conftest import pack
    from traceability.common.clock import now_ms
    from traceability.simulation import events as simulated

    for number in (901, 902):
        shipped = simulated.ship(
            [pack(str(number))], sender=writer("maker"), receiver=writer("wholesaler"), despatch=f"urn:x:da:{number}",
            at_ms=now_ms() - 60_000, event_id=f"urn:uuid:11111111-0000-4000-8000-000000000{number}",
        )  # fmt: skip
        chain.capture("maker", shipped)
    chain.settle()
    receiver.statuses = [500]
    outgoing.drain()
    assert len(receiver.got) == 1
    later(monkeypatch, 3_600_000)
    outgoing.drain()
    assert receiver.got[1][1] == receiver.got[0][1]
    sent = [headers["Dosetrail-Delivery"] for headers, _ in receiver.got[1:]]
    assert sent == list(Delivery.objects.order_by("number").values_list("id", flat=True))
    assert len(sent) == 3
    assert all("v1=" in headers["GS1-Signature"] for headers, _ in receiver.got)
    assert steps(Delivery.objects.get(number=1)) == [("queued", ""), ("answered", "HTTP 200")]
    assert b"secret" not in bytes(made.sealed_seed or b"")


def test_a_webhook_that_stays_away_fails_and_resending_goes_on(
    chain: House, channel: Set, receiver: Receiver, monkeypatch: Any
) -> None:
    channel("webhook", dest=receiver.url)
    receiver.statuses = [500] * retry.MAX_ATTEMPTS
    for number in range(retry.MAX_ATTEMPTS):
        later(monkeypatch, number * 3_600_000)
        outgoing.drain()
    assert (the_one().state, Channel.objects.get().state) == ("failed", "suspended")
    assert steps(the_one())[-1] == ("failed", "HTTP 500")
    answer = chain.post("maker", f"/api/v1/deliveries/{the_one().id}/resend", {})
    assert (answer.status_code, answer.json()["state"]) == (202, "queued")
    outgoing.drain()
    assert the_one().state == "answered"
    assert receiver.got[-1][1] == receiver.got[0][1]


def test_a_channel_ends_for_good_and_its_documents_stay(
    chain: House, channel: Set, receiver: Receiver, monkeypatch: Any
) -> None:
    row = channel("webhook", dest=receiver.url)
    receiver.statuses = [500]
    outgoing.drain()
    later(monkeypatch, 3_600_000)
    (held,) = leases.claim(Channel.objects.all(), 1)  # a sender is at it when the channel ends
    channels.end(row)
    assert not leases.fail(held, "HTTP 500")
    assert Channel.objects.get().state == "ended"
    with pytest.raises(ProblemError) as refused:
        channels.resume(row)
    assert (refused.value.status, refused.value.code) == (409, "channel-ended")
    answer = chain.post("maker", f"/api/v1/deliveries/{the_one().id}/resend", {})
    assert (answer.status_code, answer.json()["code"]) == (409, "channel-ended")
    act(chain, "maker", "commission", [code("960")], lot=LOT, expiry=EXPIRY.isoformat())
    act(chain, "maker", "ship", [code("960")], receiver="wholesaler", despatch="DA960")
    later(monkeypatch, 7_200_000)
    outgoing.drain()
    assert (len(receiver.got), Delivery.objects.count()) == (1, 1)
    assert [state for state, _ in steps(the_one())] == ["queued"]
    monkeypatch.setattr(channels, "MAX_CHANNELS", 1)
    channel()  # the ended one takes no place
    path = f"/api/v1/deliveries/{the_one().id}/document"
    assert chain.client("wholesaler").get(path).content == bytes(the_one().body)


def test_a_channel_that_delivered_nothing_is_gone_when_it_ends(chain: House, channel: Set) -> None:
    channels.end(channel())
    assert Channel.objects.count() == 0


def test_an_event_that_a_form_cannot_carry_is_left_out_in_words(chain: House, channel: Set, monkeypatch: Any) -> None:
    """It must not hold up the others: anybody can record an event that XML has no words for."""
    from traceability.epcis.xml.markup import WriteError

    original = partner_document.write

    def fails(document: Any, **more: Any) -> Any:
        if document["epcisBody"]["eventList"]:
            raise WriteError("name", "event 0: no name in XML")
        return original(document, **more)

    monkeypatch.setattr(partner_document, "write", fails)
    channel(form="xml-2.0")
    outgoing.drain()
    assert (the_one().events, Channel.objects.get().state) == (0, "active")
    assert "no name in XML" in steps(the_one())[0][1]
    assert "urn:uuid:11111111" in steps(the_one())[0][1]


def test_what_a_scanner_read_goes_out_in_xml(chain: House, channel: Set) -> None:
    """GS between the fields of a code is no character of XML 1.0: it becomes its picture. The control is JSON."""
    act(chain, "maker", "commission", [code("950")], lot=LOT, expiry=EXPIRY.isoformat())
    act(chain, "maker", "ship", [code("950")], receiver="wholesaler", despatch="DA950")
    for form in ("json-2.0", "xml-2.0", "xml-1.2"):
        channel(form=form)
    outgoing.drain()
    texts = {one.channel.format: bytes(one.body).decode() for one in Delivery.objects.select_related("channel")}
    assert "\\u001d" in texts["json-2.0"]
    assert all("\u241d" in texts[form] and "\x1d" not in texts[form] for form in ("xml-2.0", "xml-1.2"))
    answer = chain.client("wholesaler").get("/epcis/events", headers={"Accept": "application/xml"})
    assert "\u241d" in answer.content.decode()


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"way": "pigeon"}, "/way"),
        ({"form": "xml-3"}, "/format"),
        ({"way": "webhook", "dest": "https://10.0.0.1/"}, "/dest"),
        ({"way": "webhook"}, "/dest"),
        ({"statement": "x" * 2001}, "/statement"),
    ],
)
def test_what_is_no_channel(channel: Set, changes: dict[str, Any], pointer: str) -> None:
    with pytest.raises(ProblemError) as caught:
        channel(**changes)
    assert (caught.value.status, caught.value.pointer) == (400, pointer)
    with pytest.raises(ProblemError):
        channel(query={"EQ_color": "red"})
    assert Channel.objects.count() == 0


def test_one_s_own_party_is_no_partner(chain: House, channel: Set) -> None:
    with pytest.raises(ProblemError):
        channel(partner=chain.parties["maker"])


def test_the_log_is_paged_and_by_direction(chain: House, channel: Set, writer: Any) -> None:
    for _ in range(3):
        channel()
    outgoing.drain()
    client, url, seen = chain.client("maker"), "/api/v1/deliveries?perPage=2&direction=out", []
    while url:
        answer = client.get(url)
        seen += [one["deliveryID"] for one in answer.json()]
        url = answer.get("Link", "").partition(">")[0].lstrip("<")
    assert len(set(seen)) == len(seen) == 3
    assert client.get("/api/v1/deliveries?direction=in").json() == []
    assert client.get("/api/v1/deliveries?direction=up").status_code == 400
    assert client.get("/api/v1/deliveries?x=1").status_code == 400


def test_a_channel_without_the_past_sends_what_comes(chain: House, channel: Set, writer: Any) -> None:
    channel(since_ever=False)
    outgoing.drain()
    assert Delivery.objects.count() == 0
    chain.capture("pharmacy", observed(writer, "77"))
    chain.settle()
    outgoing.drain()
    assert Delivery.objects.count() == 0
