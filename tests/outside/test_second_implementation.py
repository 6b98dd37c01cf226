"""docs/formats.md suffices: a reader in Go that follows it takes and refuses what we do."""

import json
import subprocess
from base64 import b64encode
from pathlib import Path

import pytest

from tests.vectors.evidence import patching
from tests.vectors.log import generate
from tests.vectors.rotation import generate as rotation

pytestmark = [pytest.mark.outside, pytest.mark.xdist_group("outside")]
VECTORS = patching.load()
ROTATION = json.loads(Path(rotation.__file__).with_name("vectors.json").read_text())


def said(programs, questions):
    """What the reader says to each question: ok or no."""
    lines = "".join(f"{json.dumps(question)}\n" for question in questions)
    done = subprocess.run([str(programs["secondreader"])], input=lines, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def asking(vkey, bundle):
    return {"vkey": vkey, "bundle": b64encode(json.dumps(bundle).encode()).decode()}


def judged(programs, bundles):
    return said(programs, [asking(VECTORS["vkey"], bundle) for bundle in bundles])


def test_it_checks_the_evidence_of_a_running_house(programs, house):
    bundle = json.loads((house.folder / "evidence").read_text())
    changed = json.loads(json.dumps(bundle).replace("commissioning", "decommissioning"))
    answers = said(programs, [asking(house.vkey, one) for one in (bundle, changed)])
    assert answers[0] == "ok"
    assert answers[1].startswith("no:")


def test_it_agrees_with_every_vector(programs):
    cases = VECTORS["cases"]
    answers = judged(programs, [patching.apply(VECTORS["bundles"][case["bundle"]], case["patch"]) for case in cases])
    wrong = [
        (case["name"], line) for case, line in zip(cases, answers, strict=True) if case["accept"] != (line == "ok")
    ]
    assert wrong == []
    assert {case["accept"] for case in cases} == {True, False}


def test_it_refuses_every_alteration(programs):
    altered = list(patching.alterations(VECTORS["bundles"]["single"]))
    answers = judged(programs, [bundle for _, bundle in altered])
    assert [name for (name, _), line in zip(altered, answers, strict=True) if line == "ok"] == []
    assert len(altered) > 100


@pytest.mark.parametrize(
    ("name", "member", "shared"), [("notes", "note", "vkey"), ("statements", "statement", "public")]
)
def test_it_agrees_about_notes_and_statements(programs, name, member, shared):
    vectors = generate.load(name)
    cases = vectors["cases"]
    answers = said(programs, [{shared: vectors[shared], member: case[member]} for case in cases])
    assert [
        (case["name"], line) for case, line in zip(cases, answers, strict=True) if case["accept"] != (line == "ok")
    ] == []


@pytest.mark.parametrize("pinned", ["old", "new"])
def test_it_agrees_about_a_log_that_replaces_its_key(programs, pinned):
    vkey = ROTATION["vkeys"][pinned]
    bundles, notes = ROTATION["bundles"], ROTATION["checkpoints"]
    answers = said(
        programs,
        [
            *(asking(vkey, case["bundle"]) for case in bundles),
            *({"vkey": vkey, "note": case["note"]} for case in notes),
        ],
    )
    wanted = [pinned in case["accept"] for case in bundles] + [case["pinned"][pinned] for case in notes]
    names = [case["name"] for case in bundles] + [f"{case['size']} by {case['signers']}" for case in notes]
    assert dict(zip(names, (line == "ok" for line in answers), strict=True)) == dict(zip(names, wanted, strict=True))
