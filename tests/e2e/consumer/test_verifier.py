"""The browser verifier in a real Chromium: it must refuse exactly what `python -m ledger.verify` refuses."""

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest
from nacl.exceptions import BadSignatureError
from nacl.signing import SigningKey

from ledger.tlog import merkle, policy, proof, tile
from tests.vectors.evidence import patching

pytestmark = pytest.mark.browser

VECTORS = patching.load()
POLICIES = json.loads((Path(patching.__file__).parents[1] / "policy" / "vectors.json").read_text())
# bundles -> for each "ok" or the message of the refusal
JUDGE = """async ([bundles, vkey]) => {
  const { verifyBundle } = await import("/verify/verify.js");
  const { policyOfVkey } = await import("/verify/policy.js");
  const check = async (bundle) => verifyBundle(bundle, policyOfVkey(vkey));
  const judge = (bundle) => check(bundle).then(() => "ok", (error) => error.message);
  const verdicts = [];
  for (const bundle of bundles) verdicts.push(await judge(bundle));
  return verdicts;
}"""


def judged(page: Any, bundles: list[Any]) -> list[str]:
    return page.evaluate(JUDGE, [bundles, VECTORS["vkey"]])


def agrees_with_the_vectors(page: Any) -> None:
    cases = VECTORS["cases"]
    verdicts = judged(page, [patching.apply(VECTORS["bundles"][case["bundle"]], case["patch"]) for case in cases])
    wrong = [
        (case["name"], verdict)
        for case, verdict in zip(cases, verdicts, strict=True)
        if (verdict == "ok") != case["accept"]
    ]
    assert wrong == []


def test_agrees_with_the_vectors(secure_page: Any) -> None:
    agrees_with_the_vectors(secure_page)


def test_agrees_with_the_vectors_without_webcrypto(plain_page: Any) -> None:
    agrees_with_the_vectors(plain_page)


PARSE = """async (texts) => {
  const { parsePolicy } = await import("/verify/policy.js");
  const refusal = (text) => { try { parsePolicy(text); return null; } catch (error) { return error.message; } };
  return texts.map(refusal);
}"""


def test_policies_are_refused_at_the_line_where_python_refuses_them(secure_page: Any) -> None:
    cases = POLICIES["policies"]
    found = secure_page.evaluate(PARSE, [case["text"] for case in cases])
    lines = [said if said is None else int((re.match(r"line (\d+): ", said) or [0, 0])[1]) for said in found]
    assert [(case["name"], line) for case, line in zip(cases, lines, strict=True)] == [
        (case["name"], case["refused"]) for case in cases
    ]
    longest = "quorum none\n" + "#" * (policy.MAX_SIZE - 12)
    assert [bool(said) for said in secure_page.evaluate(PARSE, [longest, longest + "#"])] == [False, True]


CHECKPOINTS = """async (cases) => {
  const { parsePolicy, checkCheckpoint } = await import("/verify/policy.js");
  const judge = async ({ policy, note }) => {
    try {
      const { size, cosigned, final } = await checkCheckpoint(note, parsePolicy(policy));
      return [size, final ? "final" : "recorded", Object.fromEntries(cosigned)];
    } catch (error) {
      return [error.message, "refused"];
    }
  };
  return Promise.all(cases.map(judge));
}"""


def checkpoints_agree(page: Any) -> None:
    cases = POLICIES["checkpoints"]
    for case, (said, outcome, *cosigned) in zip(cases, page.evaluate(CHECKPOINTS, cases), strict=True):
        assert outcome == case["outcome"], f"{case['name']}: {said}"
        assert cosigned == ([case["cosigned"]] if outcome != "refused" else []), case["name"]


def test_checkpoints_are_final_where_python_says_so(secure_page: Any) -> None:
    checkpoints_agree(secure_page)


def test_checkpoints_are_final_where_python_says_so_without_webcrypto(plain_page: Any) -> None:
    checkpoints_agree(plain_page)


def test_a_pinned_key_alone_is_a_policy_without_witnesses(secure_page: Any) -> None:
    trusts = [VECTORS["vkey"], f"  {VECTORS['vkey']}\n", f"log {VECTORS['vkey']}\nquorum none\n", "", "quorum none"]
    found = secure_page.evaluate(
        """async ([bundle, trusts]) => {
          const { verifyBundle } = await import("/verify/verify.js");
          const { readTrust } = await import("/verify/policy.js");
          const judge = async (text) => (await verifyBundle(bundle, readTrust(text))).checkpoint.final;
          return Promise.all(trusts.map((text) => judge(text).catch(() => "refused")));
        }""",
        [VECTORS["bundles"]["good"], trusts],
    )
    assert found == [False, False, False, "refused", "refused"]


def test_every_alteration_is_refused(secure_page: Any) -> None:
    altered = dict(patching.alterations(VECTORS["bundles"]["single"]))
    verdicts = judged(secure_page, list(altered.values()))
    assert [name for name, verdict in zip(altered, verdicts, strict=True) if verdict == "ok"] == []


