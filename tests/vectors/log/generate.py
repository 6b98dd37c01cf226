"""Vectors of the log's formats from fixed seeds (README.md here): python -m tests.vectors.log.generate"""

import json
from base64 import b64encode
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import cbor2

from ledger import claims, keyring, monitor, statement
from ledger.follower import Finding
from ledger.statement import Header
from ledger.tlog import checkpoint, cosignature, merkle, note, proof, tile
from ledger.tlog.checkpoint import Checkpoint
from ledger.tlog.tile import TileName
from ledger.tlog.tlog_proof import TlogProof
from ledger.witness import WitnessSigner

HERE = Path(__file__).parent
ORIGIN, WITNESS, PARTY = "log.example/medicines", "witness.example/w", "urn:dosetrail:party:acme"
TIME = 1_790_000_000
ENTRIES = [f"entry {number}".encode() for number in range(300)]
LEAVES = [merkle.leaf_hash(entry) for entry in ENTRIES]
DOCUMENT = {
    "@context": ["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"],
    "type": "ObjectEvent",
    "eventID": "urn:uuid:2c6d1d0e-0000-4000-8000-000000000001",
    "eventTime": "2026-03-01T18:30:00.000Z",
    "eventTimeZoneOffset": "+08:00",
    "epcList": ["https://id.gs1.org/01/09504000059118/21/1", "https://id.gs1.org/01/09504000059118/21/1"],
    "quantityList": [],
    "action": "ADD",
    "bizStep": "commissioning",
    "ilmd": {"cbvmda:lotNumber": "甲-1", "ex:nothing": None},
    "sensorElementList": [{"sensorReport": [{"type": "Temperature", "value": 4.5, "uom": "CEL"}]}],
}


def seed(name: str) -> bytes:
    return sha256(f"dosetrail/vectors/{name}".encode()).digest()


def read(node: proof.Node) -> bytes:
    level, index = node
    return merkle.perfect_root(LEAVES[index << level : (index + 1) << level])


def root(size: int) -> bytes:
    return merkle.root_of(LEAVES[:size])


VKEY = str(note.Verifier(ORIGIN, statement.key_from_seed(seed("log")).public))
KEY = statement.key_from_seed(seed("maker"))


def signed(size: int, *, origin: str = ORIGIN, key: str = "log") -> str:
    return checkpoint.sign(Checkpoint(origin, size, root(size)), seed=seed(key))


def sign_text(text: str) -> str:
    return note.sign(text, name=ORIGIN, seed=seed("log"))


def notes() -> dict[str, Any]:
    good = signed(300)
    line = good.split("\n")[4]
    stranger = signed(300, origin="other.example", key="other").split("\n")[4]
    cosigned = cosignature.sign(Checkpoint(ORIGIN, 300, root(300)).text(), name=WITNESS, seed=seed("w"), time_s=TIME)
    b64 = b64encode(root(300)).decode()
    accepted = {
        "one line": good,
        "an empty log": signed(0),
        "a stranger's line": good + stranger + "\n",
        "a cosignature": good + cosigned,
        "forty strangers": good + (stranger + "\n") * 40,
        "the same line twice": good + line + "\n",
    }
    refused = {
        "no final newline": good[:-1],
        "carriage returns": good.replace("\n", "\r\n"),
        "two hyphens": good.replace("— ", "-- "),
        "an en dash": good.replace("— ", "– "),
        "two spaces": good.replace("— ", "—  "),
        "no empty line": good.replace("\n\n", "\n"),
        "something behind": good + "more\n",
        "an empty line behind": good + "\n",
        "a control character": good.replace(ORIGIN + "\n", ORIGIN + "\x01\n", 1),
        "no signature": good.split("—")[0],
        "only a stranger's line": good.replace(line, stranger),
        "a false line of the known key": f"{good}— {ORIGIN} {b64encode(_id(line) + bytes(64)).decode()}\n",
        "base64 without padding": good.replace(line, line.rstrip("=")),
        "base64 with spare bits": good.replace(b64, b64[:-2] + _next(b64[-2]) + "="),
        "another size": good.replace("\n300\n", "\n301\n"),
        "another origin under the key": sign_text(Checkpoint("log.example/two", 300, root(300)).text()),
        "an extension line": sign_text(Checkpoint(ORIGIN, 300, root(300)).text() + "more\n"),
        "a leading zero": sign_text(f"{ORIGIN}\n0300\n{b64}\n"),
        "a plus sign": sign_text(f"{ORIGIN}\n+300\n{b64}\n"),
        "full-width digits": sign_text(f"{ORIGIN}\n３００\n{b64}\n"),
        "a size of 2^63": sign_text(f"{ORIGIN}\n{2**63}\n{b64}\n"),
        "a short root": sign_text(f"{ORIGIN}\n300\n{b64encode(root(300)[:31]).decode()}\n"),
        "an empty log with a root": sign_text(f"{ORIGIN}\n0\n{b64}\n"),
        "an empty log with a root of zeros": sign_text(f"{ORIGIN}\n0\n{b64encode(bytes(32)).decode()}\n"),
        "101 lines": good + (stranger + "\n") * 100,
    }
    cases = [{"name": name, "note": text, "accept": True} for name, text in accepted.items()]
    for case in cases:
        size = int(str(case["note"]).split("\n")[1])
        case.update(size=size, root=root(size).hex())
    cases += [{"name": name, "note": text, "accept": False} for name, text in refused.items()]
    return {"vkey": VKEY, "origin": ORIGIN, "cases": cases}


