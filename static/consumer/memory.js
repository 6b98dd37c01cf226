// What this device has seen of each log: the largest size that it verified, its root, and the keys that signed it.
// A server that rewrites history has to contradict it. The comparison itself is in ../verify/consistency.js.

import { fromBase64 } from "../verify/bytes.js";
import { extendsOld } from "../verify/consistency.js";
import { parseVkey } from "../verify/note.js";

const KEY = "dosetrail.logs";
const PATIENCE_MS = 2000; // a cache on the way may show a checkpoint that is a moment old

const alarm = (code, message) => Object.assign(new Error(message), { backwards: true, code });
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
/** One tab after the other, where the browser has locks (not over plain http). */
const alone = (work) => (globalThis.navigator?.locks ? navigator.locks.request(KEY, work) : work());

/** Map origin -> { size, rootText, vkeys }; null where the browser keeps nothing (private mode, blocked). */
export function recall() {
  let text;
  try {
    text = localStorage.getItem(KEY);
  } catch {
    return null;
  }
  try {
    return new Map(Object.entries(JSON.parse(text ?? "{}")).filter(([, log]) => isLog(log)));
  } catch {
    return new Map(); // what stands there is not ours: as if nothing had been seen
  }
}

const isLog = (log) => Number.isSafeInteger(log?.size) && /^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$/.test(log.rootText) && Array.isArray(log.vkeys);

function keep(logs) {
  try {
    localStorage.setItem(KEY, JSON.stringify(Object.fromEntries(logs)));
    return true;
  } catch {
    return false; // full, or blocked for writing only
  }
}

/** Lets the device start again with one log. */
export function forget(origin) {
  const logs = recall();
  if (logs?.delete(origin)) keep(logs);
}

/**
 * What this device can say of the past of a checkpoint that a policy accepted (policy.js): "first", "other" (this site
 * showed other logs before), "same", "larger", "replaced" (the log's key), "older" (behind what was seen, and part of
 * it), "unkept", or "uncompared" where it cannot ask. Remembers the largest that is proved. Throws with `.backwards`,
 * `.code` and `.origin` where the log contradicts what was seen.
 *
 * `logKeys`: what the log says of its own keys (log_keys.js). `ask`: { prefix, latest } to read the log's tiles and its
 * newest checkpoint; without it nothing is fetched.
 */
export function compare(checkpoint, { logKeys, ask = null }) {
  return alone(async () => {
    for (;;) {
      const logs = recall();
      if (!logs) return "unkept";
      const old = logs.get(checkpoint.origin);
      const [past, proved] = await judge(checkpoint, { old, others: logs.size, logKeys, ask });
      const now = recall();
      if (!now) return "unkept";
      if (JSON.stringify(now.get(checkpoint.origin)) !== JSON.stringify(old)) continue; // another tab was faster
      if (!proved) return past;
      now.set(proved.origin, { size: proved.size, rootText: proved.rootText, vkeys: proved.vkeys });
      return keep(now) ? past : "unkept";
    }
  });
}

/** [what to say, the largest checkpoint that is proved or null]. */
async function judge(checkpoint, { old, others, logKeys, ask }) {
  if (!old) return [others ? "other" : "first", checkpoint];
  const seen = { size: old.size, root: fromBase64(old.rootText) };
  try {
    const known = checkpoint.vkeys.some((vkey) => old.vkeys.includes(vkey));
    if (!known && !follows(old, checkpoint, logKeys)) throw alarm("key", "the log has another key than before");
    if (checkpoint.size >= seen.size) {
      const past = await extended(seen, checkpoint, ask);
      return [known ? past : "replaced", checkpoint];
    }
    if (!ask) return ["uncompared", null];
    const newest = await newestOf(checkpoint.origin, seen.size, ask);
    if (!newest.vkeys.some((vkey) => old.vkeys.includes(vkey))) return ["uncompared", null]; // not by a key that it knew
    await extended(seen, newest, ask);
    await extended(checkpoint, newest, ask);
    return ["older", newest];
  } catch (error) {
    if (error.unavailable) return ["uncompared", null];
    throw Object.assign(error, { origin: checkpoint.origin });
  }
}

/**
 * Whether the log itself names a key of now after one that the device knew. The tree must contain the one that the old
 * key signed (`extended`), genesis and its root key with it, and that root key says which key follows; that a server's
 * policy names both is no succession. While a key is replaced both sign, and this is not asked.
 */
function follows(old, checkpoint, logKeys) {
  const names = (vkeys, size) => vkeys.some((vkey) => logKeys.names(keyOf(vkey, checkpoint.origin), size));
  return names(old.vkeys, old.size) && names(checkpoint.vkeys, checkpoint.size);
}

function keyOf(vkey, origin) {
  try {
    const { name, key } = parseVkey(vkey);
    return name === origin ? key : new Uint8Array();
  } catch {
    return new Uint8Array(); // what the memory holds is no key: it names nobody
  }
}

function extended(old, now, ask) {
  const get = ask ? undefined : async () => null; // no tile: only equal sizes can be compared
  return extendsOld({ old, now, prefix: ask?.prefix ?? "", get });
}

/** The log's own newest checkpoint, which must not be smaller than what was seen. */
async function newestOf(origin, size, { latest }) {
  let newest = await latest();
  if (newest.size < size) {
    await wait(PATIENCE_MS);
    newest = await latest();
  }
  if (newest.origin !== origin) throw Object.assign(new Error("another log answers"), { unavailable: true });
  if (newest.size < size) throw alarm("smaller", `the log had ${size} entries and has ${newest.size} now`);
  return newest;
}
