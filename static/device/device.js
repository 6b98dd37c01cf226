// A device that signs its own events: reference client of docs/device-signing.md, for any browser with WebCrypto's Ed25519.
// Twin of clients/python/dosetrail_device.py: the same secret, key, event and time give the same bytes.

import { concat, fromBase64, hex, jcs, toBase64, utf8 } from "../verify/bytes.js";
import { leafHash, nodeHash } from "../verify/merkle.js";
import { keyId } from "../verify/statement.js";

const LISTS = new Set([
  "epcList", "childEPCs", "inputEPCList", "outputEPCList",
  "quantityList", "childQuantityList", "inputQuantityList", "outputQuantityList",
  "bizTransactionList", "sourceList", "destinationList", "sensorElementList",
]);
const BATCH = 100;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)$/;
const OFFSET = /^([+-])([01]\d|2[0-3]):([0-5]\d)$/;

const base64url = (bytes) => toBase64(bytes).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
const unBase64url = (text) =>
  fromBase64(text.replaceAll("-", "+").replaceAll("_", "/").padEnd(Math.ceil(text.length / 4) * 4, "="));

/**
 * The item for POST /api/v1/statements. `secret`: 32 random bytes, new for each event; `key`: { privateKey (CryptoKey),
 * publicKey (32 bytes) }; `iat`: seconds since 1970. Throws when the event cannot be committed.
 */
export async function sign(event, { secret, key, party, iat }) {
  const header = concat(
    [0xa4, 0x01, 0x27, 0x03], cborText("application/vnd.dosetrail.claims-root"), [0x04], cborBytes(keyId(key.publicKey)),
    [0x0f, 0xa3, 0x01], cborText(party), [0x02], cborText("dosetrail:event"), [0x06], cborHead(0, iat),
  );
  const root = await claimsRoot(event, { secret, party });
  const signed = concat([0x84], cborText("Signature1"), cborBytes(header), [0x40], cborBytes(root));
  const signature = new Uint8Array(await crypto.subtle.sign("Ed25519", key.privateKey, signed));
  const statement = concat([0xd2, 0x84], cborBytes(header), [0xa0], cborBytes(root), cborBytes(signature));
  return { event: base64url(utf8(jcs(event))), secret: base64url(secret), statement: base64url(statement) };
}

