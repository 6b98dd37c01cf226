// Ed25519 verification (RFC 8032, section 5.1.7) for browsers without it in WebCrypto; loaded only there.

import { concat, equal } from "./bytes.js";
import { ORDER, add, decode, inverse, mod, multiply, number } from "./curve.js";
import { sha512 } from "./sha512.js";

function encode([x, y, z]) {
  const scale = inverse(z);
  const bytes = new Uint8Array(32);
  let rest = mod(y * scale) | ((mod(x * scale) & 1n) << 255n);
  for (let i = 0; i < 32; i++, rest >>= 8n) bytes[i] = Number(rest & 255n);
  return bytes;
}

const BASE = decode(Uint8Array.from({ length: 32 }, (_, i) => (i ? 0x66 : 0x58)));

/** Whether `signature` (64 bytes) by `key` (32 bytes) covers `message`: S*B - k*A must encode to R. */
export function verify(key, signature, message) {
  try {
    const s = number(signature.subarray(32));
    if (s >= ORDER) return false;
    const [x, y, z, t] = decode(key);
    const k = number(sha512(concat(signature.subarray(0, 32), key, message))) % ORDER;
    const r = add(multiply(BASE, s), multiply([mod(-x), y, z, mod(-t)], k));
    return equal(encode(r), signature.subarray(0, 32));
  } catch {
    return false;
  }
}
