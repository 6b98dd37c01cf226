// What the pages of the consumer's face say alike: small pieces of page, and a checkpoint in plain words.

const language = document.documentElement.lang;
export const { words } = await import(language.startsWith("zh") ? "./words-zh.js" : "./words-en.js");

const TONES = {
  checked: "is-ok", fileChecked: "is-ok",
  mismatch: "is-danger", fileMismatch: "is-danger", backwards: "is-danger",
  unavailable: "is-unknown", fileUnreadable: "is-unknown",
};
const OLD_SECONDS = 3600; // phones' clocks are off by minutes, witnesses sign every half minute

export function element(name, content, attributes = {}) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...[content].flat());
  return node;
}

export const list = (lines) => element("ul", lines.map((line) => element("li", line)));

/** Shows a state in a panel. `data-state` is what style, tests and other scripts go by. */
export function show(panel, state, ...details) {
  const [title, text] = words[state];
  panel.dataset.state = state;
  const box = panel.querySelector("[role=status]");
  box.className = `notice ${TONES[state] ?? ""}`;
  box.replaceChildren(element("p", element("strong", title)), element("p", text), ...details);
}

const format = (options) => new Intl.DateTimeFormat(language, options);

/** Seconds since 1970 as day and minute of the device's time zone. */
export const moment = (seconds) => format({ dateStyle: "medium", timeStyle: "short" }).format(seconds * 1000);

const names = (list) => new Intl.ListFormat(language).format(list);

/** Lines on how final a checkpoint is, who cosigned it and how old that is; `stale` where it is old for an answer of now. */
export function standing({ cosigned, final, size }, policy, { now = Date.now() / 1000 } = {}) {
  const witnesses = [...policy.witnesses.keys()];
  const newest = cosigned.size ? Math.max(...cosigned.values()) : null;
  const missing = witnesses.filter((name) => !cosigned.has(name));
  const lines = [words.signature(size)];
  if (!witnesses.length) lines.push(words.noWitness);
  else lines.push((final ? words.final : words.recorded)(cosigned.size, witnesses.length));
  if (cosigned.size) lines.push(words.cosigners(names([...cosigned.keys()])));
  if (cosigned.size && missing.length) lines.push(words.missing(names(missing)));
  if (newest !== null) lines.push(words.seen(moment(newest)));
  return { lines, stale: newest !== null && now - newest > OLD_SECONDS };
}

/** Checkpoint and witnesses in figures, for those who want to compare them with another tool. */
export function figures({ origin, size, rootText, cosigned }) {
  const parts = [element("h3", words.root), element("pre", `${origin}\n${size}\n${rootText}`, { tabindex: "0" })];
  const lines = [...cosigned].map(([name, time]) => words.cosignedAt(name, moment(time)));
  if (lines.length) parts.push(element("h3", words.witnesses), list(lines));
  return parts;
}

/** Why something is refused: in the page's language where we have words for it, else the check's own (English). */
export function reason(error) {
  const known = words.codes[error.code];
  const said = known ? element("span", known) : element("span", error.message, { lang: "en" });
  return element("p", [words.reason, said], { class: "small" });
}

export const unavailable = (error) => Object.assign(error, { unavailable: true });
