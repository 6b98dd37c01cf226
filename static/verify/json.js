// JSON with one meaning (ledger.md, section 5b): a bundle that two readers could read differently is refused. Numbers in
// it are whole and below 2^53; a member's name stands once. Twin of `load` in ledger/verify.py.

const TOKEN = /[ \t\n\r]*(?:([{}[\],:])|("(?:[^"\\\u0000-\u001f]+|\\.)*")|(0|-?[1-9][0-9]{0,15})(?![0-9.eE])|(true|false|null))/y;
const MAX_DEPTH = 500;
const CONSTANTS = { true: true, false: false, null: null };

const refuse = (why) => {
  throw new Error(`JSON: ${why}`);
};

class Reader {
  constructor(text) {
    Object.assign(this, { text, at: 0, next: undefined });
    this.advance();
  }

  /** Moves `next` on: a mark as text, a value as { value }, the end as null. */
  advance() {
    const now = this.next;
    TOKEN.lastIndex = this.at;
    const [whole, mark, string, number, constant] = TOKEN.exec(this.text) ?? [];
    if (whole === undefined) {
      if (/[^ \t\n\r]/.test(this.text.slice(this.at))) refuse(`cannot be read at ${this.at}`);
      this.next = null;
      return now;
    }
    this.at += whole.length;
    if (mark) this.next = mark;
    else if (string) this.next = { value: JSON.parse(string), isName: true };
    else if (number) this.next = { value: Number.isSafeInteger(Number(number)) ? Number(number) : refuse("number too large") };
    else this.next = { value: CONSTANTS[constant] };
    return now;
  }

  value(depth) {
    if (depth > MAX_DEPTH) refuse("nested too deeply");
    const token = this.advance();
    if (token === "{") return this.object(depth);
    if (token === "[") return this.array(depth);
    if (token === null || typeof token === "string") refuse(`unexpected ${token ?? "end"}`);
    return token.value;
  }

  array(depth) {
    const items = [];
    if (this.next === "]") return this.advance() && items;
    do items.push(this.value(depth + 1)); while (this.comma("]"));
    return items;
  }

  object(depth) {
    const members = Object.create(null); // a member may be called __proto__
    if (this.next === "}") return this.advance() && members;
    do {
      const name = this.advance();
      if (!name?.isName || this.advance() !== ":") refuse("a member has a name and a colon");
      if (name.value in members) refuse("a member name occurs twice");
      members[name.value] = this.value(depth + 1);
    } while (this.comma("}"));
    return members;
  }

  comma(end) {
    const mark = this.advance();
    if (mark !== "," && mark !== end) refuse(`comma or ${end} expected`);
    return mark === ",";
  }
}

/** The value that `text` spells; throws where it has more than one meaning. */
export function readJson(text) {
  const reader = new Reader(text);
  const value = reader.value(0);
  if (reader.next !== null) refuse("text after the end");
  return value;
}
