// From an evidence bundle to what it proves (docs/formats.md). Twin of ledger/verify.py: both refuse the same bundles.

import { fromBase64, hex, text } from "./bytes.js";
import { checkShape, verifyClaims } from "./claims.js";
import { readJson } from "./json.js";
import { Keyring, LOG_KEY_KINDS } from "./keyring.js";
import { leafHash, verifyInclusion } from "./merkle.js";
import { checkCheckpoint } from "./policy.js";
import { parse, verify as verifyStatement } from "./statement.js";

export const FORMAT = "dosetrail.evidence/1";
const MAX_SIZE = 64 * 1024 * 1024;
const KEY_KINDS = ["genesis", "key-registered", "key-rotated", "key-revoked"];

const need = (condition, why) => {
  if (!condition) throw new Error(`bundle: ${why}`);
};

/** The bundle that a file's bytes spell; throws for text that two readers could read differently. */
export function readBundle(bytes) {
  need(bytes.length <= MAX_SIZE, "too long");
  return readJson(text(bytes));
}

/**
 * Checks every signature, proof and claim in `bundle` under `policy` (see policy.js). Gives { checkpoint, keyring,
 * entries: [{ index, leaf, statement, claims }] }, the checkpoint with `cosigned` and `final`; throws at what is wrong.
 */
export async function verifyBundle(bundle, policy) {
  need(bundle !== null && typeof bundle === "object" && bundle.format === FORMAT, "not of a format we know");
  need(Array.isArray(bundle.keys) && Array.isArray(bundle.entries), "keys or entries are missing");
  const checkpoint = await checkCheckpoint(bundle.checkpoint, policy);
  need(bundle.origin === checkpoint.origin, "names another log than its checkpoint");
  const keyring = new Keyring();
  let last = -1;
  for (const entry of bundle.keys) {
    const { index, statement } = included(entry, checkpoint);
    need(index > last && KEY_KINDS.includes(statement.kind), "keys are not key entries in the order of the log");
    last = index;
    await keyring.add(index, statement);
  }
  need(keyring.registrars.size, "the genesis entry is missing");
  need(keyring.origin === checkpoint.origin, "the genesis is of another log");
  await foldLogKeys(bundle.logKeys, checkpoint, keyring);
  const entries = await Promise.all(bundle.entries.map((entry) => verifyEntry(entry, checkpoint, keyring)));
  need(entries.length && new Set(entries.map(({ index }) => index)).size === entries.length, "no entry, or one twice");
  return { checkpoint, keyring, entries };
}

/** What the log says about its own keys; it proves nothing about the pinned one, and nothing about the entries. */
async function foldLogKeys(logKeys = [], checkpoint, keyring) {
  need(Array.isArray(logKeys), "logKeys is not a list");
  let last = -1;
  for (const entry of logKeys) {
    const { index, statement } = included(entry, checkpoint);
    need(index > last && LOG_KEY_KINDS.includes(statement.kind), "logKeys are not entries about log keys in the order of the log");
    last = index;
    await keyring.add(index, statement);
  }
}

function included({ index, statement, inclusion }, { size, root }) {
  const bytes = fromBase64(statement);
  const leaf = leafHash(bytes);
  verifyInclusion({ leaf, index, size, proof: inclusion.map(fromBase64), root });
  return { index, leaf: hex(leaf), statement: parse(bytes) };
}

async function verifyEntry(entry, checkpoint, keyring) {
  const { index, leaf, statement } = included(entry, checkpoint);
  await verifyStatement(statement, keyring.keyFor(index, statement));
  need(statement.content === null, `a ${statement.kind} entry has no claims`);
  const claims = verifyClaims(entry.claims, statement.payload);
  checkShape(claims, statement);
  return { index, leaf, statement, claims };
}
