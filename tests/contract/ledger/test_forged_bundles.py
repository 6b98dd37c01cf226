"""Lies that only the log's own operator or a signer could tell: whole forged logs, well-signed where it matters."""

import base64

import pytest

from ledger import claims, keyring, verify
from ledger import statement as statements
from ledger.statement import Header
from ledger.tlog import checkpoint, merkle, note, proof
from ledger.verify import BundleError

LOG, ROOT, PARTY = (statements.key_from_seed(bytes([number]) * 32) for number in (1, 2, 3))
ORIGIN = "log.example/one"
VKEY = str(note.Verifier(ORIGIN, LOG.public))
OPERATOR, ACME = "urn:dosetrail:operator", "urn:dosetrail:party:acme"
SHOWN = [["#members", ["epcList", "subject"]], ["#party", ACME], ["epcList", "a"], ["subject", "x"]]


def text(name, value, salt="AAAAAAAAAAAAAAAAAAAAAA"):
    return claims.canonical([salt, name, value])


def signed(key, kind, payload, iss):
    return statements.sign(Header(kind, iss, key.kid, 3600), payload, key=key)


class Forge:
    """A log of genesis, registration and one master-data entry, each part of which a test may falsify."""

    def __init__(self, *, origin=ORIGIN, texts=None, damage=lambda statement: statement):
        self.texts = texts or [text(name, value) for name, value in SHOWN]
        leaves = [merkle.leaf_hash(item.encode()) for item in self.texts]
        self.leaves = sorted(leaves + [bytes([number]) * 32 for number in range(16 - len(leaves))])
        content = keyring.genesis(origin=origin, operator_name="x", root=ROOT.public, registrars=[ROOT.public])
        registration = keyring.registration(public=PARTY.public, party=ACME)
        self.entries = [
            signed(ROOT, "genesis", content, OPERATOR),
            signed(ROOT, "key-registered", registration, OPERATOR),
            damage(signed(PARTY, "master-data", merkle.perfect_root(self.leaves), ACME)),
        ]

    def bundle(self):
        hashes = list(map(merkle.leaf_hash, self.entries))
        root = merkle.root_of(hashes)
        entries = [self.entry(index, hashes) for index in range(3)]
        return {
            "format": "dosetrail.evidence/1",
            "origin": ORIGIN,
            "checkpoint": checkpoint.sign(checkpoint.Checkpoint(ORIGIN, 3, root), seed=LOG.seed),
            "keys": entries[:2],
            "entries": [{**entries[2], "claims": [self.claim(item) for item in self.texts]}],
        }

    def entry(self, index, hashes):
        path = proof.carry_out(
            proof.plan_inclusion(index, 3),
            lambda node: merkle.perfect_root(hashes[node[1] << node[0] : (node[1] + 1) << node[0]]),
        )
        return {
            "index": index,
            "statement": base64.b64encode(self.entries[index]).decode(),
            "inclusion": [base64.b64encode(item).decode() for item in path],
        }

    def claim(self, item):
        place = self.leaves.index(merkle.leaf_hash(item.encode()))
        path = proof.carry_out(
            proof.plan_inclusion(place, 16),
            lambda node: merkle.perfect_root(self.leaves[node[1] << node[0] : (node[1] + 1) << node[0]]),
        )
        return {"index": place, "claim": item, "path": [base64.b64encode(value).decode() for value in path]}


def refused(bundle, why):
    with pytest.raises(BundleError, match=why):
        verify.check(bundle, VKEY)


def test_the_forge_itself_makes_a_good_bundle():
    [entry] = verify.check(Forge().bundle(), VKEY).entries
    assert entry.claims["subject"] == "x"


def test_a_genesis_of_another_log_is_refused():
    refused(Forge(origin="log.example/two").bundle(), "genesis is of another log")


def test_a_logged_statement_whose_signature_is_wrong_is_refused():
    def damage(statement):
        return statement[:-1] + bytes([statement[-1] ^ 1])

    refused(Forge(damage=damage).bundle(), "signature does not verify")


def test_a_signer_cannot_commit_two_values_for_one_name():
    texts = [text(name, value) for name, value in [*SHOWN, ["subject", "y"]]]
    refused(Forge(texts=texts).bundle(), "two values for subject")


def test_a_claim_that_two_readers_could_read_differently_is_refused():
    texts = [text(name, value) for name, value in SHOWN]
    for odd in ('["s","a", 1]', '["s","a",1.0]', '["s","a",{"b":1,"b":2}]', '["s","a","\\u0041"]'):
        refused(Forge(texts=[*texts, odd]).bundle(), "not canonical JSON")


def test_a_claim_is_salt_name_and_value():
    texts = [text(name, value) for name, value in SHOWN]
    for odd in ('["s","a"]', '["s",1,2]', "[1,2,3]", '{"a":1}'):
        refused(Forge(texts=[*texts, odd]).bundle(), "salt, name, value")


def test_a_list_claim_counts_once():
    bundle = Forge().bundle()
    shown = bundle["entries"][0]["claims"]
    shown.append(next(item for item in shown if '"epcList","a"' in item["claim"]))
    refused(bundle, "one claim twice")


def test_a_public_entry_has_no_claims():
    bundle = Forge().bundle()
    bundle["entries"] = [{**bundle["keys"][1], "claims": []}]
    refused(bundle, "no registrar|no claims")
