// Looks every two seconds, for a minute, whether the log has published what this page waits for; then shows the new page.
const TRIES = 30;

for (let turn = 0; turn < TRIES && document.querySelector("[data-wait]"); turn += 1) {
  await new Promise((resolve) => setTimeout(resolve, 2000));
  if (document.hidden) continue;
  try {
    const answer = await fetch(location.href, { credentials: "same-origin" });
    if (!answer.ok || answer.redirected) break;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (!page.querySelector("[data-wait]")) document.querySelector("main").replaceChildren(...page.querySelector("main").childNodes);
  } catch {
    // The connection is gone for the moment; the link "Look again" stays.
  }
}
