"""docs/formats.md suffices: a reader in Go that was written from it alone takes and refuses the bundles that we do."""

import json
import subprocess

import pytest

from tests.vectors.evidence import patching

pytestmark = [pytest.mark.outside, pytest.mark.xdist_group("outside")]
VECTORS = patching.load()


def judged(programs, bundles):
    """What the reader says of each bundle: ok or no."""
    lines = "".join(json.dumps({"vkey": VECTORS["vkey"], "bundle": bundle}) + "\n" for bundle in bundles)
    done = subprocess.run([str(programs["secondreader"])], input=lines, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def test_it_agrees_with_every_vector(programs):
    cases = VECTORS["cases"]
    said = judged(programs, [patching.apply(VECTORS["bundles"][case["bundle"]], case["patch"]) for case in cases])
    wrong = [(case["name"], line) for case, line in zip(cases, said, strict=True) if case["accept"] != (line == "ok")]
    assert wrong == []
    assert {case["accept"] for case in cases} == {True, False}


def test_it_refuses_every_alteration(programs):
    altered = list(patching.alterations(VECTORS["bundles"]["single"]))
    said = judged(programs, [bundle for _, bundle in altered])
    assert [name for (name, _), line in zip(altered, said, strict=True) if line == "ok"] == []
    assert len(altered) > 100
