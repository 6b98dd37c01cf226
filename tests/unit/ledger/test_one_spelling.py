"""What is parsed has one spelling: it is written as it was read, or it is refused."""

from base64 import b64encode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger import keyring
from ledger import statement as statements
from ledger.statement import Header, StatementError
from ledger.tlog import checkpoint, cosignature, merkle, note, tile, tlog_proof
from ledger.tlog.checkpoint import Checkpoint
from ledger.tlog.errors import NoteError, TlogError
from ledger.tlog.tile import ENTRIES, TileName
from ledger.tlog.tlog_proof import TlogProof

SEED = b"\7" * 32
KEY = statements.key_from_seed(SEED)
ORIGIN = "log.example/one"
ROOT = merkle.leaf_hash(b"one")
TEXT = Checkpoint(ORIGIN, 12, ROOT).text()
SIGNED = checkpoint.sign(Checkpoint(ORIGIN, 12, ROOT), seed=SEED)
COSIGNED = SIGNED + cosignature.sign(TEXT, name="w.example", seed=SEED, time_s=1_700_000_000)
NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20).filter(
    lambda text: not any(character.isspace() or character == "+" or character < "\x20" for character in text)
)
HASHES = st.binary(min_size=32, max_size=32)


def rendered_note(data):
    found = note.parse(data)
    return f"{found.text}\n{''.join(map(note.format_line, found.signatures))}".encode()


def rendered_statement(data):
    found = statements.parse(data)
    return statements._assemble(found.protected, found.payload, found.signature)


def rendered_vkey(data):
    return note.format_vkey(*note.split_vkey(data.decode())).encode()


READERS = {
    "note": (COSIGNED.encode(), rendered_note),
    "checkpoint": (TEXT.encode(), lambda data: checkpoint.parse(data.decode()).text().encode()),
    "vkey": (str(note.Verifier(ORIGIN, KEY.public)).encode(), rendered_vkey),
    "tlog-proof": (
        TlogProof(3, (ROOT, ROOT), COSIGNED.encode(), b"more").text(),
        lambda data: tlog_proof.parse(data).text(),
    ),
    "tile path": (
        b"entries/x001/x234/067.p/112",
        lambda data: tile.format_path(tile.parse_path(data.decode())).encode(),
    ),
    "entry bundle": (
        tile.pack_bundle([b"one", b"", b"three"]),
        lambda data: tile.pack_bundle(tile.unpack_bundle(data)),
    ),
    "event": (statements.sign(Header("event", "urn:x", KEY.kid, 5), ROOT, key=KEY), rendered_statement),
    "genesis": (
        statements.sign(
            Header("genesis", "urn:x", KEY.kid, 70_000),
            keyring.genesis(origin=ORIGIN, operator_name="é", root=KEY.public, registrars=[]),
            key=KEY,
        ),
        rendered_statement,
    ),
}
HOW = st.sampled_from(["flip", "insert", "delete", "double", "swap"])
MUTATIONS = st.lists(st.tuples(HOW, st.integers(0, 10**6), st.binary(min_size=1, max_size=3)), min_size=1, max_size=3)


def mutated(data, changes):
    for how, place, more in changes:
        data = bytearray(data)
        place %= len(data) + 1
        if how == "insert":
            data[place:place] = more
        elif how == "double":
            data[place:place] = data[place : place + 8]
        elif how == "delete":
            del data[place : place + len(more)]
        elif how == "swap":
            data[place : place + 2] = data[place : place + 2][::-1]
        elif place < len(data):
            data[place] ^= 1 << more[0] % 8
    return bytes(data)


@pytest.mark.parametrize("name", READERS)
def test_a_spelling_comes_back(name):
    good, read = READERS[name]
    assert read(good) == good


@pytest.mark.parametrize("name", READERS)
@settings(deadline=None, max_examples=300)
@given(changes=MUTATIONS)
def test_what_is_changed_comes_back_as_it_is_or_is_refused(name, changes):
    good, read = READERS[name]
    data = mutated(good, changes)
    try:
        again = read(data)
    except (TlogError, StatementError, UnicodeDecodeError):
        return
    assert again == data


@settings(deadline=None, max_examples=300)
@given(data=st.binary(max_size=200))
def test_noise_is_refused_or_comes_back(data):
    for _, read in READERS.values():
        try:
            again = read(data)
        except (TlogError, StatementError, UnicodeDecodeError):
            continue
        assert again == data


@settings(deadline=None)
@given(origin=NAMES, size=st.integers(1, 2**63 - 1), root=HASHES)
def test_checkpoints_come_back(origin, size, root):
    made = Checkpoint(origin, size, root)
    assert checkpoint.parse(made.text()) == made
    key = note.Verifier(origin, KEY.public)
    assert checkpoint.verify(checkpoint.sign(made, seed=SEED).encode(), key) == made
    assert note.parse_vkey(str(key)) == key


