"""Trust policies: what they say, what makes a checkpoint final, and every malformed line refused by its number."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nacl.signing import SigningKey

from ledger.tlog import checkpoint, cosignature, merkle, note, policy
from ledger.tlog.cosignature import Cosigner
from ledger.tlog.errors import CheckpointError, NoteError, PolicyError

ORIGIN = "log.example/one"
LOG_SEED = b"\1" * 32
LOG = note.Verifier(ORIGIN, bytes(SigningKey(LOG_SEED).verify_key))
SEEDS = {name: bytes([number]) * 32 for number, name in enumerate("abcdef", start=10)}
KEYS = {name: Cosigner(f"{name}.example", bytes(SigningKey(seed).verify_key)) for name, seed in SEEDS.items()}
TREE = checkpoint.Checkpoint(ORIGIN, 7, merkle.leaf_hash(b"seven"))
WITNESSES = "".join(f"witness {name} {key}\n" for name, key in KEYS.items())
TIME = 1_750_000_000


def text(rest: str) -> str:
    return f"log {LOG} https://log.example/one\n{WITNESSES}{rest}"


def cosigned(*names: str) -> bytes:
    lines = [
        cosignature.sign(TREE.text(), name=KEYS[name].name, seed=SEEDS[name], time_s=TIME + i)
        for i, name in enumerate(names)
    ]
    return (checkpoint.sign(TREE, seed=LOG_SEED) + "".join(lines)).encode()


def test_a_policy_says_who_counts_and_where_they_are() -> None:
    found = policy.parse(
        f"# ours\n\nlog {LOG} https://log.example/one/\n"
        f"witness a {KEYS['a']} https://a.example/w  # the regulator\n\tquorum\ta\n"
    )
    assert [(log.verifier, log.url) for log in found.logs] == [(LOG, "https://log.example/one")]
    assert found.witnesses["a"] == policy.Witness("a", KEYS["a"], "https://a.example/w")
    assert found.quorum == "a"


def test_final_is_what_the_quorum_cosigned() -> None:
    found = policy.parse(text("group two 2 a b c\nquorum two\n"))
    assert not found.check(cosigned()).final
    assert not found.check(cosigned("a")).final
    assert not found.check(cosigned("a", "d", "e")).final
    checked = found.check(cosigned("c", "a"))
    assert (checked.final, checked.checkpoint) == (True, TREE)
    assert checked.cosigned == {"c": TIME, "a": TIME + 1}


def test_one_witness_can_be_made_compulsory_by_nesting() -> None:
    """The regulator `a`, and any two of three others."""
    found = policy.parse(text("group others 2 b c d\ngroup both all a others\nquorum both\n"))
    for count in range(5):
        for names in itertools.combinations("abcd", count):
            wanted = "a" in names and len(set(names) - {"a"}) >= 2
            assert found.is_met(names) is wanted, names


@given(st.sets(st.sampled_from("abcdef")), st.integers(1, 6))
def test_a_threshold_counts_witnesses(names: set[str], threshold: int) -> None:
    found = policy.parse(text(f"group g {threshold} a b c d e f\nquorum g\n"))
    assert found.is_met(names) is (len(names) >= threshold)


def test_without_a_quorum_nothing_is_final() -> None:
    assert not policy.parse(text("quorum none\n")).check(cosigned("a", "b", "c")).final


def test_a_witness_that_signs_twice_counts_once() -> None:
    found = policy.parse(text("group two 2 a b\nquorum two\n"))
    assert not found.check(cosigned("a", "a")).final
    assert found.check(cosigned("a", "a")).cosigned == {"a": TIME + 1}


def test_the_log_itself_must_have_signed() -> None:
    found = policy.parse(text("quorum a\n"))
    line = cosigned("a").decode().splitlines(keepends=True)[-1]
    with pytest.raises(CheckpointError, match="no log of this policy"):
        found.check(f"{TREE.text()}\n{line}".encode())
    elsewhere = checkpoint.Checkpoint("log.example/two", 7, TREE.root)
    line = note.sign(elsewhere.text(), name=ORIGIN, seed=LOG_SEED)
    with pytest.raises(CheckpointError, match=r"log\.example/two"):
        found.check(line.encode())


def test_a_forged_line_of_a_known_witness_spoils_the_note() -> None:
    found = policy.parse(text("quorum a\n"))
    forged = note.format_line(note.Signature(KEYS["b"].name, KEYS["b"].key_id, bytes(72)))
    with pytest.raises(NoteError):
        found.check(cosigned("a") + forged.encode())


def test_two_keys_of_one_log_both_count() -> None:
    """While a log key is being replaced the policy names the old and the new one."""
    newer = note.Verifier(ORIGIN, bytes(SigningKey(b"\3" * 32).verify_key))
    found = policy.parse(f"log {LOG}\nlog {newer}\nquorum none\n")
    for seed in (LOG_SEED, b"\3" * 32):
        assert found.check(checkpoint.sign(TREE, seed=seed).encode()).checkpoint == TREE


@pytest.mark.parametrize(
    ("rest", "line"),
    [
        ("quorum x\n", 8),
        ("group g 1 x\nquorum g\n", 8),
        ("group g 0 a\nquorum g\n", 8),
        ("group g 2 a\nquorum g\n", 8),
        ("group g 01 a\nquorum g\n", 8),
        ("group g ２ a b\nquorum g\n", 8),
        ("group g some a\nquorum g\n", 8),
        ("group g all\nquorum g\n", 8),
        ("group g any a a\nquorum g\n", 8),
        ("group g any a\ngroup h any a\nquorum h\n", 9),
        ("group a any b\nquorum a\n", 8),
        ("group none any b\nquorum none\n", 8),
        ("quorum a\nquorum b\n", 9),
        ("quorum a b\n", 8),
        ("Quorum a\n", 8),
        (f"witness a {Cosigner('x.example', bytes(32))}\nquorum a\n", 8),
        (f"witness z {Cosigner('z.example', KEYS['a'].public)}\nquorum z\n", 8),
        (f"witness z {LOG}\nquorum z\n", 8),
        ("witness z\nquorum a\n", 8),
        (f"log {KEYS['a']}\nquorum a\n", 8),
        (f"log {LOG} gopher://log.example\nquorum a\n", 8),
        (f"log {LOG} https://log.example more\nquorum a\n", 8),
    ],
)
def test_a_malformed_line_is_named(rest: str, line: int) -> None:
    with pytest.raises(PolicyError, match=rf"^line {line}: "):
        policy.parse(text(rest))


def test_a_policy_without_quorum_or_of_any_length_is_refused() -> None:
    for bad in ("", text(""), "#" * (policy.MAX_SIZE + 1)):
        with pytest.raises(PolicyError):
            policy.parse(bad)


def test_a_witness_of_a_key_type_that_we_cannot_judge_never_counts_and_never_fails() -> None:
    vkey = note.format_vkey("pq.example", cosignature.ML_DSA_44, bytes(1312))
    found = policy.parse(text(f"witness pq {vkey}\ngroup g any pq a\nquorum g\n"))
    line = note.format_line(
        note.Signature("pq.example", note.key_id("pq.example", cosignature.ML_DSA_44, bytes(1312)), bytes(2428))
    )
    assert not found.check(cosigned() + line.encode()).final
    assert found.check(cosigned("a") + line.encode()).final
