"""Trust policies and cosigned checkpoints from fixed seeds, for the Python and the browser verifier alike.

    python -m tests.vectors.policy.generate > tests/vectors/policy/vectors.json

Provenance: all of it is made here from the texts of C2SP tlog-policy, tlog-cosignature and signed-note; nothing comes
from elsewhere. `tests/unit/ledger/test_policy_vectors.py` holds the file to this program. `policies`: text and the line
at which it is refused (0: as a whole, null: accepted). `checkpoints`: policy, note, and what it is under it.
"""

import json
import sys
from hashlib import sha256
from typing import Any

from nacl.signing import SigningKey

from ledger.tlog import checkpoint, cosignature, merkle, note, policy
from ledger.tlog.cosignature import Cosigner

ORIGIN, ELSEWHERE = "log.example/medicines", "other.example/log"
TIME = 1_790_000_000
WITNESSES = {name: f"{name}.example/w" for name in ("regulator", "hospital", "distributor", "carrier", "insurer")}
TREE = checkpoint.Checkpoint(ORIGIN, 70_000, merkle.leaf_hash(b"seventy thousand"))
# Found by trying 72,840 seeds: two keys under this name whose four-byte ids are equal.
TWIN, TWIN_SEEDS = "twin.example/w", ("twin/72023", "twin/72839")


def seed(name: str) -> bytes:
    return sha256(f"dosetrail/vectors/{name}".encode()).digest()


def public(name: str) -> bytes:
    return bytes(SigningKey(seed(name)).verify_key)


def log_key(name: str = "log", origin: str = ORIGIN) -> str:
    return str(note.Verifier(origin, public(name)))


def witness(name: str) -> str:
    return f"witness {name} {Cosigner(WITNESSES[name], public(name))} https://{name}.example/\n"


def post_quantum(name: str) -> tuple[str, str]:
    """Policy line and signature line of an ML-DSA witness that nobody here can judge."""
    key, kind = bytes(1312), cosignature.ML_DSA_44
    line = note.format_line(note.Signature(name, note.key_id(name, kind, key), bytes(2428)))
    return f"witness pq {note.format_vkey(name, kind, key)}\n", line


LOG = f"log {log_key()} https://log.example/medicines\n"
ALL = "".join(map(witness, WITNESSES))
NESTED = f"{LOG}{ALL}group others 2 hospital distributor carrier\ngroup all-of all regulator others\nquorum all-of\n"
DEEP = f"{LOG}{ALL}group a any hospital distributor\ngroup b 2 a carrier insurer\ngroup c all b regulator\nquorum c\n"


def line(name: str, *, at: int = TIME, tree: checkpoint.Checkpoint = TREE) -> str:
    return cosignature.sign(tree.text(), name=WITNESSES[name], seed=seed(name), time_s=at)


def stranger(number: int) -> str:
    name = f"stranger{number}.example"
    return cosignature.sign(TREE.text(), name=name, seed=seed(name), time_s=TIME)


def signed(*lines: str, key: str = "log", tree: checkpoint.Checkpoint = TREE) -> str:
    return checkpoint.sign(tree, seed=seed(key)) + "".join(lines)


def twin(number: int, *, at: int = TIME) -> str:
    return cosignature.sign(TREE.text(), name=TWIN, seed=seed(TWIN_SEEDS[number]), time_s=at)


