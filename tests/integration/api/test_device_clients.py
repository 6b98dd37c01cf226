"""What the reference clients send, at the house's door: taken once, and refused by name when it is anything else.

The items are the Python client's; the browser's are the same bytes (tests/vectors/device, tests/e2e/consumer).
"""

import secrets
import time
from collections.abc import Callable
from typing import Any

import pytest
from nacl.signing import SigningKey

from ledger import api as ledger
from ledger import verify
from tests.integration.api.test_capture import stored
from tests.integration.api.test_statements import event_of, send
from tests.integration.conftest import House
from tests.unit.clients.test_device_client import client
from traceability.capture.models import PublishedEvent
from traceability.common import strict_json
from traceability.parties import services as parties

PARTY = "pharmacy"


class Signer:
    """A device of the pharmacy: `item` is what it would send; keyword arguments make it another's."""

    def __init__(self, house: House) -> None:
        self.uri = house.parties[PARTY].uri
        self.key = SigningKey(secrets.token_bytes(32))
        self.row = parties.register_device_key(
            party=house.parties[PARTY], public=bytes(self.key.verify_key), label="handheld"
        )
        house.settle()

    def item(self, event: dict[str, Any], **changes: Any) -> dict[str, str]:
        given: dict[str, Any] = {"secret": secrets.token_bytes(32), "key": self.key, "party": self.uri}
        return client.sign(event, **{**given, "iat": int(time.time()), **changes})


@pytest.fixture
def device(house: House) -> Signer:
    return Signer(house)


def test_it_is_taken_once_and_its_evidence_verifies(house: House, device: Signer, writer: Any) -> None:
    event, secret = event_of(writer, "1"), secrets.token_bytes(32)
    item = device.item(event, secret=secret)
    (first,) = send(house, item).json()["statements"]
    (again,) = send(house, item).json()["statements"]
    assert (again, again["alreadyRecorded"]) == ({**first, "alreadyRecorded": True}, True)
    house.settle()
    row = PublishedEvent.objects.get()
    assert (row.statement_hash, row.kid, row.voided_by) == (first["statementHash"], device.row.kid, None)
    bundle = ledger.evidence([(row.statement_hash, event, secret, lambda _name: True)])
    (checked,) = verify.check(bundle, ledger.vkey()).entries
    assert (checked.iss, checked.claims["bizStep"]) == (device.uri, event["bizStep"])


def _edited(device: Signer, event: dict[str, Any]) -> dict[str, str]:
    """The event's text is changed on the way; the signature is of the first."""
    changed = client._text(client.canonical({**event, "disposition": "damaged"}).encode())
    return {**device.item(event), "event": changed}


def _replayed(device: Signer, event: dict[str, Any]) -> dict[str, str]:
    """A recorded statement under another event's ID."""
    changed = client._text(
        client.canonical({**event, "eventID": "urn:uuid:00000000-0000-4000-8000-0000000000ff"}).encode()
    )
    return {**device.item(event), "event": changed}


def _of_another(house: House, kind: str) -> SigningKey:
    key = SigningKey(secrets.token_bytes(32))
    if kind == "maker":
        parties.register_device_key(party=house.parties["maker"], public=bytes(key.verify_key), label="maker's")
        house.settle()
    return key


REFUSED: dict[str, tuple[str, int, Callable[[House, Signer, dict[str, Any]], Any]]] = {
    "edited": ("claims-root", 400, lambda _, device, event: _edited(device, event)),
    "replayed": ("claims-root", 400, lambda _, device, event: _replayed(device, event)),
    "another secret": ("claims-root", 400, lambda _, d, e: {**d.item(e), "secret": client._text(bytes(32))}),
    "another party's key": ("key-unknown", 403, lambda h, d, e: d.item(e, key=_of_another(h, "maker"))),
    "an unknown key": ("key-unknown", 403, lambda h, d, e: d.item(e, key=_of_another(h, "nobody"))),
    "another party's name": ("issuer", 403, lambda h, d, e: d.item(e, party=h.parties["maker"].uri)),
    "a time to come": ("statement-time", 400, lambda _, d, e: d.item(e, iat=int(time.time()) + 3600)),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_anything_else_is_refused_and_nothing_is_stored(house: House, device: Signer, writer: Any, name: str) -> None:
    code, status, make = REFUSED[name]
    bad = make(house, device, event_of(writer, "1"))
    before = stored()
    answer = send(house, bad)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    together = send(house, device.item(event_of(writer, "2")), bad, device.item(event_of(writer, "3")))
    assert (together.status_code, together.json()["errors"][0]["event"]) == (status, 1)
    assert stored() == before
    assert send(house, device.item(event_of(writer, "1"))).status_code == 202  # the positive control


def test_the_token_must_be_the_signer_s_party_s(house: House, device: Signer, writer: Any) -> None:
    before = stored()
    answer = send(house, device.item(event_of(writer, "1")), party="maker")
    assert (answer.status_code, answer.json()["code"]) == (403, "issuer")
    assert stored() == before


@pytest.mark.parametrize("end", ["revoked", "retired"])
def test_an_ended_key_is_refused(house: House, device: Signer, writer: Any, end: str) -> None:
    item = device.item(event_of(writer, "1"))
    if end == "revoked":
        parties.revoke_key(key=device.row)
    else:
        parties.rotate_device_key(key=device.row, public=ledger.generate_key().public, overlap_ms=0)
    house.settle()
    before = stored()
    assert (send(house, item).status_code, send(house, item).json()["code"]) == (403, f"key-{end}")
    assert stored() == before


def test_the_house_reads_the_event_as_the_client_wrote_it(device: Signer) -> None:
    event = {"a": [0.1, 5.0, -0.0, 1e21], "药": "\u2028"}
    text = client._bytes(device.item(event)["event"])
    assert strict_json.loads(text) == event
