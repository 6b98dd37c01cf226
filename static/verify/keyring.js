// Whose key is this, as the log says it: a fold over its entries about keys. Twin of ledger/keyring.py.

import { equal, fromBase64, hex } from "./bytes.js";
import { checkKey } from "./curve.js";
import { LogKeys } from "./log_keys.js";
import { keyId, verify } from "./statement.js";

export const LOG_KEY_KINDS = ["log-key", "log-key-retired"];

const need = (condition, why) => {
  if (!condition) throw new Error(`key entry: ${why}`);
};

function publicKey(value) {
  const key = fromBase64(value);
  checkKey(key);
  return key;
}

export class Keyring {
  constructor() {
    Object.assign(this, { operator: null, origin: null, registrars: new Map(), keys: new Map() });
    Object.assign(this, { root: null, logKeys: new LogKeys() });
  }

  /** Folds one key entry; entries come in index order, the genesis (entry 0) first. Throws. */
  async add(index, statement) {
    const { kind, kid, iss, content } = statement;
    need(content !== null && typeof content === "object" && !Array.isArray(content), "no content");
    if (kind === "genesis") return this.addGenesis(index, statement);
    if (LOG_KEY_KINDS.includes(kind)) return this.addRootsWord(index, statement);
    const registrar = this.registrars.get(hex(kid));
    need(registrar && iss === this.operator, "not signed by a registrar");
    await verify(statement, registrar);
    if (kind === "key-rotated") this.end(Infinity, content.replaces, content.badSince); // retired: its past still counts
    if (kind === "key-revoked") this.end(index, content.kid, content.badSince);
    else this.register(index, content);
  }

  /** The root key speaks about the keys that sign checkpoints, and nobody else. */
  async addRootsWord(index, statement) {
    const { kind, iss, content } = statement;
    need(this.root && iss === this.operator, "not signed by the root key");
    await verify(statement, this.root);
    need(content.origin === this.origin, "about the key of another log");
    if (kind === "log-key-retired") return this.logKeys.retire(index, content.kid);
    const [key, replaces] = [publicKey(content.public), publicKey(content.replacesPublic)];
    const id = hex(keyId(key));
    need(content.kid === id && content.replaces === hex(keyId(replaces)), "does not give the two keys their own ids");
    need(!equal(key, this.root) && !this.registrars.has(id) && !this.keys.has(id), "names a key that signs statements");
    need(typeof content.overlap === "boolean", "does not say whether both keys sign for a time");
    this.logKeys.follow(index, { key, replaces, overlap: content.overlap });
  }

  async addGenesis(index, statement) {
    const { content, iss } = statement;
    need(index === 0 && !this.registrars.size, "the genesis is entry 0 and there is one");
    need(content.format === "dosetrail.genesis/1" && Array.isArray(content.registrars), "not a genesis");
    const root = publicKey(content.root);
    await verify(statement, root);
    this.root = root;
    [this.operator, this.origin] = [iss, content.origin];
    this.continues = content.continues ?? null; // the log before it, where an epoch began anew
    for (const encoded of content.registrars) {
      const key = publicKey(encoded);
      this.registrars.set(hex(keyId(key)), key);
    }
  }

  register(index, { party, kid, public: encoded }) {
    const key = publicKey(encoded);
    const id = hex(keyId(key));
    need(typeof party === "string" && party && kid === id, "no party, or not the key's own id");
    need(!this.keys.has(id), "registered already");
    this.keys.set(id, { party, key, since: index, revoked: Infinity, badSince: Infinity });
  }

  end(revokedAt, kid, badSince) {
    const record = this.keys.get(kid);
    need(record && Number.isSafeInteger(badSince) && badSince >= 0, "ends an unknown key, or says not since when");
    record.revoked = Math.min(record.revoked, revokedAt);
    record.badSince = Math.min(record.badSince, badSince);
  }

  /** The key that counts for a statement at `index`; throws for an unknown, foreign or revoked one. */
  keyFor(index, { kid, iss, iat }) {
    const record = this.keys.get(hex(kid));
    need(record && record.since < index, "the signer's key is not registered before the entry");
    need(record.party === iss, "the signer's key belongs to another party");
    need(index <= record.revoked && iat * 1000 < record.badSince, "the signer's key was revoked or retired");
    return record.key;
  }
}