@settings(deadline=None)
@given(name=NAMES, time_s=st.integers(1, 2**63 - 1))
def test_cosignatures_come_back(name, time_s):
    line = note.parse_line(cosignature.sign(TEXT, name=name, seed=SEED, time_s=time_s)[:-1])
    key = cosignature.Cosigner(name, KEY.public)
    assert cosignature.parse_vkey(str(key)) == key
    assert (line.name, line.key_id, cosignature.time_of(line.payload)) == (name, key.key_id, time_s)
    key.verify(TEXT, line.payload)


@settings(deadline=None)
@given(index=st.integers(0, 2**63 - 1), path=st.lists(HASHES, max_size=63), extra=st.none() | st.binary(max_size=50))
def test_proofs_come_back(index, path, extra):
    made = TlogProof(index, tuple(path), SIGNED.encode(), extra)
    assert tlog_proof.parse(made.text()) == made


@given(level=st.sampled_from([ENTRIES, *range(64)]), number=st.integers(0, 2**56 - 1), width=st.integers(1, 256))
def test_tile_names_come_back(level, number, width):
    name = TileName(level, number, width)
    assert tile.parse_path(tile.format_path(name)) == name


@settings(deadline=None)
@given(
    kind=st.sampled_from(sorted(statements.PRIVATE_KINDS)),
    iss=NAMES.filter(str.isprintable),
    iat=st.integers(0, 2**40),
    payload=HASHES,
)
def test_statements_come_back(kind, iss, iat, payload):
    header = Header(kind, iss, KEY.kid, iat)
    found = statements.parse(statements.sign(header, payload, key=KEY))
    assert (found.header, found.payload) == (header, payload)
    statements.verify(found, KEY.public)


def a_public_statement(length):
    """One of exactly so many bytes."""

    def made(text):
        return statements.sign(Header("recall-notice", "urn:x", KEY.kid, 0), {"lot": text}, key=KEY)

    return made("x" * (60_000 + length - len(made("x" * 60_000))))


def test_a_statement_of_65535_bytes_fits_and_one_more_does_not():
    longest = a_public_statement(65_535)
    assert len(longest) == 65_535
    statements.verify(statements.parse(longest), KEY.public)
    assert tile.unpack_bundle(tile.pack_bundle([longest])) == [longest]
    with pytest.raises(StatementError, match="at most 65535"):
        a_public_statement(65_536)
    with pytest.raises(StatementError, match="at most 65535"):
        statements.parse(longest + b"x")


LINE = SIGNED.split("\n")[4]
PAYLOAD = note.parse(SIGNED.encode()).signatures[0]
VERIFIER = note.Verifier(ORIGIN, KEY.public)


def spare_bits(line):
    """The same bytes in base64 whose unused bits are not zero."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    body = line.rstrip("=")
    return body[:-1] + alphabet[alphabet.index(body[-1]) | 1] + "=" * (len(line) - len(body))


def test_base64_with_spare_bits_is_refused():
    data = b64encode(b"1234567").decode()
    other = spare_bits(data)
    assert other != data
    assert note.decode_base64(data) == b"1234567"
    with pytest.raises(NoteError, match="canonical"):
        note.decode_base64(other)


def test_the_same_line_twice_counts_once_and_spoils_nothing():
    found = note.verify(f"{SIGNED}{LINE}\n".encode(), [VERIFIER])
    assert len(found.lines_of(VERIFIER)) == 2


def test_a_collision_of_key_ids_takes_no_line_for_anothers():
    """Another name with the same four bytes is another key: its line proves nothing and spoils nothing."""
    stranger = note.format_line(note.Signature("other.example", PAYLOAD.key_id, PAYLOAD.payload))
    assert note.verify(f"{SIGNED}{stranger}".encode(), [VERIFIER]).lines_of(VERIFIER)
    with pytest.raises(NoteError, match="no known key"):
        note.verify(f"{TEXT}\n{stranger}".encode(), [VERIFIER])
    false = note.format_line(note.Signature(ORIGIN, PAYLOAD.key_id, bytes(64)))
    with pytest.raises(NoteError, match="does not verify"):
        note.verify(f"{SIGNED}{false}".encode(), [VERIFIER])


@pytest.mark.parametrize("count", [1, 16, 17, 100])
def test_many_lines_are_read(count):
    strangers = "".join(
        note.format_line(note.Signature(f"w{number}.example", b"1234", bytes(64))) for number in range(count - 1)
    )
    assert len(note.verify(f"{TEXT}\n{strangers}{LINE}\n".encode(), [VERIFIER]).signatures) == count
