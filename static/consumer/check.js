// The panel "Check on this device": fetches the evidence, checks it, and says what was checked in plain words.

import { checkCheckpoint, parsePolicy } from "../verify/policy.js";
import { checkLabel, checkShown, checkSubject } from "../verify/story.js";
import { readBundle, verifyBundle } from "../verify/verify.js";
import { compare, forget } from "./memory.js";
import { element, figures, list, reason, show, standing, unavailable, words } from "./say.js";

const panel = document.getElementById("device-check");

/** An alarm takes the verdict's place: no calm colour may stand above words that did not hold. */
function replaceVerdict(state) {
  const [title, text] = words[state];
  const verdict = document.querySelector(".verdict");
  verdict.className = "verdict is-danger";
  verdict.dataset.outcome = state;
  verdict.querySelector(".icon").replaceWith(panel.querySelector("template").content.cloneNode(true));
  verdict.querySelector(".verdict-word").replaceChildren(title);
  verdict.querySelector(".verdict-text").replaceChildren(text);
  document.title = title;
}

async function fetched(url, headers = {}) {
  try {
    const response = await fetch(url, { headers, cache: "no-store" });
    if (!response.ok) throw new Error(`the server answered ${response.status}`);
    return new Uint8Array(await response.arrayBuffer());
  } catch (error) {
    throw unavailable(error);
  }
}

/** The evidence. No answer, or something else than JSON (a hotel's log-in page), is no evidence against the pack. */
async function fetchBundle() {
  const bytes = await fetched(panel.dataset.evidence, { Accept: "application/json" });
  try {
    return readBundle(bytes);
  } catch (error) {
    throw unavailable(error);
  }
}

/** A policy that cannot be read is the operator's mistake; it says nothing about the pack. */
function pinnedPolicy() {
  try {
    return parsePolicy(panel.dataset.policy);
  } catch (error) {
    throw unavailable(error);
  }
}

async function run() {
  const policy = pinnedPolicy();
  const { checkpoint, entries, keyring } = await verifyBundle(await fetchBundle(), policy);
  checkSubject(entries, panel.dataset);
  checkLabel(entries, panel.dataset);
  const shown = [...document.querySelectorAll("[data-entry]")].map(({ dataset }) => ({ ...dataset, index: Number(dataset.entry) }));
  checkShown(entries, shown);
  const latest = async () => checkCheckpoint(new TextDecoder().decode(await fetched(panel.dataset.checkpoint)), policy);
  const past = await compare(checkpoint, { logKeys: keyring.logKeys, ask: { prefix: panel.dataset.tiles, latest } });
  panel.querySelector("[data-proof]").replaceChildren(...figures(checkpoint), element("h3", words.records), element("ol", entries.map(record)));
  const { lines, stale } = standing(checkpoint, policy);
  const points = [...lines, words.entries(entries.length), ...(shown.length ? [words.shown(shown.length)] : [])];
  panel.dataset.past = past;
  panel.dataset.standing = checkpoint.final ? "final" : "recorded";
  const doubts = [...(stale ? [words.stale] : []), ...(past === "other" ? [words.other, ...continued(keyring)] : [])];
  if (past !== "other") points.push(words[past]);
  const said = doubts.map((text) => element("p", element("strong", text), { "data-doubt": "" }));
  show(panel, past === "uncompared" ? "unavailable" : "checked", ...said, list(points));
  // No calm colour above a doubt: a server that rewrites its past could begin under another name.
  if (doubts.length) panel.querySelector("[role=status]").className = "notice is-warn";
}

/** What the log says of the one before it, where an epoch began anew (docs/formats.md). Nobody can check that here. */
function continued({ continues }) {
  const { origin, size, kept } = continues ?? {};
  const isSaid = typeof origin === "string" && Number.isSafeInteger(size) && Number.isSafeInteger(kept);
  return isSaid ? [words.continues({ origin, size, kept })] : [];
}

function record({ index, claims, leaf }) {
  const what = [index, claims.get("#day"), claims.get("bizStep") ?? claims.get("type"), claims.get("#party")];
  return element("li", [what.filter((part) => part !== undefined).join(" · "), element("br", ""), element("code", leaf)]);
}

function refuse(error) {
  if (error.unavailable) return show(panel, "unavailable", reason(error));
  const state = error.backwards ? "backwards" : "mismatch";
  replaceVerdict(state);
  if (state === "mismatch") return show(panel, state, reason(error));
  const button = element("button", words.forget, { class: "btn" });
  const { origin } = error;
  button.addEventListener("click", () => { forget(origin); location.reload(); });
  return show(panel, state, reason(error), button);
}

if (panel) {
  show(panel, "checking");
  run().catch(refuse);
}
