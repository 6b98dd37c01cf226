// Signed notes, their keys and checkpoints (C2SP signed-note, tlog-checkpoint). Twin of ledger/tlog/{note,checkpoint}.py.

import { WHITE, concat, equal, fromBase64, hex, isBroken, utf8 } from "./bytes.js";
import { EMPTY_ROOT } from "./merkle.js";
import { sha256 } from "./sha2.js";
import { verifySignature } from "./signature.js";

const ED25519 = 1;
const MAX_SIZE = 1_000_000;
const MAX_SIGNATURES = 100;
const PREFIX = "\u2014 "; // em dash and one space
const NOT_IN_NAMES = new RegExp(`[${WHITE}+\\x00-\\x08]`, "u");

const need = (condition, why, code) => {
  if (!condition) throw Object.assign(new Error(`checkpoint: ${why}`), { code });
};

function checkName(name) {
  need(name && !isBroken(name) && !NOT_IN_NAMES.test(name), "a key name is empty or has white space or a plus sign");
}

/** `<name>+<8 hex digits>+<base64>` of any type -> { name, id, type, key }; the base64 may itself contain a plus sign. */
export function splitVkey(vkey) {
  const [, name, digits, encoded] = /^([^+]*)\+([0-9a-f]{8})\+(.*)$/s.exec(vkey) ?? [];
  need(name !== undefined, "not a verifier key");
  checkName(name);
  const data = fromBase64(encoded);
  need(data.length >= 2, "not a verifier key");
  const id = sha256(concat(utf8(`${name}\n`), data)).slice(0, 4);
  need(hex(id) === digits, "the verifier key does not match its id");
  return { name, id, type: data[0], key: data.slice(1) };
}

/** A log's key (Ed25519): { name, id, type, key, vkey, verify(body, payload) }. */
export function parseVkey(vkey) {
  const known = splitVkey(vkey);
  need(known.type === ED25519 && known.key.length === 32, "not an Ed25519 verifier key");
  return { ...known, vkey, verify: (body, payload) => verifySignature(known.key, payload, utf8(body)) };
}

function parseNote(note) {
  need(typeof note === "string" && !isBroken(note) && utf8(note).length <= MAX_SIZE, "not text, or too long");
  const end = note.lastIndexOf("\n\n");
  need(end >= 0, "no blank line before the signatures");
  const [body, tail] = [note.slice(0, end + 1), note.slice(end + 2)];
  need(!/[\u0000-\u0009\u000b-\u001f]/u.test(body), "control character");
  need(tail.endsWith("\n"), "does not end in a newline");
  const lines = tail.slice(0, -1).split("\n");
  need(lines.length <= MAX_SIGNATURES, "too many signatures");
  return { body, lines: lines.map(parseLine) };
}

function parseLine(line) {
  need(line.startsWith(PREFIX), "a signature line is malformed");
  const at = line.indexOf(" ", PREFIX.length);
  need(at > 0, "a signature line is malformed");
  const name = line.slice(PREFIX.length, at);
  checkName(name);
  const data = fromBase64(line.slice(at + 1));
  need(data.length >= 5, "a signature is too short");
  return { name, id: data.slice(0, 4), payload: data.slice(4) };
}

const isOf = (key) => (line) => line.name === key.name && equal(line.id, key.id);

/**
 * { body, linesOf } of a note; `linesOf(key)` are that key's lines. Throws unless a key of `keys` signed it and no line
 * of a known key fails. Lines of other keys say nothing.
 */
export async function verifyNote(note, keys) {
  const same = (a, b) => a.name === b.name && equal(a.id, b.id);
  const twins = keys.some((a, at) => keys.slice(0, at).some((b) => same(a, b) && !(a.type === b.type && equal(a.key, b.key))));
  need(!twins, "two known keys share name and id");
  const { body, lines } = parseNote(note);
  const judged = lines.map((line) => [keys.find((key) => isOf(key)(line)), line]).filter(([key]) => key);
  need(judged.length, "no known key signed it", "unsigned");
  await Promise.all(judged.map(async ([key, { payload }]) => key.verify(body, payload)));
  return { body, linesOf: (key) => lines.filter(isOf(key)) };
}

/** { origin, size, root, rootText } of a note's text; throws for any other spelling. */
export function parseCheckpoint(body) {
  const lines = body.split("\n");
  need(lines.length === 4 && lines[3] === "", "must have three lines");
  const [origin, digits, rootText] = lines;
  const size = Number(digits);
  need(/^(0|[1-9][0-9]*)$/.test(digits) && Number.isSafeInteger(size), "size is not a decimal number");
  checkName(origin);
  const root = fromBase64(rootText);
  need(root.length === 32, "root is not 32 bytes");
  need(size > 0 || equal(root, EMPTY_ROOT), "root of an empty log");
  return { origin, size, root, rootText };
}
