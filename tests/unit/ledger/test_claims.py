"""The claims tree against a second implementation written from docs/formats.md, and what it must not leak."""

import base64
import copy
import hashlib
import hmac
import json

import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger import claims
from ledger.claims import ClaimsError
from ledger.tlog import merkle
from ledger.tlog.errors import ProofError

PARTY = "urn:dosetrail:party:acme"
SECRET = bytes(range(32))
EVENT = {
    "@context": ["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld", {"ex": "https://ex.example/"}],
    "type": "ObjectEvent",
    "eventID": "urn:uuid:2c6d1d0e-0000-4000-8000-000000000001",
    "eventTime": "2026-03-01T18:30:00.000Z",
    "eventTimeZoneOffset": "+08:00",
    "epcList": ["urn:a", "urn:b", "urn:a"],
    "quantityList": [],
    "action": "ADD",
    "bizStep": "commissioning",
    "ilmd": {"lot": "L1", "ex:note": None},
    "sensorElementList": [{"sensorReport": [{"type": "Temperature", "value": 4.5, "uom": "CEL"}]}],
}


def second_opinion(document, secret, party):
    """docs/formats.md, section Claims, once more and independently."""
    lists = {
        *("epcList", "childEPCs", "inputEPCList", "outputEPCList"),
        *("quantityList", "childQuantityList", "inputQuantityList", "outputQuantityList"),
        *("bizTransactionList", "sourceList", "destinationList", "sensorElementList"),
    }
    named = []
    for member in document:
        value = document[member]
        if member in lists and isinstance(value, list):
            named += [[member, element] for element in value] + [[member + "#count", len(value)]]
        elif member == "ilmd" and isinstance(value, dict):
            named += [["ilmd/" + key, value[key]] for key in value] + [["ilmd#members", sorted(value)]]
        else:
            named.append([member, value])
    named += [["#members", sorted(document)], ["#party", party]]
    if "eventTime" in document:
        named.append(["#day", "2026-03-02"])
    leaves, seen = [], []
    for name, value in named:
        pair = rfc8785.dumps([name, value])
        seen.append(pair)
        message = b"dosetrail/claim/1\0" + rfc8785.dumps([name, value, seen.count(pair)])
        salt = base64.urlsafe_b64encode(hmac.new(secret, message, hashlib.sha256).digest()[:16]).decode().strip("=")
        leaves.append(hashlib.sha256(b"\0" + rfc8785.dumps([salt, name, value])).digest())
    size = 16
    while size < len(leaves):
        size *= 2
    for number in range(size - len(leaves)):
        mac = hmac.new(secret, b"dosetrail/pad/1\0" + number.to_bytes(4, "big"), hashlib.sha256).digest()
        leaves.append(hashlib.sha256(b"\0" + mac).digest())
    level = sorted(leaves)
    while len(level) > 1:
        level = [hashlib.sha256(b"\1" + a + b).digest() for a, b in zip(level[::2], level[1::2], strict=True)]
    return level[0]


def root(document=EVENT, secret=SECRET, party=PARTY):
    return claims.commit(document, secret=secret, party=party).root


def changed(**members):
    return {**copy.deepcopy(EVENT), **members}


def test_a_second_implementation_gets_the_same_root():
    assert root() == second_opinion(EVENT, SECRET, PARTY)
    many = changed(epcList=[f"urn:{number}" for number in range(100)])
    assert root(many) == second_opinion(many, SECRET, PARTY)
    small = {"@type": "MasterDataVersion", "subject": "item:1", "effectiveTime": 1, "content": {"a": []}}
    assert root(small) == second_opinion(small, SECRET, PARTY)


def test_the_root_is_fixed_for_ever():
    # The format's own vector: a change here breaks every document ever committed.
    assert root().hex() == "7a5eaa90a68d6de087a3062912934032c6eacd1d3581a8ffdd1c4244328464da"


