"""Statements: deterministic CBOR only, exact header, one pinned signature scheme."""

import cbor2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger import statement as statements
from ledger.statement import Header, StatementError

KEY = statements.key_from_seed(b"\5" * 32)
PARTY = "urn:dosetrail:party:acme"
HEADER = Header("event", PARTY, KEY.kid, 7200)
GOOD = statements.sign(HEADER, b"\x11" * 32, key=KEY)


def rebuilt(protected=None, unprotected=None, payload=b"\x11" * 32, signature=b"\0" * 64, tag=18):
    fields = {1: -8, 3: statements.content_type("event"), 4: KEY.kid, 15: {1: PARTY, 2: "dosetrail:event", 6: 7200}}
    head = cbor2.dumps(fields) if protected is None else protected
    return cbor2.dumps(cbor2.CBORTag(tag, [head, {} if unprotected is None else unprotected, payload, signature]))


def test_a_statement_comes_back_and_verifies():
    parsed = statements.parse(GOOD)
    assert parsed.header == HEADER
    assert parsed.payload == b"\x11" * 32
    statements.verify(parsed, KEY.public)
    assert len(GOOD) < 300
    statements.parse(rebuilt())  # the builder of the refused cases below builds the accepted one too


def test_the_thumbprint_is_that_of_rfc_9679():
    # The thumbprint hashes the deterministic encoding of {1: 1 (OKP), -1: 6 (Ed25519), -2: x}.
    encoded = cbor2.dumps({1: 1, -1: 6, -2: KEY.public})
    assert statements.key_id(KEY.public) == __import__("hashlib").sha256(encoded).digest()


def test_another_key_or_a_changed_byte_does_not_verify():
    other = statements.key_from_seed(b"\6" * 32)
    with pytest.raises(StatementError) as caught:
        statements.verify(statements.parse(GOOD), other.public)
    assert caught.value.code == "bad-kid"
    forged = statements.parse(rebuilt(payload=b"\x12" * 32, signature=statements.parse(GOOD).signature))
    with pytest.raises(StatementError) as caught:
        statements.verify(forged, KEY.public)
    assert caught.value.code == "bad-signature"


