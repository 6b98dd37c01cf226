// The Merkle tree of RFC 6962, section 2.1 (= RFC 9162, section 2.1), SHA-256. Verification throws.

import { concat, equal } from "./bytes.js";
import { sha256 } from "./sha2.js";

export const leafHash = (entry) => sha256(concat([0], entry));
export const nodeHash = (left, right) => sha256(concat([1], left, right));
export const EMPTY_ROOT = sha256(new Uint8Array());

const shifted = (n) => Math.floor(n / 2); // not >>: sizes may pass 2^31

/** RFC 9162, section 2.1.3.2. `proof` is the list of sibling hashes, the leaf's first. */
export function verifyInclusion({ leaf, index, size, proof, root }) {
  if (!(Number.isSafeInteger(index) && Number.isSafeInteger(size) && index >= 0 && index < size)) {
    throw new Error("inclusion: index outside the tree");
  }
  let [fn, sn, hash] = [index, size - 1, leaf];
  for (const sibling of proof) {
    if (sibling.length !== 32) throw new Error("inclusion: a hash is not 32 bytes");
    if (sn === 0) throw new Error("inclusion: proof too long");
    if (fn % 2 || fn === sn) {
      hash = nodeHash(sibling, hash);
      while (fn % 2 === 0 && fn !== 0) [fn, sn] = [shifted(fn), shifted(sn)];
    } else {
      hash = nodeHash(hash, sibling);
    }
    [fn, sn] = [shifted(fn), shifted(sn)];
  }
  if (sn !== 0) throw new Error("inclusion: proof too short");
  if (!equal(hash, root)) throw new Error("inclusion: does not lead to the root");
}
