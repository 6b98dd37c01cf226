// The little of CBOR (RFC 8949) that a statement uses, in its deterministic encoding only (section 4.2.1): shortest
// lengths, map keys rising, nothing indefinite, nothing after the end. Every other spelling throws.

import { concat, text } from "./bytes.js";

const TYPES = ["uint", "negative", "bytes", "text", "array", "map", "tag"];

class Reader {
  constructor(bytes) {
    Object.assign(this, { bytes, at: 0 });
  }

  take(count) {
    if (this.at + count > this.bytes.length) throw new Error("CBOR: ends too soon");
    this.at += count;
    return this.bytes.subarray(this.at - count, this.at);
  }

  /** [major type, argument], the argument in its shortest form. */
  head() {
    const [first] = this.take(1);
    const short = first & 31;
    if (short < 24) return [first >> 5, short];
    if (short > 27) throw new Error("CBOR: indefinite or reserved length");
    const size = 1 << (short - 24);
    const argument = this.take(size).reduce((n, byte) => n * 256 + byte, 0);
    if (argument < (size === 1 ? 24 : 256 ** (size / 2))) throw new Error("CBOR: not the shortest form");
    if (!Number.isSafeInteger(argument)) throw new Error("CBOR: number too large");
    return [first >> 5, argument];
  }

  item() {
    const [major, n] = this.head();
    switch (TYPES[major]) {
      case "uint": return n;
      case "negative": return -1 - n;
      case "bytes": return this.take(n);
      case "text": return text(this.take(n));
      case "array": return this.array(n);
      case "map": return this.map(n);
      case "tag": return { tag: n, value: this.item() };
      default: throw new Error("CBOR: a type that statements do not use");
    }
  }

  array(count) {
    const items = [];
    while (items.length < count) items.push(this.item());
    return items;
  }

  map(count) {
    const members = new Map();
    let last = -1;
    while (members.size < count) {
      const [major, key] = this.head();
      if (major !== 0 || key >= 24 || key <= last) throw new Error("CBOR: map keys must be small numbers that rise");
      members.set(key, this.item());
      last = key;
    }
    return members;
  }
}

/** The one item in `bytes`: number, Uint8Array, string, array, Map or { tag, value }. */
export function decode(bytes) {
  const reader = new Reader(bytes);
  const item = reader.item();
  if (reader.at !== bytes.length) throw new Error("CBOR: bytes after the end");
  return item;
}

/** Head and content of a byte string, for what COSE signs. */
export function byteString(bytes) {
  const n = bytes.length;
  return concat(n < 24 ? [0x40 + n] : n < 256 ? [0x58, n] : [0x59, n >> 8, n & 255], bytes);
}
