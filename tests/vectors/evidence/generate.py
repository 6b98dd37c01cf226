"""Evidence bundles made by the real ledger code from fixed seeds, for the Python and the browser verifier alike.

    python -m tests.vectors.evidence.generate > tests/vectors/evidence/vectors.json

Provenance: all of it is made here; nothing comes from elsewhere. `tests/unit/web/test_vectors.py` holds the file to
this program. A case is a list of patches (JSON pointer as list, new value) on one of the bundles.
"""

import json
import sys
from base64 import b64encode
from hashlib import sha256
from typing import Any

from ledger import claims, keyring, statement
from ledger.tlog import checkpoint, merkle, note, proof
from tests.vectors.policy import generate as policies

ORIGIN = "log.example/medicines"
OPERATOR, MAKER, WHOLESALER = "urn:dosetrail:operator", "urn:dosetrail:party:riverside", "urn:dosetrail:party:acme"
PACK = "https://id.gs1.org/01/09504000059118/21/10000001"
CASE = "https://id.gs1.org/00/095040000500000016"
IAT = 1_790_000_000
PUBLIC = {"type", "action", "#day", "bizStep", "#members", "#party", "parentID", "epcList", "childEPCs", "quantityList"}
PUBLIC |= {"ilmd/cbvmda:lotNumber", "ilmd/cbvmda:itemExpirationDate"}


def seed(name: str) -> bytes:
    return sha256(f"dosetrail/vectors/{name}".encode()).digest()


NAMES = ("root", "registrar", "maker", "maker-next", "wholesaler", "stranger")
KEYS = {name: statement.key_from_seed(seed(name)) for name in NAMES}


def sign(key: str, iss: str, kind: str, payload: Any) -> bytes:
    header = statement.Header(kind, iss, KEYS[key].kid, IAT)
    return statement.sign(header, payload, key=KEYS[key])


def event(kind: str, day: int, **fields: Any) -> dict[str, Any]:
    return {
        "@context": ["https://ref.gs1.org/standards/epcis/epcis-context.jsonld"],
        "type": kind,
        "eventID": f"urn:uuid:00000000-0000-4000-8000-{day:012d}",
        "eventTime": f"2026-10-{day:02d}T23:30:00.000Z",
        "eventTimeZoneOffset": "+08:00",
        "readPoint": {"id": "https://id.gs1.org/414/9504000059101"},
        **fields,
    }


COMMISSION = event(
    "ObjectEvent",
    1,
    action="ADD",
    bizStep="commissioning",
    epcList=[PACK, "https://id.gs1.org/01/09504000059118/21/10000002"],
    ilmd={"cbvmda:lotNumber": "ABC-1", "cbvmda:itemExpirationDate": "2028-03-31", "note": '药 ± \u2028 "quoted"'},
)
PACKING = event(
    "AggregationEvent",
    2,
    action="ADD",
    bizStep="packing",
    parentID="urn:epc:id:sscc:9504000.0050000001",
    childEPCs=["urn:epc:id:sgtin:9504000.005911.10000001"],
)
SHIPPING = event("ObjectEvent", 3, action="OBSERVE", bizStep="shipping", epcList=[CASE], weights=[1e21, 0.1, -5, 1e-7])
RECEIVING = event("ObjectEvent", 5, action="OBSERVE", bizStep="receiving", epcList=[CASE])
OTHER = event(
    "ObjectEvent", 6, action="OBSERVE", bizStep="holding", epcList=["https://id.gs1.org/00/095040000599999999"]
)


def shown(document: dict[str, Any], party: str, *, names: set[str] | None = None) -> list[dict[str, Any]]:
    committed = claims.commit(document, secret=seed(document["eventID"]), party=party)
    wanted = PUBLIC if names is None else names
    keep = {PACK, CASE, *PACKING["childEPCs"], PACKING["parentID"], *OTHER["epcList"]}
    disclosed = claims.disclose(committed, lambda name: name in wanted)
    return [item for item in disclosed if not _foreign(json.loads(item["claim"]), keep)]


