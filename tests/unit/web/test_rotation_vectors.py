"""The shared vectors of a log that replaces its key; tests/e2e/consumer/ puts them to the browser."""

import json
from base64 import b64decode
from pathlib import Path

import pytest

from ledger import keyring, verify
from ledger.tlog import checkpoint, note
from ledger.tlog.errors import TlogError
from tests.vectors.rotation import generate

VECTORS = json.loads(Path(generate.__file__).with_name("vectors.json").read_text())
KEYS = {name: note.parse_vkey(vkey) for name, vkey in VECTORS["vkeys"].items()}
LOG_KEYS = keyring.fold(enumerate(map(b64decode, VECTORS["entries"]))).log_keys


def test_the_file_is_what_the_program_makes() -> None:
    assert json.loads(json.dumps(generate.vectors())) == VECTORS


def test_the_entries_fold_to_the_periods() -> None:
    assert [
        {"vkey": str(note.Verifier(VECTORS["origin"], one.public)), "from": one.from_size, "until": one.until_size}
        for one in LOG_KEYS.records
    ] == VECTORS["periods"]


@pytest.mark.parametrize("case", VECTORS["checkpoints"], ids=lambda case: f"{case['size']} by {case['signers']}")
def test_a_checkpoint_under_each_pinned_key_and_under_the_logs_own_word(case: dict) -> None:
    data = case["note"].encode()
    for name, good in case["pinned"].items():
        if good:
            assert checkpoint.verify(data, KEYS[name]).size == case["size"]
        else:
            with pytest.raises(TlogError):
                checkpoint.verify(data, KEYS[name])
    if case["log"]:
        assert LOG_KEYS.verify(data, KEYS["old"]) == LOG_KEYS.verify(data, KEYS["new"])
    else:
        with pytest.raises(TlogError):
            LOG_KEYS.verify(data, KEYS["old"])


@pytest.mark.parametrize("case", VECTORS["bundles"], ids=lambda case: case["name"])
@pytest.mark.parametrize("pinned", ["old", "new"])
def test_python_agrees_with_the_bundles(case: dict, pinned: str) -> None:
    if pinned in case["accept"]:
        assert verify.check(case["bundle"], VECTORS["vkeys"][pinned]).entries
    else:
        with pytest.raises(verify.BundleError):
            verify.check(case["bundle"], VECTORS["vkeys"][pinned])
