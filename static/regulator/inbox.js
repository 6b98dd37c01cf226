// Keeps the alert list current: listens to the event stream and offers news instead of moving rows under the reader.

const inbox = document.getElementById("inbox");
const state = document.getElementById("stream-state");
const button = document.getElementById("show-news");
const text = inbox.dataset;
const origin = text.streamUrl || `${location.protocol}//${location.hostname}:${text.streamPort}`;
let news = 0;
let lost = null; // since when the list may be stale

const say = (words, tone) => {
  state.textContent = words;
  state.className = `tag ${tone}`;
};

const source = new EventSource(`${origin}/stream/alerts`, { withCredentials: true });
source.addEventListener("open", () => {
  lost = null;
  say(text.live, "is-ok");
});
source.addEventListener("error", () => {
  lost ??= new Date();
  const since = `${text.stale} ${lost.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" })}`;
  say(source.readyState === EventSource.CLOSED ? since : `${text.reconnecting} ${since}`, "is-warn");
});
for (const name of ["message", "alert"]) source.addEventListener(name, offer);

function offer() {
  news += 1;
  button.textContent = `${text.one} (${news})`;
  button.hidden = false;
}

button.addEventListener("click", async () => {
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
  if (!answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  document.getElementById("list").replaceWith(page.getElementById("list"));
  news = 0;
  button.hidden = true;
});

addEventListener("pagehide", () => source.close());
