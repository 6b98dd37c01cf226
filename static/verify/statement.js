// One log entry: a COSE_Sign1 signed statement (RFC 9052, RFC 9597). Twin of ledger/statement.py.

import { concat, equal, parseCanonical, text, utf8 } from "./bytes.js";
import { byteString, decode } from "./cbor.js";
import { sha256 } from "./sha2.js";
import { verifySignature } from "./signature.js";

const KEYS = ["genesis", "key-registered", "key-rotated", "key-revoked", "log-key", "log-key-retired"];
const PUBLIC = [...KEYS, "policy", "contract", "recall-notice", "monitor-report"];
const PRIVATE = ["event", "master-data", "alert-transition", "recall-step", "telemetry", "read-receipts"];
const MAX_SIZE = 65535;
const MAX_IAT = 2 ** 40;
const PRINTABLE = /^(?:[^\p{C}\p{Z}]| ){1,256}$/u;

/** RFC 9679 thumbprint of an Ed25519 key. */
export const keyId = (key) => sha256(concat([0xa3, 1, 1, 0x20, 6, 0x21, 0x58, 0x20], key));

const need = (condition, why) => {
  if (!condition) throw new Error(`statement: ${why}`);
};

/** { kind, iss, kid, iat, payload, content, protected, signature }; throws unless it is the one spelling. */
export function parse(bytes) {
  need(bytes.length <= MAX_SIZE, "too long");
  const { tag, value } = decode(bytes);
  need(tag === 18 && Array.isArray(value) && value.length === 4, "not a tagged COSE_Sign1");
  const [header, unprotected, payload, signature] = value;
  need([header, payload, signature].every((part) => part instanceof Uint8Array), "parts must be byte strings");
  need(unprotected instanceof Map && !unprotected.size, "the unprotected header must be empty");
  need(signature.length === 64, "signature is not 64 bytes");
  const statement = { ...parseHeader(header), payload, protected: header, signature, content: null };
  if (PUBLIC.includes(statement.kind)) statement.content = parseCanonical(text(payload));
  else need(payload.length === 32, "payload is not a 32-byte claims root");
  return statement;
}

function parseHeader(bytes) {
  const header = decode(bytes);
  need(header instanceof Map && [...header.keys()].join() === "1,3,4,15", "header must hold labels 1, 3, 4, 15");
  const claims = header.get(15);
  need(claims instanceof Map && [...claims.keys()].join() === "1,2,6", "claims must be iss, sub, iat");
  const [iss, subject, iat] = claims.values();
  const kind = String(subject).replace(/^dosetrail:/, "");
  const kid = header.get(4);
  const type = PRIVATE.includes(kind) ? "claims-root" : `${kind}+json`;
  need(header.get(1) === -8, "algorithm is not EdDSA");
  need(subject === `dosetrail:${kind}` && [...PUBLIC, ...PRIVATE].includes(kind), "unknown kind");
  need(header.get(3) === `application/vnd.dosetrail.${type}`, "content type does not fit the kind");
  need(kid instanceof Uint8Array && kid.length === 32, "kid is not 32 bytes");
  need(typeof iss === "string" && PRINTABLE.test(iss), "iss is not a URI");
  need(typeof iat === "number" && iat >= 0 && iat <= MAX_IAT, "iat is not a time");
  return { kind, iss, kid, iat };
}

/** Throws unless `key` is the key that the statement names and signed it. */
export async function verify(statement, key) {
  need(equal(statement.kid, keyId(key)), "names another key");
  const signed = concat([0x84, 0x6a], utf8("Signature1"), byteString(statement.protected), [0x40], byteString(statement.payload));
  await verifySignature(key, statement.signature, signed);
}
