// A trace: what is chosen in the graph is chosen in the table and the other way round.

function choose(number) {
  for (const one of document.querySelectorAll("[data-spot]")) {
    one.classList.toggle("is-chosen", one.dataset.spot === number);
  }
  for (const band of document.querySelectorAll("[data-from]")) {
    band.classList.toggle("is-chosen", band.dataset.from === number || band.dataset.to === number);
  }
}

for (const one of document.querySelectorAll("[data-spot]")) {
  one.addEventListener("click", () => choose(one.dataset.spot));
}
if (location.hash.startsWith("#spot-")) choose(location.hash.slice("#spot-".length));

const print = document.getElementById("trace-print");
if (print) {
  print.hidden = false;
  print.addEventListener("click", () => window.print());
}