/** The root of the event's salted claims tree (docs/formats.md, "Claims"). */
export async function claimsRoot(event, { secret, party }) {
  const key = await crypto.subtle.importKey("raw", secret, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  const mac = async (...message) => new Uint8Array(await crypto.subtle.sign("HMAC", key, concat(...message)));
  const seen = new Map();
  let level = [];
  for (const [name, value] of claims(event, party)) {
    const pair = `${jcs(name)},${jcs(value)}`;
    const repeat = (seen.get(pair) ?? 0) + 1;
    seen.set(pair, repeat);
    const salt = await mac(utf8(`dosetrail/claim/1\0[${pair},${repeat}]`));
    level.push(leafHash(utf8(`["${base64url(salt.subarray(0, 16))}",${pair}]`)));
  }
  let size = 16;
  while (size < level.length) size *= 2;
  const pads = size - level.length;
  for (let i = 0; i < pads; i++) {
    level.push(leafHash(await mac(utf8("dosetrail/pad/1\0"), [i >>> 24, (i >>> 16) & 255, (i >>> 8) & 255, i & 255])));
  }
  level.sort((a, b) => (hex(a) < hex(b) ? -1 : 1));
  while (level.length > 1) {
    level = Array.from({ length: level.length / 2 }, (_, i) => nodeHash(level[2 * i], level[2 * i + 1]));
  }
  return level[0];
}

function* claims(event, party) {
  for (const [name, value] of Object.entries(event)) {
    if (LISTS.has(name) && Array.isArray(value)) {
      for (const item of value) yield [name, item];
      yield [`${name}#count`, value.length];
    } else if (name === "ilmd" && value !== null && typeof value === "object" && !Array.isArray(value)) {
      for (const [member, item] of Object.entries(value)) yield [`ilmd/${member}`, item];
      yield ["ilmd#members", sortedNames(value)];
    } else if (/^(#|ilmd\/|ilmd#members$)/.test(name) || (name.endsWith("#count") && LISTS.has(name.slice(0, -6)))) {
      throw new Error(`the member name ${name} is reserved`);
    } else {
      yield [name, value];
    }
  }
  yield ["#members", sortedNames(event)];
  yield ["#party", party];
  if ("eventTime" in event) yield ["#day", localDay(event.eventTime, event.eventTimeZoneOffset)];
}

/** By code point, which is not the order of JavaScript's strings. */
function sortedNames(object) {
  const points = (name) => Array.from(name, (char) => char.codePointAt(0).toString(16).padStart(6, "0")).join("");
  return Object.keys(object).sort((a, b) => (points(a) < points(b) ? -1 : 1));
}

function localDay(eventTime, offset) {
  const shift = OFFSET.exec(offset);
  if (!shift || !TIME.test(eventTime) || Number.isNaN(Date.parse(eventTime))) {
    throw new Error("an event has an eventTime such as 2026-03-01T08:00:00.000Z and an eventTimeZoneOffset");
  }
  const minutes = (Number(shift[2]) * 60 + Number(shift[3])) * (shift[1] === "-" ? -1 : 1);
  return new Date(Date.parse(eventTime) + minutes * 60_000).toISOString().slice(0, 10);
}

/** The head of a CBOR item in its shortest form (RFC 8949, section 4.2.1). */
function cborHead(major, n) {
  const first = major << 5;
  if (n < 24) return [first | n];
  const size = n < 2 ** 8 ? 1 : n < 2 ** 16 ? 2 : n < 2 ** 32 ? 4 : 8;
  const bytes = Array.from({ length: size }, (_, i) => Math.floor(n / 256 ** (size - 1 - i)) % 256);
  return [first | (24 + Math.log2(size)), ...bytes];
}

const cborBytes = (bytes) => concat(cborHead(2, bytes.length), bytes);
const cborText = (text) => concat(cborHead(3, utf8(text).length), utf8(text));

/**
 * A key that never leaves the browser and an outbox, both in IndexedDB.
 *
 * What `record` has resolved is kept. A retry sends the bytes that were signed then, never a new signature: the house
 * knows it again. Once the house has answered with its receipt, event and secret are deleted here.
 */
export class Device {
  /** The device of this browser profile, made on first use. `party`: the party's URI. */
  static async open(party, name = "dosetrail-device") {
    const database = await opened(name);
    let key = await asked(database.transaction("keys").objectStore("keys").get("signing"));
    if (!key) {
      const pair = await crypto.subtle.generateKey("Ed25519", false, ["sign", "verify"]); // not extractable
      key = { privateKey: pair.privateKey, publicKey: new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey)) };
      // Of two tabs that open at once the first one's key stays.
      const store = changing(database, "keys");
      const kept = finished(store.transaction);
      const first = await asked(store.get("signing"));
      if (!first) store.add(key, "signing");
      await kept;
      key = first ?? key;
    }
    return new Device(database, key, party);
  }

  constructor(database, key, party) {
    Object.assign(this, { database, key, party });
  }

  /** What is registered for the party (`manage.py add_device_key`), in hex. */
  get publicKey() {
    return hex(this.key.publicKey);
  }

  /** Signs an event and keeps it in the outbox; its ID. */
  async record(event, iat = Math.floor(Date.now() / 1000)) {
    const plain = JSON.parse(JSON.stringify(event)); // what JSON cannot hold is not signed
    const whole = { ...plain, eventID: plain.eventID ?? `urn:uuid:${crypto.randomUUID()}` };
    const secret = crypto.getRandomValues(new Uint8Array(32));
    const item = await sign(whole, { secret, key: this.key, party: this.party, iat });
    const store = changing(this.database, "outbox");
    store.add({ item, problem: null });
    await finished(store.transaction);
    return whole.eventID;
  }

  /** [{ id, item, problem }] of the outbox, oldest first; what the house refused has its problem document. */
  async outbox() {
    const store = this.database.transaction("outbox").objectStore("outbox");
    const [ids, rows] = await Promise.all([asked(store.getAllKeys()), asked(store.getAll())]);
    return rows.map((row, i) => ({ id: ids[i], ...row }));
  }

  /** Sends what waits; how many events the house now has. Throws when it is not reached or busy: try again later. */
  async send(url, token) {
    let sent = 0;
    for (;;) {
      const batch = (await this.outbox()).filter(({ problem }) => problem === null).slice(0, BATCH);
      if (!batch.length) return sent;
      const response = await fetch(`${url}/api/v1/statements`, {
        method: "POST",
        headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
        body: JSON.stringify({ statements: batch.map(({ item }) => item) }),
        credentials: "omit",
      });
      const answer = await response.json().catch(() => ({}));
      if (response.status === 202) {
        await this.forget(batch, answer);
        sent += batch.length;
      } else if ([400, 403, 409].includes(response.status) && answer.errors?.length) {
        // All or none was taken: set the one that is named aside, and send the others again.
        const { id, item } = batch[answer.errors[0].event ?? 0];
        const store = changing(this.database, "outbox");
        store.put({ item, problem: answer }, id);
        await finished(store.transaction);
      } else {
        throw new Error(`the house answered ${response.status}: ${answer.detail ?? ""}`);
      }
    }
  }

  /** Deletes the secrets; keeps the receipt, by which an omission can be proved. */
  async forget(batch, answer) {
    const hashes = batch.map(({ item }) => hex(leafHash(unBase64url(item.statement))));
    if (answer.statements.map(({ statementHash }) => statementHash).join() !== hashes.join()) {
      throw new Error("the house's answer is about other statements than those sent");
    }
    const transaction = this.database.transaction(["outbox", "receipts"], "readwrite", { durability: "strict" });
    for (const name of hashes) transaction.objectStore("receipts").put(answer.receipt, name);
    for (const { id } of batch) transaction.objectStore("outbox").delete(id);
    await finished(transaction);
  }
}

const changing = (database, name) =>
  database.transaction(name, "readwrite", { durability: "strict" }).objectStore(name);

function asked(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

function finished(transaction) {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onerror = transaction.onabort = () => reject(transaction.error);
  });
}

async function opened(name) {
  const request = indexedDB.open(name, 1);
  request.onupgradeneeded = () => {
    request.result.createObjectStore("keys");
    request.result.createObjectStore("outbox", { autoIncrement: true });
    request.result.createObjectStore("receipts");
  };
  return asked(request);
}
