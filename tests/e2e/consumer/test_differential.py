"""The browser's verifier against Python's: thousands of changed evidence files, and of each the same verdict."""

import json
from base64 import b64encode
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger import verify
from ledger.tlog import policy
from tests.vectors.evidence import mutations, patching
from tests.vectors.evidence.mutations import Splice
from tests.vectors.rotation import generate as rotation

pytestmark = pytest.mark.browser

VECTORS = patching.load()
TRUST = VECTORS["policy"]
BUNDLE = VECTORS["bundles"]["cosigned"]
BASE = mutations.spell(BUNDLE)
ROTATION = json.loads(Path(rotation.__file__).with_name("vectors.json").read_text())
# The base text and splices of it -> for each "final", "recorded" or "refused"
JUDGE = """async ([base, splices, policy]) => {
  const { readBundle, verifyBundle } = await import("/verify/verify.js");
  const { parsePolicy } = await import("/verify/policy.js");
  const trust = parsePolicy(policy);
  const judge = async ([, start, end, text]) => {
    const bytes = new TextEncoder().encode(base.slice(0, start) + text + base.slice(end));
    const { checkpoint } = await verifyBundle(readBundle(bytes), trust);
    return checkpoint.final ? "final" : "recorded";
  };
  const verdicts = [];
  while (verdicts.length < splices.length) {
    const some = splices.slice(verdicts.length, verdicts.length + 64);
    verdicts.push(...(await Promise.all(some.map((splice) => judge(splice).catch(() => "refused")))));
  }
  return verdicts;
}"""


def by_browser(page: Any, base: str, splices: Sequence[Splice], trust: str) -> list[str]:
    return page.evaluate(JUDGE, [base, [list(splice) for splice in splices], trust])


def by_python(base: str, splices: Sequence[Splice], trust: str) -> list[str]:
    chosen = policy.parse(trust)
    verdicts = []
    for splice in splices:
        try:
            data = mutations.apply(base, splice).encode()
            verdicts.append("final" if verify.check(verify.load(data), chosen).final else "recorded")
        except verify.BundleError:
            verdicts.append("refused")
    return verdicts


def both(page: Any, splices: Sequence[Splice], *, base: str = BASE, trust: str = TRUST) -> list[tuple[str, str]]:
    """What was done and the verdict of both; fails where they differ."""
    here, there = by_python(base, splices, trust), by_browser(page, base, splices, trust)
    names = [splice.name for splice in splices]
    differ = [found for found in zip(names, here, there, strict=True) if found[1] != found[2]]
    assert differ == []
    return list(zip(names, here, strict=True))


def test_the_bundle_itself_is_final(secure_page: Any) -> None:
    """The negative control of all that follows."""
    assert both(secure_page, [Splice("nothing changed", 0, 0, "")]) == [("nothing changed", "final")]


def test_no_field_can_be_changed(secure_page: Any) -> None:
    splices = list(mutations.every_field(BUNDLE))
    assert len(splices) > 5000
    verdicts = both(secure_page, splices)
    taken = {name for name, verdict in verdicts if verdict != "refused"}
    # What is left of a witness' line under another name or id is a stranger's line: it counts for nothing.
    assert {name.split(":")[0] for name in taken} <= {"checkpoint"}
    assert all(verdict != "final" for name, verdict in verdicts if name in taken)


def test_no_member_can_be_left_out_or_doubled(secure_page: Any) -> None:
    verdicts = both(secure_page, list(mutations.every_member(BUNDLE)))
    taken = [name for name, verdict in verdicts if verdict != "refused"]
    # Who discloses chooses which claims to show, in any order, but for the six that a verifier insists on.
    claims = len(BUNDLE["entries"][0]["claims"])
    moved = [f"entries/0/claims: {place} before its neighbour" for place in range(1, claims)]
    left_out = [name for name in taken if name.startswith("entries/0/claims: without ")]
    assert sorted(taken) == sorted(moved + left_out)
    assert len(left_out) == claims - 6