def _id(line: str) -> bytes:
    return note.parse_line(line).key_id


def _next(character: str) -> str:
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    return alphabet[alphabet.index(character) | 1]


def tree() -> dict[str, Any]:
    sizes = [1, 2, 3, 7, 8, 255, 256, 257, 300]
    inclusion = [
        {
            "index": index,
            "size": size,
            "leaf": LEAVES[index].hex(),
            "root": root(size).hex(),
            "path": [value.hex() for value in proof.carry_out(proof.plan_inclusion(index, size), read)],
        }
        for size in sizes
        for index in sorted({0, size // 2, size - 1})
    ]
    consistency = [
        {
            "size1": size1,
            "size2": size2,
            "root1": root(size1).hex(),
            "root2": root(size2).hex(),
            "path": [value.hex() for value in proof.carry_out(proof.plan_consistency(size1, size2), read)],
        }
        for size2 in sizes
        for size1 in [0, *sizes]
        if size1 <= size2
    ]
    return {
        "entries": "the text `entry <index>`",
        "roots": {str(size): root(size).hex() for size in [0, *sizes]},
        "inclusion": inclusion,
        "consistency": consistency,
        "proofs": [_proof(index) for index in (0, 255, 299)],
        "names": [_name(*parts) for parts in _NAMES],
        "tiles": [_tiles(size) for size in (1, 255, 256, 257, 65_535, 65_536, 65_537, 70_000)],
    }


_NAMES = [(0, 0, 256), (0, 1_234_067, 256), (1, 17, 5), (-1, 1000, 112), (63, 999, 255), (-1, 0, 1)]


def _name(level: int, number: int, width: int) -> dict[str, Any]:
    path = tile.format_path(TileName(level, number, width))
    return {"level": "entries" if level < 0 else level, "number": number, "width": width, "path": path}


def _tiles(size: int) -> dict[str, Any]:
    """The names of the last tiles of each level, and a hash over all tiles in the order of level and number."""
    leaves = [merkle.leaf_hash(f"entry {number}".encode()) for number in range(size)]
    tiles = tile.extend(0, {}, leaves)
    last = [tile.format_path(TileName(*where, tile.width_at(*where, size))) for where in tile.edge_of(size)]
    whole = sha256(b"".join(tiles[name.level, name.number] for name in tile.tiles_of(size))).hexdigest()
    return {"size": size, "root": merkle.root_of(leaves).hex(), "last": last, "count": len(tiles), "sha256": whole}


def _proof(index: int) -> dict[str, Any]:
    path = proof.carry_out(proof.plan_inclusion(index, 300), read)
    text = TlogProof(index, path, signed(300).encode(), b"extra" if index else None).text().decode()
    return {"index": index, "entry": b64encode(ENTRIES[index]).decode(), "proof": text}


def statements() -> dict[str, Any]:
    event = statement.sign(Header("event", PARTY, KEY.kid, TIME), root(1), key=KEY)
    recall = {"gtin": "09504000059118", "lot": "甲-1", "numbers": [0, -1, 2**53 - 1, 4.5, 1e21, 1e-7]}
    registration = keyring.registration(public=KEY.public, party=PARTY)
    accepted = {
        "event": event,
        "recall-notice": statement.sign(Header("recall-notice", PARTY, KEY.kid, 0), recall, key=KEY),
        "key-registered": statement.sign(Header("key-registered", PARTY, KEY.kid, 2**40), registration, key=KEY),
        "iss of 256 characters": statement.sign(Header("event", "é" * 256, KEY.kid, 23), root(2), key=KEY),
    }
    cases = [_statement(name, data, accept=True) for name, data in accepted.items()]
    return {
        "public": KEY.public.hex(),
        "kid": KEY.kid.hex(),
        "cases": [*cases, *(_statement(name, data, accept=False) for name, data in _false_statements(event))],
    }


def _statement(name: str, data: bytes, *, accept: bool) -> dict[str, Any]:
    case = {"name": name, "statement": b64encode(data).decode(), "accept": accept}
    if accept:
        found = statement.parse(data)
        payload = b64encode(found.payload).decode()
        case.update(kind=found.kind, iss=found.iss, iat=found.iat, payload=payload)
    return case


def _false_statements(event: bytes) -> Iterator[tuple[str, bytes]]:
    protected, _, payload, signature = cbor2.loads(event).value
    header = cbor2.loads(protected)

    def made(head: Any = header, body: bytes = payload, unprotected: Any = None, tag: int = 18) -> bytes:
        """Signed by the right key, whatever it says."""
        spelled = head if isinstance(head, bytes) else cbor2.dumps(head)
        tbs = cbor2.dumps(["Signature1", spelled, b"", body])
        own = note.SigningKey(KEY.seed).sign(tbs).signature
        return bytes(cbor2.dumps(cbor2.CBORTag(tag, [spelled, unprotected or {}, body, own])))

    def claims_of(**changes: Any) -> dict[int, Any]:
        names = {"iss": 1, "sub": 2, "iat": 6}
        return {**header, 15: {**header[15], **{names[name]: value for name, value in changes.items()}}}

    yield "a flipped signature", event[:-1] + bytes([event[-1] ^ 1])
    yield "another payload", event.replace(payload, root(3))
    yield "a byte behind", event + b"\0"
    yield "cut short", event[:-1]
    yield "another tag", made(tag=97)
    yield "no tag", bytes(cbor2.dumps([protected, {}, payload, signature]))
    yield "an unprotected header", made(unprotected={1: -8})
    yield "a longer length than needed", event.replace(b"\x58\x20" + payload, b"\x59\x00\x20" + payload)
    yield "indefinite length", event.replace(b"\xd2\x84", b"\xd2\x9f", 1) + b"\xff"
    yield "header labels in another order", made(head=dict(reversed(header.items())))
    yield "a header label twice", made(head=b"\xa5\x01\x27" + protected[1:])
    yield "one header label more", made(head={**header, 16: "x"})
    yield "another algorithm", made(head={**header, 1: -7})
    yield "another content type", made(head={**header, 3: "application/json"})
    yield "a short kid", made(head={**header, 4: KEY.kid[:31]})
    yield "an unknown kind", made(head=claims_of(sub="dosetrail:gossip"))
    yield "a subject without prefix", made(head=claims_of(sub="event"))
    yield "iat as a float", made(head=claims_of(iat=1.5))
    yield "iat before 1970", made(head=claims_of(iat=-1))
    yield "iat beyond 2^40", made(head=claims_of(iat=2**40 + 1))
    yield "an empty iss", made(head=claims_of(iss=""))
    yield "iss of 257 characters", made(head=claims_of(iss="x" * 257))
    yield "iss with a line break", made(head=claims_of(iss="a\nb"))
    yield "iss with a no-break space", made(head=claims_of(iss="a\u00a0b"))
    yield "a claims root of 31 bytes", made(body=root(1)[:31])
    public = {**claims_of(sub="dosetrail:recall-notice"), 3: "application/vnd.dosetrail.recall-notice+json"}
    for name, text in {
        "spaces in JSON": '{"lot": 1}',
        "JSON names out of order": '{"b":1,"a":2}',
        "a JSON name twice": '{"a":1,"a":1}',
        "a JSON number with a fraction of zero": '{"a":1.0}',
        "a JSON number of 2^53": '{"a":9007199254740992}',
        "an escape that is not needed": '{"a":"\\u0041"}',
        "no JSON": "{",
    }.items():
        yield name, made(head=public, body=text.encode())


def claim_trees() -> dict[str, Any]:
    secret = seed("document")
    many = {**DOCUMENT, "epcList": [f"https://id.gs1.org/01/09504000059118/21/{number}" for number in range(20)]}
    cases = []
    for name, document in {"an event": DOCUMENT, "more than sixteen leaves": many, "nothing": {}}.items():
        made = claims.commit(document, secret=secret, party=PARTY)
        shown = claims.disclose(made, lambda claim: True)
        cases.append({"name": name, "document": document, "root": made.root.hex(), "claims": shown})
    return {"secret": secret.hex(), "party": PARTY, "cases": cases}


def receipts() -> dict[str, Any]:
    hashes = [leaf.hex() for leaf in LEAVES[:3]]
    words = ["dosetrail.submission-receipt/1", ORIGIN, TIME * 1000, 60, 3, b64encode(root(3)).decode()]
    members = {"format": words[0], "origin": ORIGIN, "time": words[2], "mmdSeconds": 60, "statements": hashes}
    good = {**members, "note": sign_text("".join(f"{word}\n" for word in words))}
    refused = {
        "another time": {"time": 1},
        "a later delay": {"mmdSeconds": 600},
        "one statement fewer": {"statements": hashes[:2]},
        "statements in another order": {"statements": hashes[::-1]},
        "another origin": {"origin": "log.example/two"},
        "a stranger's note": {"note": str(good["note"]).replace("— log", "— lag")},
        "a checkpoint for a note": {"note": signed(3)},
    }
    cases = [{"name": "good", "receipt": good, "accept": True}]
    cases += [{"name": name, "receipt": {**good, **other}, "accept": False} for name, other in refused.items()]
    return {"vkey": VKEY, "cases": cases}


def reports() -> dict[str, Any]:
    signer = WitnessSigner(WITNESS, seed("w"))
    chosen = f"log {VKEY}\nwitness w {signer.cosigner}\nquorum w\n"
    other = sign_text(Checkpoint(ORIGIN, 300, root(2)).text())
    findings = {
        "split view": (Finding("split-view", "two trees", {"kept": signed(300), "seen": other}), True),
        "one tree twice": (Finding("split-view", "two trees", {"kept": signed(300), "seen": signed(300)}), False),
        "rollback": (Finding("rollback", "less", {"kept": signed(300), "seen": signed(257)}), False),
        "stale": (Finding("stale", "old", {"seen": signed(300)}), False),
    }
    cases = [
        {
            "name": name,
            "report": monitor.sign(finding, origin=ORIGIN, signer=signer, time_s=TIME),
            "accept": True,
            "kind": finding.kind,
            "proven": proven,
        }
        for name, (finding, proven) in findings.items()
    ]
    good = str(cases[0]["report"])
    refused = {
        "another kind": good.replace("\nsplit-view\n", "\nfork\n"),
        "another time": good.replace(f"\n{TIME}\n", f"\n{TIME + 1}\n"),
        "a stranger's": monitor.sign(
            findings["stale"][0], origin=ORIGIN, signer=WitnessSigner("x.example/w", seed("x")), time_s=TIME
        ),
        "a kind that is none": monitor.sign(Finding("mood", "bad", {}), origin=ORIGIN, signer=signer, time_s=TIME),
    }
    return {
        "policy": chosen,
        "cases": [*cases, *({"name": name, "report": text, "accept": False} for name, text in refused.items())],
    }


FILES = {
    "notes": notes,
    "tree": tree,
    "statements": statements,
    "claims": claim_trees,
    "receipts": receipts,
    "reports": reports,
}


def load(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((HERE / f"{name}.json").read_text())
    return found


if __name__ == "__main__":
    for name, make in FILES.items():
        (HERE / f"{name}.json").write_text(json.dumps(make(), indent=1, ensure_ascii=False) + "\n")
