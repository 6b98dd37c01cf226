// Without this file the form is sent as any form, and a link looks again. With it: drop a file, see how far it is.
const uploadOf = (event) => event.target.closest?.("[data-upload]");
// On the document, so that they hold when the page's content was replaced.
document.addEventListener("dragover", (event) => uploadOf(event) && event.preventDefault());
document.addEventListener("drop", (event) => {
  const form = uploadOf(event);
  if (!form) return;
  event.preventDefault();
  if (event.dataTransfer.files.length) form.querySelector("input[type=file]").files = event.dataTransfer.files;
});
document.addEventListener("submit", (event) => {
  const form = uploadOf(event);
  if (!form) return;
  event.preventDefault();
  send(form);
});

function send(form) {
  const sending = form.querySelector("[data-sending]");
  const bar = sending.querySelector("progress");
  const request = new XMLHttpRequest();
  request.upload.addEventListener("progress", (event) => {
    if (event.lengthComputable) bar.value = (100 * event.loaded) / event.total;
  });
  // Sent: how long judging takes is not known, so the bar has no value.
  request.upload.addEventListener("load", () => bar.removeAttribute("value"));
  request.addEventListener("load", () => {
    if (new URL(request.responseURL).pathname !== location.pathname) {
      location.assign(request.responseURL);
      return;
    }
    show(request.responseText);
    document.querySelector(".error-summary")?.focus();
  });
  // What went wrong with the connection, the browser itself says best.
  request.addEventListener("error", () => form.submit());
  const body = new FormData(form);
  form.querySelector("button[type=submit]").disabled = true;
  sending.hidden = false;
  request.open("POST", location.href);
  request.send(body);
}

function show(text) {
  const page = new DOMParser().parseFromString(text, "text/html");
  document.querySelector("main").replaceChildren(...page.querySelector("main").childNodes);
}

while (document.querySelector("[data-wait]")) {
  await new Promise((resolve) => setTimeout(resolve, 2000));
  if (document.hidden) continue;
  try {
    const answer = await fetch(location.href, { credentials: "same-origin" });
    if (!answer.ok || answer.redirected) break;
    show(await answer.text());
  } catch {
    // The connection is gone for the moment; the link "Look again" stays.
  }
}