def test_what_a_log_says_of_its_own_keys_is_judged_alike(secure_page: Any) -> None:
    rotated = [case["bundle"] for case in ROTATION["bundles"] if "old" in case["accept"]]
    bundle = next(one for one in rotated if one.get("logKeys"))
    trust = f"log {ROTATION['vkeys']['old']}\nquorum none\n"
    splices = [*mutations.every_field(bundle), *mutations.every_member(bundle)]
    of_keys = [splice for splice in splices if splice.name.startswith(("logKeys", "keys", "bundle"))]
    base = mutations.spell(bundle)
    assert both(secure_page, [Splice("nothing changed", 0, 0, "")], base=base, trust=trust)[0][1] == "recorded"
    taken = {name for name, verdict in both(secure_page, of_keys, base=base, trust=trust) if verdict != "refused"}
    # It may be left out, whole or from its end; nothing of it can be changed.
    assert all(name.startswith(("bundle: ", "logKeys: ")) for name in taken), taken
    assert "bundle: without logKeys" in taken


def test_one_spelling_of_json_or_none(secure_page: Any) -> None:
    listed = list(mutations.spellings(BUNDLE))
    verdicts = both(secure_page, [splice for splice, _ in listed])
    expected = [(splice.name, "final" if same else "refused") for splice, same in listed]
    assert verdicts == expected


def test_bytes_that_are_no_text_are_refused(secure_page: Any) -> None:
    bad = [BASE.encode() + byte for byte in (b"\xff", b"\xc0\xa0", b"\xed\xa0\x80")]
    bad += [b"\xef\xbb\xbf" + BASE.encode(), BASE.encode("utf-16")]
    refused = secure_page.evaluate(
        """async (files) => {
          const { readBundle } = await import("/verify/verify.js");
          const { fromBase64 } = await import("/verify/bytes.js");
          return files.map((file) => { try { readBundle(fromBase64(file)); return false; } catch { return true; } });
        }""",
        [b64encode(data).decode() for data in bad],
    )
    assert refused == [True] * len(bad)
    for data in bad:
        with pytest.raises(verify.BundleError):
            verify.load(data)


NODES = [pointer for pointer, _ in patching.leaves(BUNDLE, [])]
PLACES = sorted({tuple(pointer[:depth]) for pointer in NODES for depth in range(1, len(pointer) + 1)}, key=str)
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 300),
    st.sampled_from([2**31, 2**32, 2**52, 2**53 - 1, 2**53, 2.0, 0.5, float("inf")]),
    st.text(max_size=8),
    st.lists(st.integers(0, 2), max_size=2),
    st.dictionaries(st.sampled_from(["index", "claim", "length", "__proto__"]), st.integers(0, 2), max_size=2),
)
# (what, at, from): the value at `at` replaced by one made up, by that at `from`, swapped with it, removed or doubled.
STEPS = st.one_of(
    st.tuples(st.just("set"), st.sampled_from(PLACES), VALUES),
    st.tuples(st.sampled_from(["copy", "swap"]), st.sampled_from(PLACES), st.sampled_from(PLACES)),
    st.tuples(st.sampled_from(["remove", "double"]), st.sampled_from(PLACES), st.none()),
)


def mutated(steps: Sequence[tuple[str, tuple[Any, ...], Any]]) -> Any:
    bundle = json.loads(BASE)
    for what, at, other in steps:
        try:
            parent, key = _parent(bundle, at)
            if what == "set":
                parent[key] = other
            elif what == "remove":
                del parent[key]
            elif what == "double" and isinstance(parent, list):
                parent.insert(key, parent[key])
            elif what in ("copy", "swap"):
                source, name = _parent(bundle, other)
                mine, theirs = json.dumps(parent[key]), json.dumps(source[name])
                parent[key] = json.loads(theirs)
                if what == "swap":
                    source[name] = json.loads(mine)
        except (KeyError, IndexError, TypeError):
            continue  # an earlier step took the place away
    return bundle


def _parent(value: Any, pointer: tuple[Any, ...]) -> tuple[Any, Any]:
    for step in pointer[:-1]:
        value = value[step]
    value[pointer[-1]]
    return value, pointer[-1]


def test_whatever_is_done_to_its_structure_both_say_the_same(secure_page: Any) -> None:
    @settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(st.lists(STEPS, min_size=1, max_size=4), min_size=40, max_size=40))
    def holds(batch: list[list[tuple[str, tuple[Any, ...], Any]]]) -> None:
        both(secure_page, [mutations.between(repr(steps), BASE, mutations.spell(mutated(steps))) for steps in batch])

    holds()
