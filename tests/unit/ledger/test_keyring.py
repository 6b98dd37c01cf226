"""The status of keys at an index: rotation, revocation in mid batch, statements that nobody had a right to."""

import pytest

from ledger import keyring
from ledger import statement as statements
from ledger.keyring import KeyState
from ledger.statement import Header, StatementError

ROOT, REGISTRAR, PARTY, NEXT, STRANGER = (statements.key_from_seed(bytes([number]) * 32) for number in range(1, 6))
OPERATOR = "urn:dosetrail:operator"
ACME = "urn:dosetrail:party:acme"


def signed(key, kind, content, iss=OPERATOR):
    return statements.sign(Header(kind, iss, key.kid, 3600), content, key=key)


def genesis():
    return signed(ROOT, "genesis", keyring.genesis(
        origin="log.example", operator_name="x", root=ROOT.public, registrars=[REGISTRAR.public]
    ))  # fmt: skip


def registered(key=PARTY, by=REGISTRAR, **changes):
    return signed(by, "key-registered", {**keyring.registration(public=key.public, party=ACME), **changes})


def revoked(key=PARTY, since=10_000_000, by=REGISTRAR):
    return signed(by, "key-revoked", keyring.revocation(kid=key.kid, bad_since_ms=since))


def ring(*entries):
    return keyring.fold(enumerate([genesis(), *entries]))


def test_a_key_counts_from_the_entry_after_its_registration():
    keys = ring(registered())
    assert keys.status(PARTY.kid, 1).state is KeyState.UNKNOWN
    status = keys.status(PARTY.kid, 2)
    assert (status.state, status.party, status.public) == (KeyState.VALID, ACME, PARTY.public)
    assert keys.status(STRANGER.kid, 2).state is KeyState.UNKNOWN


def test_a_revocation_counts_for_later_entries_and_for_times_since():
    keys = ring(registered(), revoked(since=7_200_000))
    assert keys.status(PARTY.kid, 2).state is KeyState.VALID
    assert keys.status(PARTY.kid, 2).believes(7199)  # before the key went bad
    assert not keys.status(PARTY.kid, 2).believes(7200)  # logged before the revocation, signed since the theft
    assert keys.status(PARTY.kid, 3).state is KeyState.REVOKED
    assert not keys.status(PARTY.kid, 3).believes(0)


def rotated(since=7_200_000, old=PARTY, new=NEXT):
    content = keyring.rotation(public=new.public, party=ACME, replaces=old.kid, bad_since_ms=since)
    return signed(REGISTRAR, "key-rotated", content)


def test_a_rotation_registers_one_and_retires_the_other():
    keys = ring(registered(), rotated())
    for index in (2, 3, 99):  # where a statement stands does not matter: what the old key signed in its time counts
        assert keys.status(PARTY.kid, index).state is KeyState.VALID
        assert keys.status(PARTY.kid, index).believes(7199)
        assert not keys.status(PARTY.kid, index).believes(7200)
    assert keys.status(NEXT.kid, 3).believes(9999)


def test_while_a_rotation_overlaps_both_keys_count():
    keys = ring(registered(), rotated(since=7_200_000_000))
    assert keys.status(PARTY.kid, 5).believes(7_199_999)
    assert keys.status(NEXT.kid, 5).believes(7_199_999)


def test_a_retired_key_that_is_revoked_counts_no_more():
    keys = ring(registered(), rotated(), revoked(since=7_200_000))
    assert keys.status(PARTY.kid, 3).believes(7199)
    assert keys.status(PARTY.kid, 4).state is KeyState.REVOKED


@pytest.mark.parametrize(
    ("entries", "index", "iat", "void_from"),
    [
        ([], 1, 0, 1),  # at its registration, not after it
        ([], 2, 0, None),
        ([revoked(since=7_200_000)], 4, 0, 4),  # after the revocation, whatever time it claims
        ([rotated(), revoked(since=7_200_000)], 2, 7199, None),
        ([rotated(), revoked(since=3_600_000)], 2, 7199, 4),  # the later entry reaches further back
        ([rotated(), revoked(since=3_600_000)], 2, 7200, 3),
        ([revoked(since=9_000_000), revoked(since=1_000_000)], 2, 5000, 4),
        ([rotated(), revoked(since=3_600_000)], 9, 0, 9),
    ],
)
def test_from_which_entry_on_a_statement_is_void(entries, index, iat, void_from):
    """The statement stands at 2 where nothing else is said; what ends its key, from 3 on."""
    record = ring(registered(), registered(by=STRANGER), *entries).keys[PARTY.kid]
    assert record.void_from(index, iat) == void_from


def test_a_rotation_cannot_replace_the_key_that_it_registers():
    assert ring(rotated(old=NEXT)).effective == [0]


def test_a_rotation_of_an_unknown_key_registers_nothing():
    content = keyring.rotation(public=NEXT.public, party=ACME, replaces=PARTY.kid, bad_since_ms=1)
    keys = ring(signed(REGISTRAR, "key-rotated", content))
    assert keys.status(NEXT.kid, 9).state is KeyState.UNKNOWN
    assert keys.effective == [0]


def test_a_second_revocation_only_reaches_further_back():
    keys = ring(registered(), revoked(since=5_000_000), revoked(since=9_000_000), revoked(since=1_000_000))
    assert [keys.status(PARTY.kid, 2).believes(iat) for iat in (999, 1000)] == [True, False]
    assert keys.status(PARTY.kid, 3).state is KeyState.REVOKED


@pytest.mark.parametrize(
    "entry",
    [
        registered(by=STRANGER),
        registered(by=ROOT),
        registered(kid=NEXT.kid.hex()),
        registered(party=""),
        registered(public="AA=="),
        registered(public="A" * 43 + "="),  # the neutral element and other weak keys
        signed(REGISTRAR, "key-registered", keyring.registration(public=PARTY.public, party=ACME), iss=ACME),
        signed(REGISTRAR, "key-registered", [1]),
        signed(REGISTRAR, "policy", {"a": 1}),
        genesis(),
    ],
)
def test_a_void_statement_changes_nothing(entry):
    assert ring(registered()).status(PARTY.kid, 2).state is KeyState.VALID
    keys = ring(entry)
    assert keys.status(PARTY.kid, 2).state is KeyState.UNKNOWN
    assert keys.effective == [0]


@pytest.mark.parametrize("bad_since", [-1, 1.5, "1", None, True])
def test_a_revocation_needs_a_time(bad_since):
    content = {"kid": PARTY.kid.hex(), "badSince": bad_since}
    keys = ring(registered(), signed(REGISTRAR, "key-revoked", content))
    assert keys.status(PARTY.kid, 9).state is KeyState.VALID


def test_a_key_cannot_be_taken_over_by_a_second_registration():
    keys = ring(registered(), registered(party="urn:dosetrail:party:thief"))
    assert keys.status(PARTY.kid, 9).party == ACME


@pytest.mark.parametrize(
    "first",
    [
        registered(),
        signed(STRANGER, "genesis", keyring.genesis(origin="o", operator_name="x", root=ROOT.public, registrars=[])),
        signed(ROOT, "genesis", {"format": "dosetrail.genesis/2"}),
    ],
)
def test_without_a_genesis_nothing_can_be_believed(first):
    with pytest.raises(StatementError):
        keyring.fold([(0, first)])


def test_the_genesis_is_entry_zero():
    with pytest.raises(StatementError):
        keyring.Keyring().add(1, statements.parse(genesis()))
