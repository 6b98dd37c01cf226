// Checking one Ed25519 signature: WebCrypto where the browser has it, our own arithmetic where not (plain http in a
// local network, or a browser from before Ed25519 came to WebCrypto).

import { verify } from "./ed25519.js";

/** Throws unless `signature` by `key` covers `message`. */
export async function verifySignature(key, signature, message) {
  if (signature.length !== 64) throw new Error("signature: not 64 bytes");
  if (!(await check(key, signature, message))) throw new Error("signature: does not verify");
}

async function check(key, signature, message) {
  const native = await importKey(key);
  if (native) return crypto.subtle.verify({ name: "Ed25519" }, native, signature, message);
  return verify(key, signature, message);
}

async function importKey(key) {
  try {
    return await crypto.subtle.importKey("raw", key, { name: "Ed25519" }, false, ["verify"]);
  } catch {
    return null;
  }
}
