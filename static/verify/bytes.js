// Bytes and text, each with exactly one accepted spelling.

/** The inside of a character class: what Unicode (and Python) call white space, which is not JavaScript's \s. */
export const WHITE = "\\t-\\r\\x1c- \\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";

/** Whether text has a half of a surrogate pair alone, which no UTF-8 spells. */
export const isBroken = (text) => /\p{Surrogate}/u.test(text);

export const utf8 = (text) => new TextEncoder().encode(text);

/** Bytes -> text; throws on malformed UTF-8, and keeps a byte order mark as the character it is. */
export const text = (bytes) => new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);

export const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

export const equal = (a, b) => a.length === b.length && a.every((byte, i) => byte === b[i]);

export function concat(...parts) {
  const whole = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

export const toBase64 = (bytes) => btoa(bytes.reduce((text, byte) => text + String.fromCharCode(byte), ""));

// The last letter before padding leaves its unused bits zero: one text for the same bytes.
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/][AQgw]==|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=)?$/;

/** Standard base64 with padding (RFC 4648, section 4); throws on any other spelling of the same bytes. */
export function fromBase64(string) {
  if (typeof string !== "string" || !BASE64.test(string)) throw new Error("base64: not in its one spelling");
  const binary = atob(string);
  const bytes = new Uint8Array(binary.length);
  for (let at = 0; at < binary.length; at++) bytes[at] = binary.charCodeAt(at);
  return bytes;
}

/** RFC 8785 JSON of a value; throws where our strict reader would refuse the text (ledger.md, section 5b). */
export function jcs(value) {
  if (Array.isArray(value)) return `[${value.map(jcs).join(",")}]`;
  if (value !== null && typeof value === "object") {
    const members = Object.keys(value).sort(); // by UTF-16 code unit, as the RFC wants
    return `{${members.map((name) => `${jcs(name)}:${jcs(value[name])}`).join(",")}}`;
  }
  if (typeof value === "string" && isBroken(value)) throw new Error("JSON: lone surrogate");
  // Integers beyond 2^53-1 are refused; from 1e21 on the text has an exponent and is a float to every reader.
  if (Number.isInteger(value) && !Number.isSafeInteger(value) && Math.abs(value) < 1e21) throw new Error("JSON: unsafe integer");
  return JSON.stringify(value);
}

/** Parses text that must be RFC 8785 JSON. Rendering it again also refuses duplicate members, -0 and long numbers. */
export function parseCanonical(string) {
  const value = JSON.parse(string);
  if (jcs(value) !== string) throw new Error("JSON: not canonical (RFC 8785)");
  return value;
}
