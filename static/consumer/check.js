// The panel "Check on this device": fetches the evidence, checks it, and says what was checked in plain words.

import { verifyBundle } from "../verify/verify.js";
import { checkLabel, checkShown, checkSubject } from "../verify/story.js";
import { compare, forget, remember } from "./memory.js";

const { words } = await import(document.documentElement.lang.startsWith("zh") ? "./words-zh.js" : "./words-en.js");
const panel = document.getElementById("device-check");
const TONES = { checked: "is-ok", mismatch: "is-danger", backwards: "is-danger", unavailable: "is-unknown" };

function element(name, content, className) {
  const node = document.createElement(name);
  if (className) node.className = className;
  node.append(...[content].flat());
  return node;
}

/** Shows a state. `data-state` is what style, tests and other scripts go by. */
function show(state, ...details) {
  const [title, text] = words[state];
  panel.dataset.state = state;
  const box = panel.querySelector("[role=status]");
  box.className = `notice ${TONES[state] ?? ""}`;
  box.replaceChildren(element("p", element("strong", title)), element("p", text), ...details);
}

/** An alarm takes the verdict's place: no calm colour may stand above words that did not hold. */
function replaceVerdict(state) {
  const [title, text] = words[state];
  const verdict = document.querySelector(".verdict");
  verdict.className = "verdict is-danger";
  verdict.dataset.outcome = state;
  verdict.querySelector(".icon").remove();
  verdict.querySelector(".verdict-word").replaceChildren(title);
  verdict.querySelector(".verdict-text").replaceChildren(text);
  document.title = title;
}

/** The evidence. No answer, or something else than JSON (a hotel's log-in page), is no evidence against the pack. */
async function fetchBundle() {
  try {
    const response = await fetch(panel.dataset.evidence, { headers: { Accept: "application/json" }, cache: "no-store" });
    if (!response.ok) throw new Error(`the server answered ${response.status}`);
    return await response.json();
  } catch (error) {
    throw Object.assign(error, { unavailable: true });
  }
}

async function run() {
  const { vkey, tiles } = panel.dataset;
  const { checkpoint, entries, keyring } = await verifyBundle(await fetchBundle(), vkey);
  checkSubject(entries, panel.dataset);
  checkLabel(entries, panel.dataset);
  const shown = [...document.querySelectorAll("[data-entry]")].map(({ dataset }) => ({ ...dataset, index: Number(dataset.entry) }));
  checkShown(entries, shown);
  const past = await compare(checkpoint, vkey, tiles, keyring.logKeys);
  remember(checkpoint, vkey);
  showProof(checkpoint, entries);
  const points = [words.signature(checkpoint), words.entries(entries.length), words[past]];
  if (shown.length) points.splice(2, 0, words.shown(shown.length));
  show("checked", list(points));
}

const list = (lines) => element("ul", lines.map((line) => element("li", line)));

/** The proof in figures, for those who want to compare it with another tool. */
function showProof({ origin, size, rootText }, entries) {
  const line = ({ index, claims, leaf }) => {
    const what = [index, claims.get("#day"), claims.get("bizStep") ?? claims.get("type"), claims.get("#party")];
    return element("li", [what.filter((part) => part !== undefined).join(" · "), element("br", ""), element("code", leaf)]);
  };
  const checkpoint = element("pre", `${origin}\n${size}\n${rootText}`);
  const parts = [element("h3", words.root), checkpoint, element("h3", words.records), element("ol", entries.map(line))];
  panel.querySelector("[data-proof]").replaceChildren(...parts);
}

function refuse(error) {
  const reason = element("p", `${words.reason}: ${error.message}`, "small");
  if (error.unavailable) return show("unavailable", reason);
  const state = error.backwards ? "backwards" : "mismatch";
  replaceVerdict(state);
  if (state === "mismatch") return show(state, reason);
  const button = element("button", words.forget, "btn");
  button.addEventListener("click", () => { forget(); location.reload(); });
  return show(state, reason, button);
}

if (panel) {
  show("checking");
  run().catch(refuse);
}