def test_every_claim_can_be_shown_alone_and_proves_itself():
    committed = claims.commit(EVENT, secret=SECRET, party=PARTY)
    for shown in claims.disclose(committed, lambda name: True):
        path = [base64.b64decode(item) for item in shown["path"]]
        leaf = merkle.leaf_hash(shown["claim"].encode())
        merkle.verify_inclusion(shown["index"], 1 << len(path), leaf=leaf, proof=path, root=committed.root)
        with pytest.raises(ProofError):
            merkle.verify_inclusion(
                shown["index"], 1 << len(path), leaf=merkle.leaf_hash(b"x"), proof=path, root=committed.root
            )


def test_only_the_names_asked_for_are_shown():
    committed = claims.commit(EVENT, secret=SECRET, party=PARTY)
    shown = claims.disclose(committed, lambda name: name in {"type", "epcList", "#day"})
    values = sorted(json.loads(item["claim"])[1:] for item in shown)
    assert values == [
        ["#day", "2026-03-02"],
        ["epcList", "urn:a"],
        ["epcList", "urn:a"],
        ["epcList", "urn:b"],
        ["type", "ObjectEvent"],
    ]
    assert len({json.loads(item["claim"])[0] for item in shown}) == 5  # equal members have salts of their own
    assert len({item["index"] for item in shown}) == 5


def test_the_order_in_a_list_is_not_committed_and_what_is_in_it_is():
    assert root(changed(epcList=["urn:b", "urn:a", "urn:a"])) == root()
    assert root(changed(epcList=["urn:a", "urn:b"])) != root()
    assert root(changed(epcList=["urn:a", "urn:b", "urn:b"])) != root()
    assert root(dict(reversed(EVENT.items()))) == root()


@pytest.mark.parametrize(
    "other",
    [
        changed(epcList=[]),
        {name: value for name, value in EVENT.items() if name != "quantityList"},
        changed(quantityList=None),
        changed(ilmd={}),
        changed(ilmd={"lot": "L1"}),
        changed(ilmd=None),
        changed(action="ADD "),
        changed(extra=None),
        changed(eventTimeZoneOffset="+08:01"),
        changed(ilmd=[["lot", "L1"]]),
    ],
)
def test_no_two_documents_share_a_root(other):
    assert root(other) != root()


def test_party_and_secret_are_committed():
    assert root(party=PARTY + "x") != root()
    assert root(secret=bytes(32)) != root()


@pytest.mark.parametrize(
    "bad",
    [
        changed(**{"#party": "x"}),
        changed(**{"epcList#count": 3}),
        changed(**{"ilmd/lot": "L2"}),
        changed(**{"ilmd#members": []}),
        changed(value=float("nan")),
        changed(value=2**60),
        changed(value="\ud800"),
        changed(epcList=[{"\ud800": 1}]),
        changed(eventTime="yesterday"),
        changed(eventTime="2026-03-01T18:30:00"),
        changed(eventTime=7),
        changed(eventTimeZoneOffset="8"),
        {name: value for name, value in EVENT.items() if name != "eventTimeZoneOffset"},
        changed(eventTime="9999-12-31T23:59:59Z"),
        {1: 2},
    ],
)
def test_what_cannot_be_committed_is_refused(bad):
    with pytest.raises(ClaimsError):
        root(bad)
    with pytest.raises(ClaimsError):
        root(secret=b"short")


def test_names_that_only_look_reserved_are_fine():
    root(changed(**{"https://ex.example/ns#count": 1, "ilmdx": 2, "ex:field": 3}))


@pytest.mark.parametrize(
    ("time", "offset", "day"),
    [
        ("2026-03-01T18:30:00Z", "+08:00", "2026-03-02"),
        ("2026-03-01T18:30:00Z", "-05:00", "2026-03-01"),
        ("2026-03-01T02:30:00+00:00", "-05:00", "2026-02-28"),
        ("2026-03-01T23:59:59.999+08:00", "+08:00", "2026-03-01"),
    ],
)
def test_the_day_is_the_local_one(time, offset, day):
    assert claims.local_day(time, offset) == day


@settings(deadline=None)
@given(st.integers(1, 400))
def test_the_number_of_leaves_tells_only_a_power_of_two(count):
    size = len(claims.commit(changed(epcList=["urn:a"] * count), secret=SECRET, party=PARTY).leaves)
    assert size >= 16
    assert size & (size - 1) == 0