def policies() -> list[dict[str, Any]]:
    base = LOG + ALL
    regulator = Cosigner(WITNESSES["regulator"], public("regulator"))
    good = {
        "vkey alone": f"log {log_key()}\nquorum none\n",
        "nested": NESTED,
        "deep": DEEP,
        "comments, blank lines, tabs": f"# ours\n\n \t\nlog\t{log_key()}  # key\n{ALL}quorum\tregulator\t# it\n",
        "no newline at the end": f"{LOG}{ALL}quorum regulator",
        "carriage returns": f"{LOG}{ALL}quorum regulator\n".replace("\n", "\r\n"),
        "a number sign inside a word": f"{LOG}witness r#1 {regulator} http://r.example#x\nquorum r#1\n",
        "white space of other scripts": f"{LOG}{ALL}quorum\u3000regulator\x1c\x85\n",
        "a line separator ends no comment": f"{LOG}{ALL}quorum regulator # more\u2028\u2029\rquorum hospital\n",
        "a name from another script": f"{LOG}witness 监管 {regulator}\nquorum 监管\n",
        "names that scripts treat specially": f"{LOG}witness __proto__ {regulator}\ngroup constructor all __proto__\n"
        "quorum constructor\n",
        "two keys of one log": f"{LOG}log {log_key('log-2')}\nquorum none\n",
        "two logs": f"{LOG}log {log_key('other', ELSEWHERE)}\nquorum none\n",
        "the same log twice": f"{LOG}{LOG}quorum none\n",
        "no log": f"{ALL}quorum regulator\n",
        "a witness of a key type that we cannot judge": f"{LOG}{post_quantum('pq.example')[0]}quorum pq\n",
        "a byte order mark is a character of a name": f"{LOG}witness \ufeffr {regulator}\nquorum \ufeffr\n",
    }
    bad = {
        "empty": ("", 0),
        "no quorum": (base, 0),
        "unknown name": (f"{base}quorum nobody\n", 7),
        "used before its definition": (f"{LOG}group g all regulator\n{ALL}quorum g\n", 2),
        "threshold zero": (f"{base}group g 0 regulator\nquorum g\n", 7),
        "threshold too high": (f"{base}group g 2 regulator\nquorum g\n", 7),
        "threshold with leading zero": (f"{base}group g 01 regulator\nquorum g\n", 7),
        "threshold in full-width digits": (f"{base}group g \uff11 regulator\nquorum g\n", 7),
        "threshold with a sign": (f"{base}group g +1 regulator\nquorum g\n", 7),
        "threshold in words": (f"{base}group g most regulator\nquorum g\n", 7),
        "group without members": (f"{base}group g all\nquorum g\n", 7),
        "member twice": (f"{base}group g any regulator regulator\nquorum g\n", 7),
        "member of two groups": (f"{base}group g any regulator\ngroup h any regulator\nquorum h\n", 8),
        "group of itself": (f"{base}group g any g\nquorum g\n", 7),
        "name taken": (f"{base}group regulator any hospital\nquorum regulator\n", 7),
        "witness twice": (f"{base}{witness('regulator')}quorum regulator\n", 7),
        "a group called none": (f"{base}group none any hospital\nquorum none\n", 7),
        "two quorums": (f"{base}quorum regulator\nquorum regulator\n", 8),
        "quorum of two": (f"{base}quorum regulator hospital\n", 7),
        "upper case": (f"{base}Quorum regulator\n", 7),
        "unknown word": (f"{base}weight regulator 2\nquorum regulator\n", 7),
        "a key under two names": (f"{base}witness z {Cosigner('z.example', public('regulator'))}\nquorum z\n", 7),
        "a log's key for a witness": (f"{base}witness z {log_key()}\nquorum z\n", 7),
        "a witness' key for a log": (f"log {regulator}\nquorum none\n", 1),
        "a key whose id is not its own": (f"log {log_key().replace('+', '+0', 1)[:-1]}\nquorum none\n", 1),
        "id in capitals": (f"log {_capitals(log_key())}\nquorum none\n", 1),
        "key with newline in its base64": (f"log {log_key()[:-4]} {log_key()[-4:]} x\nquorum none\n", 1),
        "other scheme": (f"log {log_key()} gopher://log.example\nquorum none\n", 1),
        "a word too many": (f"log {log_key()} https://log.example more\nquorum none\n", 1),
        "log without key": ("log\nquorum none\n", 1),
        "witness without key": (f"{base}witness z\nquorum none\n", 7),
        "a no-break space before the number sign": (f"{base}quorum regulator\u00a0# it\n", 7),
    }
    listed: list[dict[str, Any]] = [{"name": name, "text": text, "refused": None} for name, text in good.items()]
    return listed + [{"name": name, "text": text, "refused": at} for name, (text, at) in bad.items()]


def _capitals(vkey: str) -> str:
    name, digits, rest = vkey.split("+", 2)
    return f"{name}+{digits.upper()}+{rest}"


