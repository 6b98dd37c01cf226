// On a phone each row of a wide table is a card (work.css); here the cells get their column's name, and the roles that a
// browser takes from a table whose display is changed. Without script the table scrolls sideways in its frame.
const MIN_COLUMNS = 3;

for (const table of document.querySelectorAll(".table-scroll > .table")) {
  const names = [...table.querySelectorAll("thead th")].map((head) => head.textContent.trim());
  if (names.length < MIN_COLUMNS) continue;
  table.classList.add("cards");
  table.setAttribute("role", "table");
  for (const part of table.querySelectorAll("thead, tbody")) part.setAttribute("role", "rowgroup");
  for (const head of table.querySelectorAll("thead th")) head.setAttribute("role", "columnheader");
  for (const row of table.querySelectorAll("tr")) row.setAttribute("role", "row");
  for (const row of table.querySelectorAll("tbody > tr")) {
    [...row.cells].forEach((cell, column) => {
      cell.setAttribute("role", cell.tagName === "TH" ? "rowheader" : "cell");
      if (cell.tagName === "TD" && cell.colSpan === 1) cell.dataset.label = names[column];
    });
  }
}
