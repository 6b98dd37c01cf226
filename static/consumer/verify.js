// The page /verify/: checks a saved evidence file under the policy pinned in the page, or one that the reader brings.
// After loading it asks the network for nothing, except by the button that compares with the log's own tiles.

import "../verify/ed25519.js"; // what a browser without WebCrypto loads late elsewhere
import { text as decoded } from "../verify/bytes.js";
import { checkCheckpoint, readTrust } from "../verify/policy.js";
import { readBundle, verifyBundle } from "../verify/verify.js";
import { compare, forget } from "./memory.js";
import { element, figures, list, reason, show, standing, unavailable, words } from "./say.js";

const root = document.getElementById("verify");
const panel = document.getElementById("device-check");
const part = (name) => root.querySelector(`[data-${name}]`);
const steps = JSON.parse(root.dataset.steps);
const state = { file: null, own: root.dataset.policy, brought: "" };

/** What the reader brought was read when it came; a pinned policy that cannot be read says nothing about the file. */
function trust() {
  try {
    return readTrust(state.brought || state.own);
  } catch (error) {
    throw unavailable(error);
  }
}

/** "https://ref.gs1.org/cbv/BizStep-shipping" and "shipping" are one word. */
const word = (value) => String(value).replace(/^.*[/:](?:BizStep-|Disp-)?/, "");
const shown = (value) => (typeof value === "string" ? value : JSON.stringify(value));
const readable = (name, value) => {
  if (name === "bizStep") return steps[word(value)] ?? word(value);
  if (name === "#members") return value.join(", ");
  return [value].flat().map(shown).join("\n");
};

function fact(name, value) {
  return element("div", [element("dt", words.claims[name] ?? name), element("dd", readable(name, value))]);
}

/** What one entry claims: step, day and party at once, the rest on request, what people ask for first on top. */
function entry({ index, claims, statement, leaf }) {
  const order = Object.keys(words.claims);
  const rank = ([name]) => (order.includes(name) ? order.indexOf(name) : order.length);
  const facts = [...claims].sort((a, b) => rank(a) - rank(b)).map(([name, value]) => fact(name, value));
  facts.push(fact("iat", words.signedHour(statement.iat)), fact("leaf", leaf));
  const what = steps[word(claims.get("bizStep"))] ?? claims.get("type") ?? statement.kind;
  const day = claims.get("#day") ?? String(claims.get("eventTime")).slice(0, 10);
  const signer = element("span", `${day} · ${statement.iss}`, { class: "muted small" });
  const summary = element("summary", element("span", [words.entry(index, what), signer]));
  return element("details", [summary, element("dl", facts, { class: "facts" })], { class: "entry" });
}

async function contents(file) {
  try {
    return new Uint8Array(await file.arrayBuffer());
  } catch (error) {
    throw unavailable(error);
  }
}

/** A file that is no evidence at all was chosen by mistake; a damaged one is refused by what is wrong in it. */
function bundleOf(bytes) {
  try {
    return readBundle(bytes);
  } catch (error) {
    throw unavailable(error);
  }
}

async function check(ask = null) {
  show(panel, "checking");
  clear();
  try {
    const policy = trust();
    const { checkpoint, entries, keyring } = await verifyBundle(bundleOf(await contents(state.file)), policy);
    const past = state.brought ? "foreign" : await compare(checkpoint, { logKeys: keyring.logKeys, ask });
    say({ checkpoint, entries, policy, past, ask });
  } catch (error) {
    refuse(error);
  }
}

function say({ checkpoint, entries, policy, past, ask }) {
  const { lines } = standing(checkpoint, policy);
  panel.dataset.past = past;
  panel.dataset.standing = checkpoint.final ? "final" : "recorded";
  const points = [...lines, words.fileEntries(entries.length), state.brought ? words.usedOther : words.usedOwn];
  show(panel, "fileChecked", list([...points, past === "uncompared" && !ask ? words.notAsked : words[past]]), element("p", words.fileAge));
  panel.dataset.state = "checked";
  part("entries").replaceChildren(...entries.map(entry));
  part("proof").replaceChildren(...figures(checkpoint));
  part("figures").hidden = false;
  if (past === "uncompared" && !ask) offerComparison(policy);
}