def test_the_verdict_rests_on_the_pinned_key(secure_page: Any) -> None:
    other = VECTORS["vkey"].replace("log.example/medicines", "log.example/other")
    verdicts = secure_page.evaluate(JUDGE, [[VECTORS["bundles"]["good"]], other])
    assert verdicts != ["ok"]


def test_hashes_agree_with_the_standard_library(secure_page: Any) -> None:
    lengths = [0, 1, 55, 56, 63, 64, 111, 112, 119, 120, 127, 128, 1000]
    messages = [[(7 * place + length) % 256 for place in range(length)] for length in lengths]
    found = secure_page.evaluate(
        """async (messages) => {
          const { sha256 } = await import("/verify/sha2.js");
          const { sha512 } = await import("/verify/sha512.js");
          const { hex } = await import("/verify/bytes.js");
          return messages.map((m) => [hex(sha256(Uint8Array.from(m))), hex(sha512(Uint8Array.from(m)))]);
        }""",
        messages,
    )
    for message, (short, long) in zip(messages, found, strict=True):
        assert short == hashlib.sha256(bytes(message)).hexdigest()
        assert long == hashlib.sha512(bytes(message)).hexdigest()


def test_our_arithmetic_verifies_as_libsodium_signs(secure_page: Any) -> None:
    cases = []
    for number in range(6):
        key, message = SigningKey(bytes([number]) * 32), bytes(range(40 * number))
        signature = key.sign(message).signature
        cases.append([list(bytes(key.verify_key)), list(signature), list(message), True])
        for place in (0, 31, 32, 63):
            bent = bytearray(signature)
            bent[place] ^= 1
            cases.append([list(bytes(key.verify_key)), list(bent), list(message), False])
    s = int.from_bytes(signature[32:], "little") + 2**252 + 27742317777372353535851937790883648493
    malleable = signature[:32] + s.to_bytes(32, "little")
    cases.append([list(bytes(key.verify_key)), list(malleable), list(message), False])
    found = secure_page.evaluate(
        """async (cases) => {
          const { verify } = await import("/verify/ed25519.js");
          return cases.map(([k, s, m]) => verify(...[k, s, m].map((part) => Uint8Array.from(part))));
        }""",
        cases,
    )
    assert found == [case[3] for case in cases]


def test_a_signature_whose_nonce_is_nothing_is_refused_as_libsodium_refuses_it(secure_page: Any) -> None:
    """R the neutral point, S = k * a: the equation holds, and the browser's own function takes it."""
    key, message = SigningKey(b"n" * 32), b"message"
    public, order = bytes(key.verify_key), 2**252 + 27742317777372353535851937790883648493
    clamped = bytearray(hashlib.sha512(b"n" * 32).digest()[:32])
    clamped[0] &= 248
    clamped[31] = clamped[31] & 127 | 64
    neutral = bytes([1]) + bytes(31)
    k = int.from_bytes(hashlib.sha512(neutral + public + message).digest(), "little")
    signature = neutral + (k * int.from_bytes(clamped, "little") % order).to_bytes(32, "little")
    with pytest.raises(BadSignatureError):
        key.verify_key.verify(message, signature)
    found = secure_page.evaluate(
        """async (parts) => {
          const [key, signature, message] = parts.map((part) => Uint8Array.from(part));
          const { verifySignature } = await import("/verify/signature.js");
          const native = await crypto.subtle.importKey("raw", key, { name: "Ed25519" }, false, ["verify"]);
          const ours = await verifySignature(key, signature, message).then(() => true, () => false);
          return [await crypto.subtle.verify({ name: "Ed25519" }, native, signature, message), ours];
        }""",
        [list(public), list(signature), list(message)],
    )
    assert found == [True, False]


def test_weak_keys_are_refused(secure_page: Any) -> None:
    """Small order, mixed order, not on the curve, not canonical: all sign what their owner did not."""
    weak = [
        "00" * 32,
        "01" + "00" * 31,
        "ec" + "ff" * 30 + "7f",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "ee" + "ff" * 30 + "7f",
        "02" + "00" * 31,
    ]
    honest = bytes(SigningKey(b"k" * 32).verify_key).hex()
    refused = secure_page.evaluate(
        """async (keys) => {
          const { checkKey } = await import("/verify/curve.js");
          const refuses = (key) => { try { checkKey(key); return false; } catch { return true; } };
          return keys.map((hex) => refuses(Uint8Array.from(hex.match(/../g), (byte) => parseInt(byte, 16))));
        }""",
        [*weak, honest],
    )
    assert refused == [True] * len(weak) + [False]


