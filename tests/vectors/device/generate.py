"""What a device sends, byte for byte, made by the ledger's own code from fixed seeds: for clients in any language.

    python -m tests.vectors.device.generate > tests/vectors/device/vectors.json

Provenance: all of it is made here; nothing comes from elsewhere. `tests/unit/clients/test_device_client.py` holds the
file to this program, and puts it to the Python client; `tests/e2e/consumer/test_device.py` puts it to the browser's.
A case has the event, the party, the key's seed and public half (hex), the secret (hex), iat, and the item to be sent;
`refused` are events that no client may commit.
"""

import json
import sys
from base64 import urlsafe_b64encode
from hashlib import sha256
from typing import Any

from ledger import claims, statement
from ledger.canonical import canonical_bytes

PARTY = "urn:dosetrail:party:riverside"
CONTEXT = ["https://ref.gs1.org/standards/epcis/epcis-context.jsonld"]
PACKS = [f"https://id.gs1.org/01/09504000059118/21/1000000{digit}" for digit in range(5)]


def seed(name: str) -> bytes:
    return sha256(f"dosetrail/vectors/device/{name}".encode()).digest()


def event(**fields: Any) -> dict[str, Any]:
    return {
        "@context": CONTEXT,
        "type": "ObjectEvent",
        "eventID": "urn:uuid:00000000-0000-4000-8000-000000000001",
        "eventTime": "2026-10-01T23:30:00.000Z",
        "eventTimeZoneOffset": "+08:00",
        "action": "OBSERVE",
        "bizStep": "storing",
        "epcList": PACKS[:1],
        **fields,
    }


EVENTS: dict[str, dict[str, Any]] = {
    "plain": event(),
    "the day before": event(eventTime="2026-03-01T01:30:00+02:00", eventTimeZoneOffset="-11:30"),
    "with microseconds": event(eventTime="2026-10-01T23:30:00.123456Z", eventTimeZoneOffset="+00:00"),
    "more claims than sixteen": event(epcList=PACKS * 5),
    "equal members of a list": event(epcList=[PACKS[0], PACKS[0], PACKS[1], PACKS[0]]),
    "empty lists": event(epcList=[], quantityList=[]),
    "a list that is none": event(epcList="not a list"),
    "ilmd": event(
        action="ADD",
        bizStep="commissioning",
        ilmd={
            "cbvmda:lotNumber": "ABC-1",
            "cbvmda:itemExpirationDate": "2028-03-31",
            "note": '药 ± \u2028 "quoted" \\ \x7f\x1f\n',
        },
    ),
    "numbers": event(
        weights=[
            0,
            -0.0,
            5.0,
            0.1,
            -5,
            1e21,
            1e-7,
            123456789.125,
            1.5e300,
            5e-324,
            2**53 - 1,
            1e-6,
            0.000001234,
            1.25e22,
        ]
    ),
    "names beyond ASCII": event(**{"\U0001f48a:x": 1, "\ufb33:y": {"\U0001f48a": 1, "\ufb33": 2, "a": [None, True]}}),
    "sensors": event(
        sensorElementList=[
            {"sensorReport": [{"type": "Temperature", "uom": "CEL", "value": 5.4}]},
            {"sensorReport": [{"type": "Temperature", "uom": "CEL", "value": -0.5}]},
        ]
    ),
    "an error declaration": event(
        errorDeclaration={"declarationTime": "2026-10-02T00:00:00.000Z", "reason": "did_not_occur"}
    ),
    "without a time": {"type": "ObjectEvent", "action": "OBSERVE", "eventID": "urn:uuid:1"},
}
REFUSED: dict[str, dict[str, Any]] = {
    "a reserved name": event(**{"#party": "urn:dosetrail:party:other"}),
    "a count by hand": event(**{"epcList#count": 1}),
    "a member of ilmd by hand": event(**{"ilmd/cbvmda:lotNumber": "x"}),
    "the members of ilmd by hand": event(**{"ilmd#members": []}),
    "no offset": event(eventTimeZoneOffset=None),
    "an offset that is none": event(eventTimeZoneOffset="+24:00"),
    "a time without a zone": event(eventTime="2026-10-01T23:30:00"),
    "no time": event(eventTime="yesterday"),
}
TIMES = (0, 23, 255, 65_536, 1_790_000_000, 2**32, 2**40)


def cases() -> list[dict[str, Any]]:
    made = [_case(name, body, iat=1_790_000_000) for name, body in EVENTS.items()]
    return made + [_case(f"iat {iat}", EVENTS["plain"], iat=iat) for iat in TIMES]


def _case(name: str, body: dict[str, Any], *, iat: int) -> dict[str, Any]:
    key = statement.key_from_seed(seed("key"))
    secret = seed(name)
    committed = json.loads(canonical_bytes(body))
    root = claims.commit(committed, secret=secret, party=PARTY).root
    signed = statement.sign(statement.Header("event", PARTY, key.kid, iat), root, key=key)
    return {
        "name": name,
        "event": body,
        "party": PARTY,
        "seed": key.seed.hex(),
        "public": key.public.hex(),
        "secret": secret.hex(),
        "iat": iat,
        "item": {"event": _text(canonical_bytes(body)), "secret": _text(secret), "statement": _text(signed)},
    }


def _text(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def vectors() -> dict[str, Any]:
    return {"provenance": "tests/vectors/device/generate.py", "cases": cases(), "refused": REFUSED}


if __name__ == "__main__":
    json.dump(vectors(), sys.stdout, ensure_ascii=False, indent=1)
    sys.stdout.write("\n")