@settings(deadline=None)
@given(st.integers(0, len(GOOD) * 8 - 1))
def test_no_flipped_bit_goes_unnoticed(bit):
    damaged = bytearray(GOOD)
    damaged[bit // 8] ^= 1 << bit % 8
    with pytest.raises(StatementError):
        statements.verify(statements.parse(bytes(damaged)), KEY.public)


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_refused_with_an_error_of_ours(data):
    with pytest.raises(StatementError):
        statements.parse(data)


def header_with(**changes):
    fields = {1: -8, 3: statements.content_type("event"), 4: KEY.kid, 15: {1: PARTY, 2: "dosetrail:event", 6: 7200}}
    fields.update({int(key[1:]): value for key, value in changes.items()})
    return cbor2.dumps({key: value for key, value in fields.items() if value is not ...})


BAD_HEADERS = {
    "other algorithm": header_with(_1=-7),
    "other content type": header_with(_3="text/plain"),
    "extra label": header_with(_16="x"),
    "missing label": header_with(_3=...),
    "short kid": header_with(_4=b"k" * 31),
    "kid as text": header_with(_4="k" * 32),
    "unknown kind": header_with(_15={1: PARTY, 2: "dosetrail:banana", 6: 7200}),
    "other subject": header_with(_15={1: PARTY, 2: "event", 6: 7200}),
    "extra claim": header_with(_15={1: PARTY, 2: "dosetrail:event", 6: 7200, 7: b"x"}),
    "missing claim": header_with(_15={1: PARTY, 2: "dosetrail:event"}),
    "float time": header_with(_15={1: PARTY, 2: "dosetrail:event", 6: 7200.0}),
    "boolean time": header_with(_15={1: PARTY, 2: "dosetrail:event", 6: True}),
    "negative time": header_with(_15={1: PARTY, 2: "dosetrail:event", 6: -1}),
    "empty iss": header_with(_15={1: "", 2: "dosetrail:event", 6: 7200}),
    "iss as bytes": header_with(_15={1: b"x", 2: "dosetrail:event", 6: 7200}),
    "unsorted": cbor2.dumps(
        {3: statements.content_type("event"), 1: -8, 4: KEY.kid, 15: {1: PARTY, 2: "dosetrail:event", 6: 7200}}
    ),
    "a list": cbor2.dumps([1, 2]),
    "duplicate label": b"\xa5\x01\x27" + header_with()[1:],
    "non-minimal integer": header_with().replace(b"\x19\x1c\x20", b"\x1a\x00\x00\x1c\x20"),
    "trailing byte": header_with() + b"\0",
    "indefinite map": b"\xbf" + header_with()[1:] + b"\xff",
}


@pytest.mark.parametrize("name", BAD_HEADERS)
def test_a_header_has_one_spelling(name):
    with pytest.raises(StatementError):
        statements.parse(rebuilt(protected=BAD_HEADERS[name]))


BAD_BODIES = {
    "no tag": cbor2.dumps(cbor2.loads(GOOD).value),
    "other tag": rebuilt(tag=17),
    "unprotected header": rebuilt(unprotected={4: b"x"}),
    "detached payload": rebuilt(payload=None),
    "short payload": rebuilt(payload=b"\x11" * 31),
    "short signature": rebuilt(signature=b"\0" * 63),
    "text signature": rebuilt(signature="x" * 64),
    "trailing byte": GOOD + b"\0",
    "cut off": GOOD[:-1],
    "indefinite array": b"\xd2\x9f" + GOOD[2:] + b"\xff",
    "long tag": b"\xd8\x12" + GOOD[1:],
    "non-minimal length": GOOD.replace(b"\x58\x40", b"\x59\x00\x40"),
    "too long": b"\xd2" + b"x" * 65_536,
}


@pytest.mark.parametrize("name", BAD_BODIES)
def test_a_statement_has_one_spelling(name):
    with pytest.raises(StatementError):
        statements.parse(BAD_BODIES[name])


@pytest.mark.parametrize(
    "payload",
    [b'{"a": 1}', b'{"b":1,"a":2}', b'{"a":1,"a":1}', b"{", b"1.0", b"NaN", b'"\\ud800"', b"9007199254740993"],
)
def test_public_content_is_canonical_json(payload):
    fields = {1: -8, 3: statements.content_type("policy"), 4: KEY.kid, 15: {1: PARTY, 2: "dosetrail:policy", 6: 7200}}
    assert statements.parse(rebuilt(protected=cbor2.dumps(fields), payload=b'{"a":1}')).content == {"a": 1}
    with pytest.raises(StatementError) as caught:
        statements.parse(rebuilt(protected=cbor2.dumps(fields), payload=payload))
    assert caught.value.code == "bad-payload"


def test_the_largest_statement_that_fits():
    def policy(length):
        return statements.sign(Header("policy", PARTY, KEY.kid, 0), "x" * length, key=KEY)

    room = 65_535 - len(policy(60_000)) + 60_000
    assert len(policy(room)) == 65_535
    statements.parse(policy(room))
    with pytest.raises(StatementError) as caught:
        policy(room + 1)
    assert caught.value.code == "too-long"


@pytest.mark.parametrize(
    "public",
    [
        bytes(32),  # order 4
        b"\1" + bytes(31),  # the neutral element
        bytes.fromhex("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),  # order 2
        bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"),  # order 8
        bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"),  # order 8
        b"\xff" * 32,
        b"short",
    ],
)
def test_weak_keys_are_refused(public):
    statements.check_public_key(KEY.public)
    with pytest.raises(StatementError) as caught:
        statements.check_public_key(public)
    assert caught.value.code == "bad-key"
    with pytest.raises(StatementError) as caught:
        statements.verify(statements.parse(GOOD), public)
    assert caught.value.code == "bad-key"
