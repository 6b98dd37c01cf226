// A bar while the server answers a form that may take it seconds: in a form, what has data-bar, after 0.7 seconds.

for (const bar of document.querySelectorAll("form [data-bar]")) {
  bar.closest("form").addEventListener("submit", () => {
    setTimeout(() => { bar.hidden = false; }, 700);
  });
  // Whoever goes back finds the form as it was.
  window.addEventListener("pageshow", () => { bar.hidden = true; });
}