def _foreign(claim: list[Any], keep: set[str]) -> bool:
    return claim[1] == "epcList" and claim[2] not in keep


def root_of(document: dict[str, Any], party: str) -> bytes:
    return claims.commit(document, secret=seed(document["eventID"]), party=party).root


class Log:
    """A log in memory: statements, and bundles over them."""

    def __init__(self, statements: list[bytes]) -> None:
        self.statements = statements
        self.leaves = [merkle.leaf_hash(data) for data in statements]

    def checkpoint(self) -> str:
        tree = checkpoint.Checkpoint(ORIGIN, len(self.leaves), merkle.root_of(self.leaves))
        return checkpoint.sign(tree, seed=seed("log"))

    def entry(self, index: int) -> dict[str, Any]:
        path = proof.carry_out(proof.plan_inclusion(index, len(self.leaves)), self._read)
        return {
            "index": index,
            "statement": b64encode(self.statements[index]).decode(),
            "inclusion": [b64encode(value).decode() for value in path],
        }

    def bundle(self, keys: list[int], entries: dict[int, list[dict[str, Any]]]) -> dict[str, Any]:
        return {
            "format": "dosetrail.evidence/1",
            "origin": ORIGIN,
            "checkpoint": self.checkpoint(),
            "keys": [self.entry(index) for index in keys],
            "entries": [{**self.entry(index), "claims": items} for index, items in entries.items()],
        }

    def _read(self, node: proof.Node) -> bytes:
        level, index = node
        return merkle.root_of(self.leaves[index << level : (index + 1) << level])


def genesis(origin: str = ORIGIN) -> bytes:
    content = keyring.genesis(
        origin=origin, operator_name="Example", root=KEYS["root"].public, registrars=[KEYS["registrar"].public]
    )
    return sign("root", OPERATOR, "genesis", content)


def registered(key: str, party: str, *, by: str = "registrar") -> bytes:
    return sign(by, OPERATOR, "key-registered", keyring.registration(public=KEYS[key].public, party=party))


def revoked(key: str, bad_since_ms: int) -> bytes:
    return sign("registrar", OPERATOR, "key-revoked", keyring.revocation(kid=KEYS[key].kid, bad_since_ms=bad_since_ms))


def rotated(old: str, new: str, bad_since_ms: int) -> bytes:
    content = keyring.rotation(public=KEYS[new].public, party=MAKER, replaces=KEYS[old].kid, bad_since_ms=bad_since_ms)
    return sign("registrar", OPERATOR, "key-rotated", content)


def events() -> list[bytes]:
    return [
        sign("maker", MAKER, "event", root_of(COMMISSION, MAKER)),
        sign("maker", MAKER, "event", root_of(PACKING, MAKER)),
        sign("maker", MAKER, "event", root_of(SHIPPING, MAKER)),
        sign("wholesaler", WHOLESALER, "event", root_of(RECEIVING, WHOLESALER)),
        sign("wholesaler", WHOLESALER, "event", root_of(OTHER, WHOLESALER)),
    ]


def disclosures(first: int) -> dict[int, list[dict[str, Any]]]:
    documents = [(COMMISSION, MAKER), (PACKING, MAKER), (SHIPPING, MAKER), (RECEIVING, WHOLESALER)]
    return {first + place: shown(document, party) for place, (document, party) in enumerate(documents)}


