// Signed notes and checkpoints (C2SP signed-note, tlog-checkpoint). Twin of ledger/tlog/{note,checkpoint}.py.

import { concat, equal, fromBase64, hex, toBase64, utf8 } from "./bytes.js";
import { EMPTY_ROOT } from "./merkle.js";
import { sha256 } from "./sha2.js";
import { verifySignature } from "./signature.js";

const ED25519 = 1;
const PREFIX = "\u2014 "; // em dash and one space

const need = (condition, why) => {
  if (!condition) throw new Error(`checkpoint: ${why}`);
};

function checkName(name) {
  need(name && !/[\s\u001c-\u001f\u0085+\u0000-\u0008]/u.test(name), "a key name is empty or has white space or a plus sign");
}

const keyIdOf = (name, key) => sha256(concat(utf8(`${name}\n`), [ED25519], key)).slice(0, 4);

/** `<name>+<8 hex digits>+<base64>` -> { name, id, key }; the base64 may itself contain a plus sign. */
export function parseVkey(vkey) {
  const [, name, digits, encoded] = /^([^+]*)\+([0-9a-f]{8})\+(.*)$/s.exec(vkey) ?? [];
  need(name !== undefined, "not a verifier key");
  checkName(name);
  const data = fromBase64(encoded);
  need(data.length === 33 && data[0] === ED25519, "not an Ed25519 verifier key");
  const key = data.slice(1);
  const id = keyIdOf(name, key);
  need(hex(id) === digits, "the verifier key does not match its id");
  return { name, id, key };
}

function parseNote(note) {
  const end = note.lastIndexOf("\n\n");
  need(end >= 0, "no blank line before the signatures");
  const [body, tail] = [note.slice(0, end + 1), note.slice(end + 2)];
  need(!/[\u0000-\u0009\u000b-\u001f]/u.test(body), "control character");
  need(tail.endsWith("\n"), "does not end in a newline");
  const lines = tail.slice(0, -1).split("\n");
  need(lines.length <= 100, "too many signatures");
  return { body, signatures: lines.map(parseLine) };
}

function parseLine(line) {
  need(line.startsWith(PREFIX), "a signature line is malformed");
  const at = line.indexOf(" ", PREFIX.length);
  need(at > 0, "a signature line is malformed");
  const name = line.slice(PREFIX.length, at);
  checkName(name);
  const data = fromBase64(line.slice(at + 1));
  need(data.length >= 5, "a signature is too short");
  return { name, id: data.slice(0, 4), signature: data.slice(4) };
}

function parseCheckpoint(body) {
  const lines = body.split("\n");
  need(lines.length === 4 && lines[3] === "", "must have three lines");
  const [origin, digits, encoded] = lines;
  const size = Number(digits);
  need(/^(0|[1-9][0-9]*)$/.test(digits) && Number.isSafeInteger(size), "size is not a decimal number");
  checkName(origin);
  const root = fromBase64(encoded);
  need(root.length === 32, "root is not 32 bytes");
  need(size > 0 || equal(root, EMPTY_ROOT), "root of an empty log");
  return { origin, size, root };
}

/** { origin, size, root } of a checkpoint note signed by the key of `vkey`. Lines of other keys are not judged. */
export async function verifyCheckpoint(note, vkey) {
  const known = parseVkey(vkey);
  const { body, signatures } = parseNote(note);
  const own = signatures.filter(({ name, id }) => name === known.name && equal(id, known.id));
  need(own.length, "not signed by the log's key");
  for (const { signature } of own) await verifySignature(known.key, signature, utf8(body));
  const checkpoint = parseCheckpoint(body);
  need(checkpoint.origin === known.name, "of another log");
  return { ...checkpoint, rootText: toBase64(checkpoint.root) };
}
