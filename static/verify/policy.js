// Trust policies: which logs and witnesses count, and how many of them make a checkpoint final (C2SP tlog-policy).
// Twin of ledger/tlog/policy.py: both refuse the same files.

import { WHITE, equal } from "./bytes.js";
import { parseCosigner, timeOf } from "./cosignature.js";
import { parseCheckpoint, parseVkey, verifyNote } from "./note.js";

const NONE = "none";
const MAX_SIZE = 256 * 1024;
const COMMENT = /(?:^|[ \t])#[^]*/;
const SPACES = new RegExp(`[${WHITE}]+`, "u");

const need = (condition, why) => {
  if (!condition) throw new Error(`policy: ${why}`);
};

/**
 * { text, logs: [{ name, key, vkey, url … }], witnesses: Map name -> { name, cosigner, url }, groups: Map name ->
 * { threshold, members }, quorum }. `cosigner` is null for a key type that we cannot judge. Throws, naming the line.
 */
export function parsePolicy(text) {
  need([...text].length <= MAX_SIZE, "too long");
  const policy = { text, logs: [], witnesses: new Map(), groups: new Map(), quorum: "" };
  const taken = new Set(); // names that are members of a group already
  text.split("\n").forEach((line, at) => {
    const words = line.replace(COMMENT, "").split(SPACES).filter(Boolean);
    try {
      if (words.length) define(policy, words, taken);
    } catch (error) {
      throw new Error(`line ${at + 1}: ${error.message}`);
    }
  });
  need(policy.quorum, "says no quorum");
  return policy;
}

/** The policy of someone who knows a log's key and no witness. */
export const policyOfVkey = (vkey) => parsePolicy(`log ${vkey}\nquorum none\n`);

/** What somebody pins: a policy's text, or a log's vkey alone. */
export function readTrust(text) {
  const [first, ...more] = text.split(SPACES).filter(Boolean);
  return first && !more.length ? policyOfVkey(first) : parsePolicy(text);
}

function define(policy, words, taken) {
  const [what, name, value, ...rest] = words;
  if (what === "log" && words.length >= 2 && words.length <= 3) policy.logs.push({ ...parseVkey(name), url: urlOf(value) });
  else if (what === "witness" && words.length >= 3 && words.length <= 4) defineWitness(policy, name, value, rest[0]);
  else if (what === "group" && rest.length) defineGroup(policy, name, value, { members: rest, taken });
  else if (what === "quorum" && words.length === 2) defineQuorum(policy, name);
  else need(false, "a line defines a log, a witness, a group or the quorum");
}

function defineWitness(policy, name, vkey, url) {
  checkNew(policy, name);
  const cosigner = parseCosigner(vkey);
  need(!cosigner || !cosigners(policy).some(([, known]) => equal(known.key, cosigner.key)), "two witnesses have one key");
  policy.witnesses.set(name, { name, cosigner, url: urlOf(url) });
}

function defineGroup(policy, name, word, { members, taken }) {
  checkNew(policy, name);
  for (const member of members) {
    checkDefined(policy, member);
    need(!taken.has(member), `${member} is a member twice`);
    taken.add(member);
  }
  policy.groups.set(name, { threshold: thresholdOf(word, members.length), members });
}

function defineQuorum(policy, name) {
  need(!policy.quorum, "a second quorum");
  if (name !== NONE) checkDefined(policy, name);
  policy.quorum = name;
}

const isDefined = ({ witnesses, groups }, name) => witnesses.has(name) || groups.has(name);
const checkNew = (policy, name) => need(name !== NONE && !isDefined(policy, name), `the name ${name} is taken`);
const checkDefined = (policy, name) => need(isDefined(policy, name), `${name} is not defined above`);

function thresholdOf(word, members) {
  if (word === "all") return members;
  if (word === "any") return 1;
  need(/^[1-9][0-9]{0,4}$/.test(word) && Number(word) <= members, `${word} is no number of members (all, any, 1 to ${members})`);
  return Number(word);
}

function urlOf(word) {
  if (word === undefined) return null;
  need(/^https?:\/\//.test(word), `${word} is no http address`);
  return word.replace(/\/+$/, "");
}

/** [witness name, key] of those witnesses whose cosignatures we can judge. */
const cosigners = ({ witnesses }) => [...witnesses.values()].filter(({ cosigner }) => cosigner).map(({ name, cosigner }) => [name, cosigner]);

function counts(policy, name, cosigned) {
  const group = policy.groups.get(name);
  if (!group) return cosigned.has(name);
  return group.members.filter((member) => counts(policy, member, cosigned)).length >= group.threshold;
}

/**
 * The checkpoint of a note that a log of `policy` signed, and who cosigned it: { origin, size, root, rootText, vkeys,
 * cosigned: Map witness -> seconds since 1970, final }. Throws where the note does not hold. Without a quorum nothing is final.
 */
export async function checkCheckpoint(note, policy) {
  const witnesses = cosigners(policy);
  const { body, linesOf } = await verifyNote(note, [...policy.logs, ...witnesses.map(([, key]) => key)]);
  const checkpoint = parseCheckpoint(body);
  const signers = policy.logs.filter((log) => log.name === checkpoint.origin && linesOf(log).length);
  if (!signers.length) throw Object.assign(new Error(`no log of this policy signed the checkpoint of ${checkpoint.origin}`), { code: "unsigned" });
  const cosigned = new Map();
  for (const [name, key] of witnesses) {
    const times = linesOf(key).map(({ payload }) => Number(timeOf(payload)));
    if (times.length) cosigned.set(name, Math.max(...times));
  }
  const final = policy.quorum !== NONE && counts(policy, policy.quorum, cosigned);
  return { ...checkpoint, vkeys: signers.map(({ vkey }) => vkey), cosigned, final };
}