def bundles() -> dict[str, dict[str, Any]]:
    base = [genesis(), registered("maker", MAKER), registered("wholesaler", WHOLESALER), *events()]
    good = Log(base)
    late = int(IAT * 1000 + 1)
    only = {1: shown(COMMISSION, MAKER)}
    pair = [genesis(), registered("maker", MAKER), *events()]
    made = {
        "good": good.bundle([0, 1, 2], disclosures(3)),
        "single": Log(pair).bundle([0, 1], {2: shown(COMMISSION, MAKER)}),
        "revoked-later": Log([*base, revoked("maker", late)]).bundle([0, 1, 2, 8], disclosures(3)),
        "with-time": Log(pair).bundle(
            [0, 1], {2: shown(COMMISSION, MAKER, names=PUBLIC - {"#day"} | {"eventTime", "eventTimeZoneOffset"})}
        ),
        "revoked-before": Log([*base[:3], revoked("maker", late), *events()]).bundle([0, 1, 2, 3], disclosures(4)),
        "bad-since": Log([*base, revoked("maker", IAT * 1000)]).bundle([0, 1, 2, 8], disclosures(3)),
        "retired-before": Log([*base[:3], rotated("maker", "maker-next", late), *events()]).bundle(
            [0, 1, 2, 3], disclosures(4)
        ),
        "retired-since": Log([*base, rotated("maker", "maker-next", IAT * 1000)]).bundle([0, 1, 2, 8], disclosures(3)),
        "retired-then-revoked": Log(
            [*base[:3], rotated("maker", "maker-next", late), revoked("maker", late), *events()]
        ).bundle([0, 1, 2, 3, 4], disclosures(5)),
        "rotated-to-itself": Log([genesis(), rotated("maker-next", "maker-next", late), *pair[1:]]).bundle(
            [0, 1, 2], {3: shown(COMMISSION, MAKER)}
        ),
        "key-after-entry": Log([genesis(), *events()[:1], registered("maker", MAKER)]).bundle([0, 2], only),
        "key-of-other-party": Log([genesis(), registered("maker", WHOLESALER), *events()]).bundle(
            [0, 1], {2: shown(COMMISSION, MAKER)}
        ),
        "registrar-unknown": Log([genesis(), registered("maker", MAKER, by="stranger"), *events()]).bundle(
            [0, 1], {2: shown(COMMISSION, MAKER)}
        ),
        "genesis-of-other-log": Log([genesis("other.example/log"), *pair[1:]]).bundle(
            [0, 1], {2: shown(COMMISSION, MAKER)}
        ),
        "public-entry": Log(pair).bundle([0, 1], {1: shown(COMMISSION, MAKER)}),
    }
    made["cosigned"] = {**made["single"], "checkpoint": cosigned(made["single"]["checkpoint"])}
    for name in ("#members", "#party", "type", "action", "#day", "bizStep"):
        made[f"hides-{name}"] = Log(pair).bundle([0, 1], {2: shown(COMMISSION, MAKER, names=PUBLIC - {name})})
    return made


def cosigned(signed: str) -> str:
    """The checkpoint with the lines of a quorum of `policies.NESTED`, whose log key is this log's."""
    tree = checkpoint.parse(signed.split("\n\n")[0] + "\n")
    return signed + "".join(policies.line(name, tree=tree) for name in ("regulator", "hospital", "carrier"))


