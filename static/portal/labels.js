// The way to the sheet when there is one; the print button is shared/print.js.
document.querySelector("[data-focus]")?.focus();
