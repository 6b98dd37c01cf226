// Checking one Ed25519 signature: WebCrypto where the browser has it, our own arithmetic where not (plain http in a
// local network, or a browser from before Ed25519 came to WebCrypto).

/** Throws unless `signature` by `key` covers `message`. The neutral point as R is refused, as libsodium refuses it. */
export async function verifySignature(key, signature, message) {
  if (signature.length !== 64) throw new Error("signature: not 64 bytes");
  if (signature[0] === 1 && signature.subarray(1, 32).every((byte) => byte === 0)) throw new Error("signature: of small order");
  if (!(await check(key, signature, message))) throw new Error("signature: does not verify");
}

async function check(key, signature, message) {
  const native = await importKey(key);
  if (native) return crypto.subtle.verify({ name: "Ed25519" }, native, signature, message);
  return (await arithmetic()).verify(key, signature, message);
}

/** Not being able to load our arithmetic says nothing about the signature: the error is marked so. */
async function arithmetic() {
  try {
    return await import("./ed25519.js");
  } catch (error) {
    throw Object.assign(error, { unavailable: true });
  }
}

const imported = new Map(); // a registrar's or party's key signs many entries

function importKey(key) {
  const name = key.join();
  if (!imported.has(name)) imported.set(name, importNew(key));
  return imported.get(name);
}

async function importNew(key) {
  try {
    return await crypto.subtle.importKey("raw", key, { name: "Ed25519" }, false, ["verify"]);
  } catch {
    return null;
  }
}