def cases(made: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """Every bundle as it is, and the single one altered in the ways a liar might choose."""
    good = {"good", "single", "cosigned", "revoked-later", "with-time", "retired-before"}
    listed = [{"name": name, "bundle": name, "patch": [], "accept": name in good} for name in made]
    single = made["single"]
    entry = single["entries"][0]
    body, signature = single["checkpoint"].split("\n\n")
    stranger = note.sign(body + "\n", name="witness.example/w", seed=seed("stranger")).split("\n\n")[1]
    first, claim = entry["claims"][0], entry["claims"][0]["claim"]
    patches: dict[str, tuple[list[Any], Any]] = {
        "format": (["format"], "dosetrail.evidence/2"),
        "origin": (["origin"], "log.example/other"),
        "no entries": (["entries"], []),
        "no keys": (["keys"], []),
        "entry twice": (["entries"], [entry, entry]),
        "claim twice": (["entries", 0, "claims"], [*entry["claims"], first]),
        "no claims": (["entries", 0, "claims"], []),
        "claims null": (["entries", 0, "claims"], None),
        "keys out of order": (["keys"], single["keys"][::-1]),
        "genesis missing": (["keys"], single["keys"][1:]),
        "claim with space": (["entries", 0, "claims", 0, "claim"], claim.replace(",", ", ", 1)),
        "claim of another path": (["entries", 0, "claims", 0, "path"], entry["claims"][1]["path"]),
        "path too short": (["entries", 0, "claims", 0, "path"], first["path"][:-1]),
        "path too long": (["entries", 0, "claims", 0, "path"], [*first["path"], first["path"][0]]),
        "claim at another place": (["entries", 0, "claims", 0, "index"], first["index"] ^ 1),
        "entry at another place": (["entries", 0, "index"], 3),
        "entry beyond the log": (["entries", 0, "index"], 99),
        "inclusion too short": (["entries", 0, "inclusion"], entry["inclusion"][:-1]),
        "inclusion too long": (["entries", 0, "inclusion"], [*entry["inclusion"], entry["inclusion"][0]]),
        "inclusion of 31 bytes": (["entries", 0, "inclusion", 0], b64encode(b"x" * 31).decode()),
        "base64 without padding": (["entries", 0, "statement"], entry["statement"].rstrip("=")[:-1]),
        "base64 with newline": (["entries", 0, "statement"], entry["statement"] + "\n"),
        "statement with a byte after it": (["entries", 0, "statement"], _longer(entry["statement"])),
        "size with leading zero": (["checkpoint"], single["checkpoint"].replace("\n7\n", "\n07\n")),
        "smaller size": (["checkpoint"], single["checkpoint"].replace("\n7\n", "\n6\n")),
        "no signature line": (["checkpoint"], body + "\n\n"),
        "no final newline": (["checkpoint"], single["checkpoint"][:-1]),
        "carriage return": (["checkpoint"], single["checkpoint"].replace("\n", "\r\n")),
        "hyphens for the dash": (["checkpoint"], single["checkpoint"].replace("—", "--")),
        "extension line": (["checkpoint"], f"{body}\nextension\n\n{signature}"),
        "only a stranger's signature": (["checkpoint"], f"{body}\n\n{stranger}"),
        "own line fails, then own line": (["checkpoint"], f"{body}\n\n{_bent_line(signature)}{signature}"),
        "checkpoint is no text": (["checkpoint"], 7),
    }
    listed += [
        {"name": name, "bundle": "single", "patch": [list(patch)], "accept": False} for name, patch in patches.items()
    ]
    accepted = {
        "a witness' line beside it": (["checkpoint"], f"{body}\n\n{stranger}{signature}"),
        "unknown member": (["comment"], "ignored"),
    }
    listed += [
        {"name": name, "bundle": "single", "patch": [list(patch)], "accept": True} for name, patch in accepted.items()
    ]
    return listed


def _longer(encoded: str) -> str:
    from base64 import b64decode

    return b64encode(b64decode(encoded) + b"\0").decode()


def _bent_line(line: str) -> str:
    from base64 import b64decode

    head, _, encoded = line.rstrip("\n").rpartition(" ")
    data = bytearray(b64decode(encoded))
    data[-1] ^= 1
    return f"{head} {b64encode(bytes(data)).decode()}\n"


def vectors() -> dict[str, Any]:
    made = bundles()
    public = KEYS_LOG.public
    return {
        "provenance": "tests/vectors/evidence/generate.py",
        "vkey": str(note.Verifier(ORIGIN, public)),
        "policy": policies.NESTED,
        "pack": PACK,
        "lot": "ABC-1",
        "bundles": made,
        "cases": cases(made),
    }


KEYS_LOG = statement.key_from_seed(seed("log"))

if __name__ == "__main__":
    json.dump(vectors(), sys.stdout, ensure_ascii=False, indent=1)
    sys.stdout.write("\n")
