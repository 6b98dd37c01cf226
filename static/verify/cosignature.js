// Cosignatures: a witness' word that it saw a checkpoint, and when (C2SP tlog-cosignature). Twin of
// ledger/tlog/cosignature.py. Ed25519 (0x04) is judged; ML-DSA-44 (0x06) is left alone like a stranger's line.

import { utf8 } from "./bytes.js";
import { splitVkey } from "./note.js";
import { verifySignature } from "./signature.js";

const ED25519 = 4;
const ML_DSA_44 = 6;
const TIME_SIZE = 8;
const MAX_TIME = 2n ** 63n - 1n;

const need = (condition, why) => {
  if (!condition) throw new Error(`cosignature: ${why}`);
};

/** A witness' key: { name, id, type, key, verify(body, payload) }; null for an ML-DSA key. Throws for any other. */
export function parseCosigner(vkey) {
  const known = splitVkey(vkey);
  if (known.type === ML_DSA_44) return null;
  need(known.type === ED25519 && known.key.length === 32, "not a witness' verifier key");
  const verify = (body, payload) =>
    verifySignature(known.key, payload.slice(TIME_SIZE), utf8(`cosignature/v1\ntime ${timeOf(payload)}\n${body}`));
  return { ...known, verify };
}

/** The time that a cosignature claims, in seconds since 1970 (BigInt). */
export function timeOf(payload) {
  need(payload.length > TIME_SIZE, "a time and a signature are needed");
  const time = new DataView(payload.buffer, payload.byteOffset).getBigUint64(0);
  need(time <= MAX_TIME, "a time out of range");
  return time;
}
