// The print button of a page that is made for paper.
for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}

// What is folded up for the screen is read on paper: opened while the sheet is made.
const folded = [];
addEventListener("beforeprint", () => {
  folded.push(...document.querySelectorAll("details[data-unfold]:not([open])"));
  for (const block of folded) block.open = true;
});
addEventListener("afterprint", () => {
  for (const block of folded.splice(0)) block.open = false;
});
