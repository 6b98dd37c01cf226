// What this device has seen of the log: its key, size and root. A server that rewrites history has to contradict it.

import { fromBase64 } from "../verify/bytes.js";

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

/** "first", "same" or "larger"; throws with `.backwards` where the log is not the one this device saw before. */
export async function compare(checkpoint, vkey, tiles) {
  const old = recall();
  if (!old) return "first";
  if (old.vkey !== vkey) throw Object.assign(new Error("the log has another key than before"), { backwards: true });
  const { extendsOld } = await import("../verify/consistency.js");
  return extendsOld({ old, now: checkpoint, prefix: tiles });
}
