import pytest

from ledger import api

PARTY = "urn:dosetrail:party:acme"
EVENT = {
    "@context": ["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"],
    "type": "ObjectEvent",
    "eventID": "urn:uuid:2c6d1d0e-0000-4000-8000-000000000001",
    "eventTime": "2026-03-01T18:30:00.000Z",
    "eventTimeZoneOffset": "+08:00",
    "epcList": ["https://id.gs1.org/01/09504000059118/21/1"],
    "action": "ADD",
    "bizStep": "commissioning",
}
SECRET = b"s" * 32


@pytest.mark.django_db
def test_a_statement_goes_from_submission_to_a_published_position():
    api.initialise(operator_name="Test operator")
    key = api.generate_key()
    api.register_key(public=key.public, party_uri=PARTY)
    root = api.commit_claims(EVENT, secret=SECRET, party=PARTY).root
    [name] = api.submit([api.sign_statement(key=key, iss=PARTY, kind="event", payload=root, iat=3600)])
    assert api.positions([name]) == {}
    assert api.backlog() == 3
    assert api.sequence_once() == 3
    assert api.backlog() == 0
    position = api.positions([name])[name]
    assert position.index == 2
    assert api.published_size() == 3
    assert api.wait_published([name], 0)
    assert api.latest_checkpoint().size == 3
    assert api.key_status(key.kid.hex(), 2).party == PARTY
    assert api.published(2, 5)[0].statement_hash == name
    assert api.ledger_time_ms() == position.record_time_ms
    bundle = api.evidence([(name, EVENT, SECRET, lambda claim: True)])
    assert [entry["index"] for entry in bundle["keys"]] == [0, 1]
