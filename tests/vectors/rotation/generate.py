"""A log that replaces its key: entries, checkpoints with one line and with two, bundles; for Python and the browser.

    python -m tests.vectors.rotation.generate > tests/vectors/rotation/vectors.json

Provenance: all of it is made here from fixed seeds; nothing comes from elsewhere. `tests/unit/web/` (Python) and
`tests/e2e/consumer/` (browser) go by it. The log: 0 genesis, 1 a party key, 2 an event, 3 `log-key` (new follows the
old), 4 the same once more (void), 5 `log-key-retired`, 6 an event. `checkpoints` says for each who signed it and which
single key a reader may have pinned; `log` = it carries exactly the lines of its size. `bundles` likewise.
"""

import json
import sys
from base64 import b64encode
from typing import Any

from ledger import keyring, statement
from ledger.tlog import checkpoint, merkle, note
from tests.vectors.evidence.generate import (
    COMMISSION,
    KEYS,
    MAKER,
    OPERATOR,
    ORIGIN,
    Log,
    genesis,
    registered,
    root_of,
    seed,
    shown,
    sign,
)

SEEDS = {"old": seed("log"), "new": seed("log-2"), "stranger": seed("stranger")}
LOG_KEYS = {name: statement.key_from_seed(value) for name, value in SEEDS.items()}
VKEYS = {name: str(note.Verifier(ORIGIN, key.public)) for name, key in LOG_KEYS.items()}
SIGNERS = {1: ["old"], 3: ["old"], 4: ["old", "new"], 5: ["old", "new"], 6: ["new"], 7: ["new"]}


def log_key(
    *, by: str = "root", new: str = "new", old: str = "old", overlap: bool = True, origin: str = ORIGIN
) -> bytes:
    content = keyring.log_key(
        origin=origin, public=LOG_KEYS[new].public, replaces=LOG_KEYS[old].public, overlap=overlap
    )
    return sign(by, OPERATOR, "log-key", content)


def retired(*, by: str = "root") -> bytes:
    content = keyring.log_key_retired(origin=ORIGIN, kid=LOG_KEYS["old"].kid)
    return sign(by, OPERATOR, "log-key-retired", content)


def event() -> bytes:
    return sign("maker", MAKER, "event", root_of(COMMISSION, MAKER))


ENTRIES = [genesis(), registered("maker", MAKER), event(), log_key(), log_key(), retired(), event()]


class RotatedLog(Log):
    """The log's first entries, signed by the keys that are named."""

    def __init__(self, entries: list[bytes], signers: list[str]) -> None:
        super().__init__(entries)
        self.signers = signers

    def checkpoint(self) -> str:
        tree = checkpoint.Checkpoint(ORIGIN, len(self.leaves), merkle.root_of(self.leaves))
        first, *more = [SEEDS[name] for name in self.signers]
        return checkpoint.sign(tree, seed=first, also=more)


def checkpoints() -> list[dict[str, Any]]:
    """Those of the log, then those that a thief of a key would sign."""
    wrong = [(3, ["new"]), (3, ["old", "new"]), (4, ["old"]), (4, ["new"]), (6, ["old"]), (6, ["old", "new"])]
    wrong += [(6, ["stranger"])]
    listed = [(size, signers, True) for size, signers in SIGNERS.items()]
    listed += [(size, signers, False) for size, signers in wrong]
    return [
        {
            "size": size,
            "signers": signers,
            "log": of_the_log,
            "note": RotatedLog(ENTRIES[:size], signers).checkpoint(),
            "pinned": {name: name in signers for name in ("old", "new")},
        }
        for size, signers, of_the_log in listed
    ]


def bundles() -> list[dict[str, Any]]:
    """Bundles before, during and after; then those whose `logKeys` or `keys` do not hold what they should."""
    claims = shown(COMMISSION, MAKER)
    made = []
    for size, signers in SIGNERS.items():
        if size > 2:
            log = RotatedLog(ENTRIES[:size], signers)
            bundle = log.bundle([0, 1], {2: claims})
            named = [index for index in (3, 5) if index < size]
            if named:
                bundle["logKeys"] = [log.entry(index) for index in named]
            made.append({"name": f"size {size}", "accept": signers, "bundle": bundle})
    after = RotatedLog(ENTRIES, ["new"])
    good = after.bundle([0, 1], {2: claims})
    lies = {
        "in keys": {"keys": [after.entry(index) for index in (0, 1, 3)]},
        "a key of a party": {"logKeys": [after.entry(1)]},
        "a replay": {"logKeys": [after.entry(index) for index in (3, 4)]},
        "out of order": {"logKeys": [after.entry(index) for index in (5, 3)]},
        "the retirement alone": {"logKeys": [after.entry(5)]},
        "at another place": {"logKeys": [{**after.entry(3), "index": 4}]},
        "no list": {"logKeys": {}},
    }
    made += [{"name": name, "accept": [], "bundle": {**good, **lie}} for name, lie in lies.items()]
    void = {
        "not by the root key": log_key(by="registrar"),
        "about another log": log_key(origin="log.example/other"),
        "the key follows itself": log_key(new="old"),
        "retired by a stranger": retired(by="stranger"),
    }
    for name, entry in void.items():
        log = RotatedLog([*ENTRIES[:3], entry], ["old"])
        bundle = {**log.bundle([0, 1], {2: claims}), "logKeys": [log.entry(3)]}
        made.append({"name": name, "accept": [], "bundle": bundle})
    at_once = RotatedLog([*ENTRIES[:3], log_key(overlap=False)], ["new"])
    bundle = {**at_once.bundle([0, 1], {2: claims}), "logKeys": [at_once.entry(3)]}
    return [*made, {"name": "at once", "accept": ["new"], "bundle": bundle}]


def vectors() -> dict[str, Any]:
    return {
        "provenance": "tests/vectors/rotation/generate.py",
        "origin": ORIGIN,
        "root": b64encode(KEYS["root"].public).decode(),
        "vkeys": {name: VKEYS[name] for name in ("old", "new")},
        "entries": [b64encode(data).decode() for data in ENTRIES],
        "contents": {index: statement.parse(ENTRIES[index]).content for index in (3, 5)},
        "periods": [{"vkey": VKEYS["old"], "from": 0, "until": 6}, {"vkey": VKEYS["new"], "from": 4, "until": None}],
        "checkpoints": checkpoints(),
        "bundles": bundles(),
    }


if __name__ == "__main__":
    json.dump(vectors(), sys.stdout, ensure_ascii=False, indent=1)
    sys.stdout.write("\n")
