// Is the log of today an extension of the log this device saw before? Proved from the public tiles
// (C2SP tlog-tiles; RFC 9162, section 2.1.4.2), so that the server cannot answer with a word.

import { equal, hex } from "./bytes.js";
import { EMPTY_ROOT, nodeHash } from "./merkle.js";

const TILE = 256;
const shifted = (n) => Math.floor(n / 2);

/** RFC 9162, section 2.1.4.2. An empty old log is extended by every log, with an empty proof. Throws. */
export function verifyConsistency({ oldSize, oldRoot, size, root, proof }) {
  const refuse = (why) => { throw new Error(`consistency: ${why}`); };
  if (!(oldSize >= 0 && oldSize <= size)) refuse("the log became smaller");
  if (oldSize === 0 || oldSize === size) {
    if (proof.length) refuse("proof must be empty");
    if (!equal(oldRoot, oldSize ? root : EMPTY_ROOT)) refuse("another root at the same size");
    return;
  }
  const hashes = Number.isInteger(Math.log2(oldSize)) ? [oldRoot, ...proof] : [...proof];
  if (!proof.length) refuse("proof is empty");
  let [fn, sn] = [oldSize - 1, size - 1];
  while (fn % 2) [fn, sn] = [shifted(fn), shifted(sn)];
  let [fr, sr] = [hashes[0], hashes[0]];
  for (const hash of hashes.slice(1)) {
    if (sn === 0) refuse("proof too long");
    if (fn % 2 || fn === sn) {
      [fr, sr] = [nodeHash(hash, fr), nodeHash(hash, sr)];
      while (fn % 2 === 0 && fn !== 0) [fn, sn] = [shifted(fn), shifted(sn)];
    } else {
      sr = nodeHash(sr, hash);
    }
    [fn, sn] = [shifted(fn), shifted(sn)];
  }
  if (sn !== 0) refuse("proof too short");
  if (!equal(fr, oldRoot)) refuse("the old log is not a part of the new one");
  if (!equal(sr, root)) refuse("does not lead to the new root");
}

/** Reads the tiles of a log of `size` under `prefix` and gives the hash of any range of its entries. */
class TileTree {
  constructor(prefix, size, get) {
    Object.assign(this, { prefix, size, get, tiles: new Map() });
  }

  tile(level, number) {
    const name = `${level}/${number}`;
    if (!this.tiles.has(name)) this.tiles.set(name, this.load(level, number));
    return this.tiles.get(name);
  }

  async load(level, number) {
    const whole = Math.floor(this.size / TILE ** level); // hashes at this level
    const width = Math.min(TILE, whole - number * TILE);
    const path = `${this.prefix}${level}/${tilePath(number)}`;
    const bytes = (width < TILE && (await this.get(`${path}.p/${width}`))) || (await this.get(path));
    if (!bytes || bytes.length < 32 * width) throw unavailable(new Error(`tile ${level}/${number} is not there`));
    return bytes;
  }

  /** Root of entries [start, end): a subtree as RFC 9162 splits them. */
  async range(start, end) {
    const width = end - start;
    if (width === 1 || (Number.isInteger(Math.log2(width)) && start % width === 0)) {
      const height = Math.log2(width);
      const level = Math.floor(height / 8);
      const first = start / TILE ** level;
      return this.fold(level, first, 2 ** (height - 8 * level));
    }
    const k = split(width);
    return nodeHash(await this.range(start, start + k), await this.range(start + k, end));
  }

  async fold(level, first, count) {
    if (count === 1) {
      const bytes = await this.tile(level, Math.floor(first / TILE));
      return bytes.slice(32 * (first % TILE), 32 * (first % TILE) + 32);
    }
    return nodeHash(await this.fold(level, first, count / 2), await this.fold(level, first + count / 2, count / 2));
  }
}

/** The largest power of two strictly below n. */
const split = (n) => 2 ** Math.floor(Math.log2(n - 1));

/** 1234067 -> x001/x234/067 */
function tilePath(number) {
  let path = String(number % 1000).padStart(3, "0");
  for (let n = Math.floor(number / 1000); n > 0; n = Math.floor(n / 1000)) path = `x${String(n % 1000).padStart(3, "0")}/${path}`;
  return path;
}

async function fetched(url) {
  try {
    const response = await fetch(url);
    return response.ok ? new Uint8Array(await response.arrayBuffer()) : null;
  } catch (error) {
    throw unavailable(error);
  }
}

/** A tile that does not come keeps us from checking; it is no proof of a rewritten log. */
const unavailable = (error) => Object.assign(error, { unavailable: true });

/** The consistency proof between two sizes of the log, from its tiles (RFC 9162, section 2.1.4.1). */
export async function consistencyProof({ oldSize, size, prefix, get = fetched }) {
  const tree = new TileTree(prefix, size, get);
  const proof = [];
  const walk = async (m, start, end, complete) => {
    if (m === end - start) {
      if (!complete) proof.push(await tree.range(start, end));
      return;
    }
    const k = split(end - start);
    if (m <= k) {
      await walk(m, start, start + k, complete);
      proof.push(await tree.range(start + k, end));
    } else {
      await walk(m - k, start + k, end, false);
      proof.push(await tree.range(start, start + k));
    }
  };
  if (oldSize > 0 && oldSize < size) await walk(oldSize, 0, size, true);
  return proof;
}

/**
 * "same" or "larger"; throws an Error with `.backwards = true` and `.code` (smaller, other-root, fork) where the log is
 * not an extension of the old one, with `.unavailable = true` where a tile does not come.
 */
export async function extendsOld({ old, now, prefix, get }) {
  const alarm = (code, why) => { throw Object.assign(new Error(why), { backwards: true, code }); };
  if (now.size < old.size) alarm("smaller", "the log became smaller");
  if (now.size === old.size && hex(now.root) !== hex(old.root)) alarm("other-root", "another root at the same size");
  if (now.size === old.size) return "same";
  const proof = await consistencyProof({ oldSize: old.size, size: now.size, prefix, get });
  try {
    verifyConsistency({ oldSize: old.size, oldRoot: old.root, size: now.size, root: now.root, proof });
  } catch (error) {
    alarm("fork", error.message);
  }
  return "larger";
}
