"""Fills the log of a new house: python -m tests.outside.build_log FOLDER SIZE …

At each SIZE the newest checkpoint is kept as FOLDER/checkpoint-SIZE, at the end the evidence of an event as
FOLDER/evidence. One statement is as long as an entry may be.
"""

import json
import secrets
import sys
from pathlib import Path

import django

PARTY = "urn:dosetrail:party:outside"
BATCH = 5_000
EVENT = {
    "type": "ObjectEvent",
    "eventID": "urn:uuid:2c6d1d0e-0000-4000-8000-000000000001",
    "eventTime": "2026-03-01T18:30:00.000Z",
    "eventTimeZoneOffset": "+08:00",
    "epcList": ["https://id.gs1.org/01/09504000059118/21/1", "https://id.gs1.org/01/09504000059118/21/2"],
    "action": "ADD",
    "bizStep": "commissioning",
    "readPoint": {"id": "https://id.gs1.org/414/9504000059101"},
    "ilmd": {"cbvmda:lotNumber": "甲-1"},
    "sensorElementList": [{"sensorReport": [{"type": "Temperature", "value": 4.5, "uom": "CEL"}]}],
}


def main(folder: Path, sizes: list[int]) -> None:
    django.setup()
    from django.core.management import call_command

    from ledger import api

    call_command("migrate", verbosity=0)
    api.initialise(operator_name="Outside")
    key = api.generate_key()
    api.register_key(public=key.public, party_uri=PARTY)
    secret = secrets.token_bytes(32)
    root = api.commit_claims(EVENT, secret=secret, party=PARTY).root
    event = api.sign_statement(key=key, iss=PARTY, kind="event", payload=root, iat=0)
    (name, _) = api.submit([event, longest(api, key)])
    api.sequence_once()
    for size in sizes:
        while (missing := size - api.published_size()) > 0:
            api.submit(
                [
                    api.sign_statement(key=key, iss=PARTY, kind="event", payload=secrets.token_bytes(32), iat=0)
                    for _ in range(min(missing, BATCH))
                ]
            )
            api.sequence_once()
        newest = api.latest_checkpoint()
        assert newest is not None
        assert newest.size == size
        (folder / f"checkpoint-{size}").write_text(newest.note)
    (folder / "evidence").write_text(json.dumps(api.evidence([api.EvidenceRequest(name, EVENT, secret, shown)])))


def shown(claim: str) -> bool:
    return claim != "readPoint"


def longest(api: object, key: object) -> bytes:
    """A statement of exactly 65,535 bytes."""

    def statement(length: int) -> bytes:
        payload = {"gtin": "09521000001008", "lot": "x" * length}
        return api.sign_statement(key=key, iss=PARTY, kind="recall-notice", payload=payload, iat=0)

    return statement(65_000 + 65_535 - len(statement(65_000)))


if __name__ == "__main__":
    main(Path(sys.argv[1]), [int(word) for word in sys.argv[2:]])
