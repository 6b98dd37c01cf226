// What this device has seen of the log: its key, size and root. A server that rewrites history has to contradict it.

import { fromBase64 } from "../verify/bytes.js";
import { parseVkey } from "../verify/note.js";

const KEY = "dosetrail.log";

/** { vkey, size, root, rootText } or null; null as well where the browser keeps nothing. */
export function recall() {
  try {
    const kept = JSON.parse(localStorage.getItem(KEY));
    return kept && { ...kept, root: fromBase64(kept.rootText) };
  } catch {
    return null;
  }
}

export function remember({ size, rootText }, vkey) {
  try {
    localStorage.setItem(KEY, JSON.stringify({ vkey, size, rootText }));
  } catch {
    // A browser that keeps nothing can check everything but the past.
  }
}

export function forget() {
  localStorage.removeItem(KEY);
}

/**
 * "first", "same", "larger" or "replaced"; throws with `.backwards` where the log is not the one this device saw before.
 *
 * Another key is the same log's when the tree contains the one that the old key signed, genesis and its root key with
 * it, and that root key says which key follows: `logKeys` is what the checked bundle folds to.
 */
export async function compare(checkpoint, vkey, tiles, logKeys) {
  const old = recall();
  if (!old) return "first";
  if (old.vkey !== vkey && !follows(old, checkpoint, vkey, logKeys)) {
    throw Object.assign(new Error("the log has another key than before"), { backwards: true });
  }
  const { extendsOld } = await import("../verify/consistency.js");
  const past = await extendsOld({ old, now: checkpoint, prefix: tiles });
  return old.vkey === vkey ? past : "replaced";
}

function follows(old, checkpoint, vkey, logKeys) {
  let before, now;
  try {
    [before, now] = [parseVkey(old.vkey), parseVkey(vkey)];
  } catch {
    return false;
  }
  return before.name === now.name && logKeys.names(before.key, old.size) && logKeys.names(now.key, checkpoint.size);
}
