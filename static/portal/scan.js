// Turns the codes box into a scan list: a wedge scanner types a code and Enter, the code joins the list.
// Without script the box stays what it is: one code per line.

const GS_KEYS = new Map([["F8", "\u001d"]]); // some scanners send GS as a function key

for (const box of document.querySelectorAll("textarea[data-scan]")) enhance(box);
for (const field of document.querySelectorAll("input[data-scan]")) separators(field); // one code; Enter sends the form

// A scanner types the separator of a code as a key that a field does not take.
function separators(input) {
  input.addEventListener("keydown", (event) => {
    const gs = GS_KEYS.get(event.key) ?? (event.ctrlKey && event.key === "]" ? "\u001d" : undefined);
    if (!gs) return;
    event.preventDefault();
    input.setRangeText(gs, input.selectionStart, input.selectionEnd, "end");
  });
}

function enhance(box) {
  const text = box.dataset;
  const form = box.closest("form");
  const codes = box.value.split("\n").map((line) => line.trim()).filter(Boolean);
  const input = Object.assign(document.createElement("input"), {
    type: "text", id: `${box.id}_scan`, autocomplete: "off", autocapitalize: "none", spellcheck: false,
  });
  const add = Object.assign(document.createElement("button"), { type: "button", className: "btn", textContent: text.add });
  const row = Object.assign(document.createElement("div"), { className: "scan-input" });
  const last = Object.assign(document.createElement("p"), { className: "scan-last" });
  const count = Object.assign(document.createElement("p"), { className: "muted" });
  const list = Object.assign(document.createElement("ol"), { className: "scan-list", tabIndex: 0 });
  last.setAttribute("aria-live", "assertive");
  count.setAttribute("aria-live", "polite");
  list.setAttribute("aria-label", text.list);
  row.append(input, add);
  box.hidden = true;
  box.after(row, last, count, list);
  input.setAttribute("aria-describedby", box.getAttribute("aria-describedby") ?? "");
  for (const link of document.querySelectorAll(`a[href="#${box.id}"]`)) link.href = `#${input.id}`;
  for (const label of form.querySelectorAll(`label[for="${box.id}"]`)) label.htmlFor = input.id;

  const draw = () => {
    box.value = codes.join("\n");
    count.textContent = `${text.count}: ${codes.length}`;
    list.hidden = codes.length === 0;
    list.replaceChildren(...codes.map(item).reverse());
  };
  const item = (code, place) => {
    const li = document.createElement("li");
    const name = Object.assign(document.createElement("span"), { className: "mono small", textContent: readable(code) });
    const remove = Object.assign(document.createElement("button"), { type: "button", textContent: "✕" });
    remove.setAttribute("aria-label", `${text.remove} ${readable(code)}`);
    remove.addEventListener("click", () => { codes.splice(place, 1); draw(); input.focus(); });
    li.append(name, remove);
    return li;
  };
  const take = () => {
    const code = input.value.trim();
    input.value = "";
    if (!code) return;
    if (codes.includes(code)) {
      last.textContent = `${text.twice}: ${readable(code)}`;
    } else {
      codes.push(code);
      last.textContent = readable(code);
    }
    draw();
  };
  separators(input);
  input.addEventListener("keydown", (event) => {
    if (event.key === "Enter" || (event.key === "Tab" && input.value)) {
      event.preventDefault();
      take();
    }
  });
  input.addEventListener("paste", (event) => {
    const lines = event.clipboardData.getData("text").split(/\r?\n/).filter((line) => line.trim());
    if (lines.length < 2) return;
    event.preventDefault();
    for (const line of lines) { input.value = line; take(); }
  });
  add.addEventListener("click", take);
  form.addEventListener("submit", take);
  draw();
  if (box.hasAttribute("autofocus")) input.focus();
}

// After a check its result is what people want to see first; a fault comes before it.
(document.querySelector(".error-summary") ?? document.querySelector("[data-focus]"))?.focus();

// What people compare with the print: no symbology prefix, a gap where the separator is.
function readable(code) {
  return code.replace(/^\][A-Za-z]\d/, "").replaceAll("\u001d", " ");
}
