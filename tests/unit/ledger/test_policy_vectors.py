"""The shared vectors of policies and cosigned checkpoints, under Python; tests/e2e/consumer/ has the browser do it."""

import json
import re
from pathlib import Path

import pytest

from ledger.tlog import policy
from ledger.tlog.errors import PolicyError, TlogError
from tests.vectors.policy import generate

VECTORS = json.loads(Path(generate.__file__).with_name("vectors.json").read_text())


def test_the_file_is_what_the_program_makes() -> None:
    assert generate.vectors() == VECTORS


@pytest.mark.parametrize("case", VECTORS["policies"], ids=lambda case: case["name"])
def test_policies(case: dict) -> None:
    if case["refused"] is None:
        assert policy.parse(case["text"]).quorum
        return
    with pytest.raises(PolicyError) as caught:
        policy.parse(case["text"])
    named = re.match(r"line (\d+): ", str(caught.value))
    assert (int(named[1]) if named else 0) == case["refused"]


@pytest.mark.parametrize("case", VECTORS["checkpoints"], ids=lambda case: case["name"])
def test_checkpoints(case: dict) -> None:
    trust = policy.parse(case["policy"])
    if case["outcome"] == "refused":
        with pytest.raises(TlogError):
            trust.check(case["note"].encode())
        return
    checked = trust.check(case["note"].encode())
    assert checked.final is (case["outcome"] == "final")
    assert checked.cosigned == case["cosigned"]
