"""Events that a device signed itself: accepted as they are, refused by name, nothing half stored."""

import json
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Callable
from typing import Any

import pytest

from ledger import api as ledger
from tests.integration.api.test_capture import observed, stored
from tests.integration.conftest import House
from traceability.capture.models import PublishedEvent
from traceability.common.clock import now_ms
from traceability.common.models import Document
from traceability.epcis.context import DEFAULT_CONTEXT
from traceability.parties import services as parties

PARTY = "pharmacy"


def text(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def event_of(writer: Any, serial: str, **changes: Any) -> dict[str, Any]:
    """A bare event: it stands alone, with its own context."""
    return {"@context": [DEFAULT_CONTEXT], **observed(writer, serial, **changes)}


class Device:
    """A pharmacy's handheld with its own key, as ledger.md section 5a has it."""

    def __init__(self, house: House) -> None:
        self.party = house.parties[PARTY]
        self.key = ledger.generate_key()
        self.row = parties.register_device_key(party=self.party, public=self.key.public, label="handheld 1")
        house.settle()

    def item(self, event: dict[str, Any], **changes: Any) -> dict[str, str]:
        """The item that the device would send; `changes` make it a wrong one."""
        given = {"key": self.key, "iss": self.party.uri, "kind": "event", "iat": now_ms() // 1000 - 60} | changes
        secret = given.get("secret", secrets.token_bytes(32))
        party = given.get("party", self.party.uri)
        root = ledger.commit_claims(given.get("committed", event), secret=secret, party=party).root
        statement = ledger.sign_statement(
            key=given["key"], iss=given["iss"], kind=given["kind"], payload=root, iat=given["iat"]
        )
        return {"event": text(json.dumps(event).encode()), "secret": text(secret), "statement": text(statement)}


@pytest.fixture
def device(house: House) -> Device:
    return Device(house)


def send(house: House, *items: Any, party: str = PARTY) -> Any:
    return house.post(party, "/api/v1/statements", {"statements": list(items)})


def test_a_signed_event_is_published_under_the_device_s_own_signature(
    house: House, device: Device, writer: Any
) -> None:
    item = device.item(event_of(writer, "1"))
    answer = send(house, item)
    assert answer.status_code == 202, answer.content
    (accepted,) = answer.json()["statements"]
    assert (accepted["alreadyRecorded"], answer.json()["receipt"]["statements"]) == (
        False,
        [accepted["statementHash"]],
    )
    house.settle()
    row = PublishedEvent.objects.get(event_id=accepted["eventID"])
    assert (row.statement_hash, row.reporter) == (accepted["statementHash"], device.party.uri)
    assert text(bytes(Document.objects.get(statement_hash=row.statement_hash).body)) == item["event"]
    assert send(house, item).json()["statements"] == [{**accepted, "alreadyRecorded": True}]
    assert ledger.backlog() == 0


def test_one_bad_item_refuses_all_and_is_named(house: House, device: Device, writer: Any) -> None:
    before = stored()
    good, bad = device.item(event_of(writer, "1")), device.item(event_of(writer, "2"), iss="urn:dosetrail:party:maker")
    answer = send(house, good, bad)
    (error,) = answer.json()["errors"]
    assert (answer.status_code, error["pointer"], error["code"]) == (403, "/statements/1/statement", "issuer")
    assert stored() == before


STRANGER = ledger.key_from_seed(b"s" * 32)
REFUSALS: list[tuple[str, str, int, Callable[[Device, dict[str, Any]], Any]]] = [
    ("members", "", 400, lambda _, __: {"event": "e30"}),
    ("members", "", 400, lambda _, __: "e30"),
    ("not-base64url", "event", 400, lambda d, e: {**d.item(e), "event": "e30="}),
    ("not-base64url", "event", 400, lambda d, e: {**d.item(e), "event": "e3 0"}),
    ("not-base64url", "secret", 400, lambda d, e: {**d.item(e), "secret": 7}),
    ("json-duplicate-member", "event", 400, lambda d, e: {**d.item(e), "event": text(b'{"a":1,"a":2}')}),
    ("not-an-event", "event", 400, lambda d, e: {**d.item(e), "event": text(b"[]")}),
    ("secret-size", "secret", 400, lambda d, e: {**d.item(e), "secret": text(b"short")}),
    ("statement-not-cbor", "statement", 400, lambda d, e: {**d.item(e), "statement": text(b"\xff")}),
    ("statement-kind", "statement", 400, lambda d, e: d.item(e, kind="master-data")),
    ("issuer", "statement", 403, lambda d, e: d.item(e, iss="urn:dosetrail:party:maker")),
    ("key-unknown", "statement", 403, lambda d, e: d.item(e, key=STRANGER)),
    ("statement-time", "statement", 400, lambda d, e: d.item(e, iat=now_ms() // 1000 + 360)),
    ("event-id-missing", "event/eventID", 400, lambda d, e: d.item({k: v for k, v in e.items() if k != "eventID"})),
    ("record-time", "event/recordTime", 400, lambda d, e: d.item({**e, "recordTime": e["eventTime"]})),
    ("claims-root", "statement", 400, lambda d, e: d.item(e, committed={**e, "disposition": "dispensed"})),
    ("claims-root", "statement", 400, lambda d, e: d.item(e, party="urn:dosetrail:party:maker")),
    ("claims-root", "statement", 400, lambda d, e: {**d.item(e), "secret": text(bytes(32))}),
]


@pytest.mark.parametrize(("code", "field", "status", "make"), REFUSALS)
def test_each_refusal_names_the_field_and_stores_nothing(
    house: House, device: Device, writer: Any, code: str, field: str, status: int, make: Any
) -> None:
    before = stored()
    answer = send(house, make(device, event_of(writer, "1")))
    assert answer["Content-Type"] == "application/problem+json"
    (error,) = answer.json()["errors"]
    assert (answer.status_code, answer.json()["code"], error["pointer"].removeprefix("/statements/0").strip("/")) == (
        status,
        code,
        field,
    )
    assert stored() == before


def test_a_flipped_signature_is_refused(house: House, device: Device, writer: Any) -> None:
    item = device.item(event_of(writer, "1"))
    last = item["statement"][-2]
    item["statement"] = item["statement"][:-2] + ("A" if last != "A" else "B") + item["statement"][-1]
    assert send(house, item).json()["code"] == "statement-bad-signature"


def test_a_key_of_another_party_is_unknown_here(house: House, device: Device, writer: Any) -> None:
    other = ledger.generate_key()
    parties.register_device_key(party=house.parties["maker"], public=other.public, label="maker's")
    house.settle()
    assert send(house, device.item(event_of(writer, "1"), key=other)).json()["code"] == "key-unknown"


def test_a_revoked_key_is_refused(house: House, device: Device, writer: Any) -> None:
    item = device.item(event_of(writer, "1"))
    parties.revoke_key(key=device.row)
    before = stored()
    assert (send(house, item).status_code, send(house, item).json()["code"]) == (403, "key-revoked")
    assert stored() == before


def test_a_retired_key_counts_until_then_and_is_refused_from_then_on(
    house: House, device: Device, writer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    fresh, hour_ms = ledger.generate_key(), 3_600_000
    parties.rotate_device_key(key=device.row, public=fresh.public, overlap_ms=hour_ms)
    house.settle()
    both = [device.item(event_of(writer, "1")), device.item(event_of(writer, "2"), key=fresh)]
    assert send(house, *both).status_code == 202
    late = device.item(event_of(writer, "3"))
    later = now_ms() + hour_ms + 1000
    monkeypatch.setattr("traceability.capture.device_signed.now_ms", lambda: later)
    before = stored()
    assert (send(house, late).status_code, send(house, late).json()["code"]) == (403, "key-retired")
    assert stored() == before
    house.settle()
    assert set(PublishedEvent.objects.values_list("voided_by", flat=True)) == {None}


def test_the_epcis_rules_hold_for_signed_events_too(house: House, device: Device, writer: Any) -> None:
    answer = send(house, device.item(event_of(writer, "1", bizStep="selling_on_the_side")))
    (error,) = answer.json()["errors"]
    assert (answer.status_code, error["event"], error["pointer"]) == (400, 0, "/bizStep")


def test_the_same_event_id_with_other_content_is_refused(house: House, device: Device, writer: Any) -> None:
    send(house, device.item(event_of(writer, "1")))
    answer = send(house, device.item(event_of(writer, "1", disposition="in_progress")))
    assert (answer.status_code, answer.json()["code"]) == (409, "event-id-reused")


def test_a_party_whose_hosted_keys_are_revoked_can_record_with_its_device_only(
    house: House, device: Device, writer: Any
) -> None:
    for key in device.party.keys.exclude(kid=device.row.kid):
        parties.revoke_key(key=key)
    house.settle()
    before = stored()
    for answer in (
        house.capture(PARTY, event_of(writer, "1")),
        house.post(PARTY, "/epcis/events", event_of(writer, "1")),
    ):
        assert (answer.status_code, answer.json()["code"]) == (409, "no-signing-key")
    assert stored() == before
    assert send(house, device.item(event_of(writer, "1"))).status_code == 202