def checkpoints() -> list[dict[str, Any]]:
    forged = line("hospital", tree=checkpoint.Checkpoint(ORIGIN, 70_000, merkle.leaf_hash(b"another")))
    pq_policy, pq_line = post_quantum("pq.example")
    twin_vkeys = [Cosigner(TWIN, public(name)) for name in TWIN_SEEDS]
    with_twin = f"{LOG}{ALL}witness twin {twin_vkeys[0]}\nquorum twin\n"
    rotated = f"{LOG}log {log_key('log-2')}\n{ALL}quorum none\n"
    small = checkpoint.Checkpoint(ORIGIN, 0, merkle.EMPTY_ROOT)
    elsewhere = checkpoint.Checkpoint(ELSEWHERE, TREE.size, TREE.root)
    met = (line("regulator"), line("hospital", at=TIME + 5), line("carrier", at=TIME + 3))
    short = note.format_line(note.Signature(WITNESSES["hospital"], _id("hospital"), bytes(8)))
    late = note.format_line(note.Signature(WITNESSES["hospital"], _id("hospital"), b"\xff" * 72))
    final: dict[str, tuple[str, str]] = {
        "nested groups, met": (NESTED, signed(*met)),
        "deep groups, met": (DEEP, signed(line("distributor"), line("insurer"), line("regulator"))),
        "order of lines does not count": (NESTED, _first_last(signed(*met))),
        "lines of strangers, more than sixteen": (NESTED, signed(*map(stranger, range(20)), *met)),
        "exactly a hundred lines": (NESTED, signed(*map(stranger, range(96)), *met)),
        "a duplicate line": (NESTED, signed(*met, met[1])),
        "the newest of a witness' times": (NESTED, signed(*met, line("hospital", at=TIME + 60))),
        "an ML-DSA line beside": (f"{pq_policy}{NESTED}", signed(*met, pq_line)),
        "the key whose twin is unknown": (with_twin, signed(twin(0))),
        "an empty log": (f"{LOG}{ALL}quorum regulator\n", signed(line("regulator", tree=small), tree=small)),
    }
    recorded = {
        "no cosignature": (NESTED, signed()),
        "quorum not met": (NESTED, signed(line("regulator"), line("hospital"))),
        "the compulsory one is missing": (NESTED, signed(line("hospital"), line("distributor"), line("carrier"))),
        "one witness twice is one": (
            NESTED,
            signed(line("regulator"), line("hospital"), line("hospital", at=TIME + 1)),
        ),
        "deep groups, not met": (DEEP, signed(line("hospital"), line("distributor"), line("regulator"))),
        "quorum none": (f"{LOG}{ALL}quorum none\n", signed(*met)),
        "an ML-DSA witness never counts": (f"{pq_policy}{LOG}quorum pq\n", signed(pq_line)),
        "new key of a log while it is replaced": (rotated, signed(key="log-2")),
        "old key of a log while it is replaced": (rotated, signed()),
        "both keys of a log": (rotated, signed(_lines(signed(key="log-2")))),
        "a failing line of a stranger": (NESTED, signed(_bent(stranger(1)))),
    }
    refused = {
        "a forged line of a known witness": (NESTED, signed(*met, forged)),
        "a bent line of a known witness": (NESTED, signed(*met, _bent(line("insurer")))),
        "a cosignature without signature": (NESTED, signed(short)),
        "a cosignature from the end of time": (NESTED, signed(late)),
        "a failing line beside a good one of the same witness": (NESTED, signed(*met, _bent(met[1]))),
        "the key's twin": (with_twin, signed(twin(1))),
        "the key and its twin": (with_twin, signed(twin(0), twin(1))),
        "both twins are known": (with_twin + f"witness twin2 {twin_vkeys[1]}\n", signed(twin(0))),
        "no line of the log": (NESTED, f"{TREE.text()}\n{''.join(met)}"),
        "a key that is replaced no more": (NESTED, signed(*met, key="log-2")),
        "the log's line fails": (NESTED, _bent(signed())),
        "an old key's line fails beside the new one's": (rotated, signed(key="log-2") + _bent(_lines(signed()))),
        "signed for another log's checkpoint": (
            f"{LOG}log {log_key('other', ELSEWHERE)}\nquorum none\n",
            note.sign(elsewhere.text(), name=ORIGIN, seed=seed("log")),
        ),
        "a hundred and one lines": (NESTED, signed(*map(stranger, range(97)), *met)),
        "a stranger's malformed line": (NESTED, signed(*met, "— stranger.example !!!\n")),
        "a stranger's name with a space of another script": (
            NESTED,
            signed(*met, stranger(1).replace("er1", "er\u30001")),
        ),
        "a space more": (NESTED, signed(*met).replace("— regulator", "—  regulator")),
        "an extension line": (NESTED, note.sign(f"{TREE.text()}more\n", name=ORIGIN, seed=seed("log"))),
        "size with leading zero": (
            NESTED,
            note.sign(TREE.text().replace("\n7", "\n07"), name=ORIGIN, seed=seed("log")),
        ),
        "size zero with a root": (
            NESTED,
            note.sign(TREE.text().replace("70000", "0"), name=ORIGIN, seed=seed("log")),
        ),
    }
    listed = []
    for outcome, cases in (("final", final), ("recorded", recorded), ("refused", refused)):
        for name, (trust, text) in cases.items():
            case: dict[str, Any] = {"name": name, "policy": trust, "note": text, "outcome": outcome}
            if outcome != "refused":
                case["cosigned"] = dict(sorted(policy.parse(trust).check(text.encode()).cosigned.items()))
            listed.append(case)
    return listed


def _id(name: str) -> bytes:
    return Cosigner(WITNESSES[name], public(name)).key_id


def _lines(text: str) -> str:
    return text.split("\n\n")[1]


def _first_last(text: str) -> str:
    body, lines = text.split("\n\n")
    return f"{body}\n\n" + "".join(sorted(lines.splitlines(keepends=True)))


def _bent(text: str) -> str:
    """With the last bit of the last line's signature changed."""
    head, _, last = text.rstrip("\n").rpartition("\n")
    found = note.parse_line(last)
    payload = found.payload[:-2] + bytes([found.payload[-2] ^ 1]) + found.payload[-1:]
    return (head + "\n" if head else "") + note.format_line(note.Signature(found.name, found.key_id, payload))


def vectors() -> dict[str, Any]:
    return {
        "provenance": "tests/vectors/policy/generate.py",
        "origin": ORIGIN,
        "policies": policies(),
        "checkpoints": checkpoints(),
    }


if __name__ == "__main__":
    json.dump(vectors(), sys.stdout, ensure_ascii=False, indent=1)
    sys.stdout.write("\n")