/** The one thing that needs the network, and only when asked: the log's tiles tell nothing about the file. */
function offerComparison(policy) {
  const button = element("button", words.askLog, { class: "btn", type: "button" });
  const get = async (url) => {
    const response = await fetch(url, { cache: "no-store" }).catch((error) => { throw unavailable(error); });
    if (!response.ok) throw unavailable(new Error(`the server answered ${response.status}`));
    return decoded(new Uint8Array(await response.arrayBuffer()));
  };
  const latest = async () => checkCheckpoint(await get(root.dataset.checkpoint), policy);
  button.addEventListener("click", () => check({ prefix: root.dataset.tiles, latest }));
  part("history").replaceChildren(button);
}

function clear() {
  for (const name of ["history", "entries", "proof"]) part(name).replaceChildren();
  part("figures").hidden = true;
}

function refuse(error) {
  clear();
  if (error.unavailable) {
    show(panel, "fileUnreadable", reason(error));
    panel.dataset.state = "unavailable";
    return;
  }
  show(panel, error.backwards ? "backwards" : "fileMismatch", reason(error));
  panel.dataset.state = error.backwards ? "backwards" : "mismatch";
  if (!error.backwards) return;
  const button = element("button", words.forget, { class: "btn", type: "button" });
  button.addEventListener("click", () => { forget(error.origin); check(); });
  part("history").replaceChildren(button);
}

function take(file) {
  if (!file) return;
  state.file = file;
  check();
}

function useTrust(text) {
  const field = root.querySelector("#trust-text");
  const error = root.querySelector("#trust-error");
  try {
    if (text) readTrust(text);
  } catch (problem) {
    error.replaceChildren(words.badTrust, " ", element("span", problem.message, { lang: "en" }));
    error.hidden = false;
    field.setAttribute("aria-invalid", "true");
    field.focus();
    return;
  }
  error.hidden = true;
  field.removeAttribute("aria-invalid");
  state.brought = text;
  part("used").replaceChildren(text ? words.trustOther : words.trustOwn);
  part("trust").replaceChildren(text || state.own);
  part("own").hidden = !text;
  if (state.file) check();
}

function listen() {
  const input = root.querySelector("#file");
  input.addEventListener("change", () => take(input.files[0]));
  input.addEventListener("click", () => { input.value = ""; }); // or choosing the same file again would do nothing
  input.disabled = false;
  const drop = root.querySelector(".drop");
  const over = (event) => { event.preventDefault(); drop.classList.toggle("is-over", event.type === "dragover"); };
  for (const name of ["dragover", "dragleave"]) document.addEventListener(name, over);
  document.addEventListener("drop", (event) => { over(event); take(event.dataTransfer.files[0]); });
  part("trust-form").addEventListener("submit", (event) => {
    event.preventDefault();
    useTrust(root.querySelector("#trust-text").value.trim());
  });
  part("own").addEventListener("click", () => useTrust(""));
}

/** The switch of the language asks the server; without network the kept page of the other language takes its place. */
function keepSwitch() {
  document.querySelector("form.language").addEventListener("submit", (event) => {
    if (navigator.onLine) return;
    event.preventDefault();
    location.search = event.submitter.value;
  });
}

async function keepOffline() {
  if (!navigator.serviceWorker) return;
  await navigator.serviceWorker.register("/verify/worker.js");
  await navigator.serviceWorker.ready;
  part('offline="no"').hidden = true;
  part('offline="yes"').hidden = false;
}

listen();
keepSwitch();
root.dataset.ready = "";
keepOffline().catch((error) => { root.dataset.notKept = error.message; });
