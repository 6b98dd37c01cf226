"""The vectors of the log's formats (tests/vectors/log) under the browser's modules."""

from typing import Any

import pytest

from tests.vectors.log import generate

pytestmark = pytest.mark.browser

PROOFS = """async ([cases, pairs]) => {
  const { verifyInclusion } = await import("/verify/merkle.js");
  const { verifyConsistency } = await import("/verify/consistency.js");
  const bytes = (text) => Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));
  const said = (check) => { try { check(); return "ok"; } catch (error) { return error.message; } };
  const flip = (list) => list.map((hash, at) => (at ? hash : (hash.startsWith("0") ? "1" : "0") + hash.slice(1)));
  const included = ({ leaf, index, size, path, root }) => said(() =>
    verifyInclusion({ leaf: bytes(leaf), index, size, proof: path.map(bytes), root: bytes(root) }));
  const extended = ({ size1, size2, root1, root2, path }) => said(() =>
    verifyConsistency({
      oldSize: size1, oldRoot: bytes(root1), size: size2, root: bytes(root2), proof: path.map(bytes),
    }));
  const both = (cases, check) => cases.map((each) =>
    [check(each), each.path.length ? check({ ...each, path: flip(each.path) }) : "no path"]);
  return [...both(cases, included), ...both(pairs, extended)];
}"""
STATEMENTS = """async ([cases, key]) => {
  const { parse, verify } = await import("/verify/statement.js");
  const bytes = (text) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  const publicKey = Uint8Array.from(key.match(/../g), (pair) => parseInt(pair, 16));
  const said = [];
  for (const { statement } of cases) {
    try {
      const found = parse(bytes(statement));
      await verify(found, publicKey);
      said.push(`${found.kind} ${found.iss} ${found.iat}`);
    } catch (error) { said.push("no"); }
  }
  return said;
}"""
CLAIMS = """async (cases) => {
  const { verifyClaims } = await import("/verify/claims.js");
  const bytes = (text) => Uint8Array.from(text.match(/../g), (pair) => parseInt(pair, 16));
  const said = (claims, root) => {
    try { verifyClaims(claims, bytes(root)); return "ok"; } catch (error) { return "no"; }
  };
  const other = (root) => (root.startsWith("0") ? "1" : "0") + root.slice(1);
  return cases.map(({ claims, root }) => [said(claims, root), said(claims, other(root))]);
}"""


def test_inclusion_and_consistency(secure_page: Any) -> None:
    tree = generate.load("tree")
    verdicts = secure_page.evaluate(PROOFS, [tree["inclusion"], tree["consistency"]])
    assert len(verdicts) == len(tree["inclusion"]) + len(tree["consistency"])
    assert {good for good, _ in verdicts} == {"ok"}
    assert "ok" not in {flipped for _, flipped in verdicts}


def test_statements(secure_page: Any) -> None:
    vectors = generate.load("statements")
    verdicts = secure_page.evaluate(STATEMENTS, [vectors["cases"], vectors["public"]])
    wanted = [f"{case['kind']} {case['iss']} {case['iat']}" if case["accept"] else "no" for case in vectors["cases"]]
    names = [case["name"] for case in vectors["cases"]]
    assert dict(zip(names, verdicts, strict=True)) == dict(zip(names, wanted, strict=True))


def test_claims(secure_page: Any) -> None:
    verdicts = secure_page.evaluate(CLAIMS, generate.load("claims")["cases"])
    assert verdicts == [["ok", "no"]] * len(verdicts)