CONSISTENCY = """async ([sizes, tiles, roots]) => {
  const { extendsOld, consistencyProof, verifyConsistency } = await import("/verify/consistency.js");
  const bytes = (hex) => Uint8Array.from(hex.match(/../g), (byte) => parseInt(byte, 16));
  const get = async (path) => (path in tiles ? bytes(tiles[path]) : null);
  const results = [];
  for (const [old, now, oldRoot] of sizes) {
    const log = { size: now, root: bytes(roots[now]) };
    try {
      const seen = { size: old, root: bytes(oldRoot ?? roots[old]) };
      results.push(await extendsOld({ old: seen, now: log, prefix: "", get }));
    } catch (error) {
      results.push(error.backwards ? "backwards" : `unavailable: ${error.message}`);
    }
  }
  return results;
}"""


def _tiles(leaves: list[bytes], sizes: set[int]) -> dict[str, str]:
    """Every tile path of the logs of these sizes, made by the ledger's own code."""
    found = {}
    for size in sizes:
        row = leaves[:size]
        grown = tile.extend(0, {}, row)
        for name in tile.tiles_of(size):
            data = grown[(name.level, name.number)][: name.width * 32]
            found[tile.format_path(name)] = data.hex()
    return found


def test_a_larger_log_must_contain_the_old_one(secure_page: Any) -> None:
    leaves = [merkle.leaf_hash(str(number).encode()) for number in range(700)]
    sizes = {1, 2, 3, 7, 8, 255, 256, 257, 511, 512, 600, 700}
    roots = {size: merkle.root_of(leaves[:size]).hex() for size in sizes}
    pairs = [[old, now] for old in sorted(sizes) for now in sorted(sizes)]
    results = secure_page.evaluate(CONSISTENCY, [pairs, _tiles(leaves, sizes), roots])
    expected = ["backwards" if now < old else "same" if now == old else "larger" for old, now in pairs]
    assert results == expected
    fork = merkle.root_of([*leaves[:6], merkle.leaf_hash(b"x")]).hex()
    forked = [[7, now, fork] for now in (7, 8, 257, 700)]
    assert secure_page.evaluate(CONSISTENCY, [forked, _tiles(leaves, sizes), roots]) == ["backwards"] * 4
    assert secure_page.evaluate(CONSISTENCY, [[[7, 700]], {}, roots])[0].startswith("unavailable")


def test_the_proof_is_the_one_the_ledger_makes(secure_page: Any) -> None:
    leaves = [merkle.leaf_hash(str(number).encode()) for number in range(300)]
    nodes = lambda node: merkle.root_of(leaves[node[1] << node[0] : (node[1] + 1) << node[0]])  # noqa: E731
    expected = [value.hex() for value in proof.carry_out(proof.plan_consistency(77, 300), nodes)]
    found = secure_page.evaluate(
        """async (tiles) => {
          const { consistencyProof } = await import("/verify/consistency.js");
          const { hex } = await import("/verify/bytes.js");
          const bytes = (text) => Uint8Array.from(text.match(/../g) ?? [], (byte) => parseInt(byte, 16));
          const get = async (path) => bytes(tiles[path] ?? "");
          return (await consistencyProof({ oldSize: 77, size: 300, prefix: "", get })).map(hex);
        }""",
        _tiles(leaves, {300}),
    )
    assert found == expected


SHOWN = {"index": 3, "day": "2026-10-02", "step": "commissioning", "party": "urn:dosetrail:party:riverside"}
STORY = """async ([bundle, vkey, calls]) => {
  const { verifyBundle } = await import("/verify/verify.js");
  const story = await import("/verify/story.js");
  const { policyOfVkey } = await import("/verify/policy.js");
  const { entries } = await verifyBundle(bundle, policyOfVkey(vkey));
  const outcome = ([name, argument]) => {
    try { story[name](entries, argument); return "ok"; } catch (error) { return error.message; }
  };
  return calls.map(outcome);
}"""


def test_the_proof_must_be_about_the_pack_however_it_is_spelled(secure_page: Any) -> None:
    """The vectors name pack and case as Digital Links in one event and as EPC URNs in another."""
    good, pack = VECTORS["bundles"]["good"], VECTORS["pack"]
    calls = [
        ["checkSubject", {"pack": pack, "lotClass": ""}],
        ["checkSubject", {"pack": "https://trace.example/01/9504000059118/21/10000001?17=280331", "lotClass": ""}],
        ["checkSubject", {"pack": pack[:-1] + "2", "lotClass": ""}],
        ["checkSubject", {"pack": pack, "lotClass": "https://id.gs1.org/01/09504000059125/10/ABC-1"}],
        ["checkLabel", {"lot": "ABC-1", "expiry": "2028-03-31"}],
        ["checkLabel", {"lot": "ABC-2", "expiry": "2028-03-31"}],
        ["checkLabel", {"lot": "ABC-1", "expiry": "2029-03-31"}],
        *[
            ["checkShown", [{**SHOWN, **change}]]
            for change in ({}, {"day": "2026-10-01"}, {"step": "shipping"}, {"party": "urn:x"}, {"index": 9})
        ],
    ]
    found = secure_page.evaluate(STORY, [good, VECTORS["vkey"], calls])
    accepted = [True, True, False, False, True, False, False, True, False, False, False, False]
    assert [said == "ok" for said in found] == accepted, found
