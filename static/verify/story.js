// Is the proof about this pack, and does the page tell what it proves? The server chose both, so the browser compares.

const DIGITAL_LINK = /^https?:\/\/[^/?#]+(?:\/[^?#]*)?\/01\/(\d{8}|\d{12,14})(?:\/22\/[^/?#]+)?(?:\/10\/([^/?#]+))?(?:\/21\/([^/?#]+))?(?:[?#]|$)/;
const SSCC_LINK = /^https?:\/\/[^/?#]+(?:\/[^?#]*)?\/00\/(\d{18})(?:[?#]|$)/;
const URN = /^urn:epc:(?:id:(sgtin|sscc)|class:(lgtin)):(\d+)\.(\d+)(?:\.(.+))?$/;

/** The GS1 mod-10 check digit of a key without it. */
function checkDigit(digits) {
  const sum = [...digits].reverse().reduce((total, digit, i) => total + Number(digit) * (i % 2 ? 1 : 3), 0);
  return String((10 - (sum % 10)) % 10);
}

/** One spelling for the same thing written as Digital Link or as EPC URN: "01/<gtin>/21/<serial>", "00/<sscc>" … */
export function thing(uri) {
  const link = DIGITAL_LINK.exec(uri);
  if (link) {
    const [, gtin, lot, serial] = link;
    const head = `01/${gtin.padStart(14, "0")}`;
    if (serial) return `${head}/21/${decodeURIComponent(serial)}`;
    return lot ? `${head}/10/${decodeURIComponent(lot)}` : head;
  }
  const sscc = SSCC_LINK.exec(uri);
  if (sscc) return `00/${sscc[1]}`;
  const urn = URN.exec(uri);
  if (!urn) return uri;
  const [, id, , company, reference, rest] = urn;
  const body = reference[0] + company + reference.slice(1); // indicator or extension digit comes first
  const key = body + checkDigit(body);
  if (id === "sscc") return `00/${key}`;
  return `01/${key}/${id ? "21" : "10"}/${decodeURIComponent(rest)}`;
}

const EPC_LISTS = ["epcList", "childEPCs", "inputEPCList", "outputEPCList"];

const named = (claims) => [...EPC_LISTS.flatMap((list) => claims.get(list) ?? []), ...[claims.get("parentID") ?? []].flat()].map(thing);

/** The pack and every container that proved packing events put it into, directly or inside one another. */
function packAndContainers(entries, pack) {
  const known = new Set([thing(pack)]);
  for (let before = 0; before < known.size; ) {
    before = known.size;
    for (const { claims } of entries) {
      const children = (claims.get("childEPCs") ?? []).map(thing);
      if (claims.has("parentID") && children.some((child) => known.has(child))) known.add(thing(claims.get("parentID")));
    }
  }
  return known;
}

/** Throws unless each proved event is about the pack, a container it was in, or its lot (`lotClass`, may be empty). */
export function checkSubject(entries, { pack, lotClass }) {
  const known = packAndContainers(entries, pack);
  const gtin = /^01\/\d+/.exec(thing(pack));
  const lot = lotClass && thing(lotClass);
  if (lot && gtin && !lot.startsWith(`${gtin[0]}/10/`)) throw new Error("the lot is of another product");
  for (const { index, claims } of entries) {
    const classes = (claims.get("quantityList") ?? []).map((quantity) => thing(quantity.epcClass));
    if (!named(claims).some((epc) => known.has(epc)) && !(lot && classes.includes(lot))) {
      throw new Error(`entry ${index} is about other goods`);
    }
  }
}

/** Throws where the maker recorded another lot or expiry (ISO 8601 day) than the page shows. */
export function checkLabel(entries, { lot, expiry }) {
  const recorded = (claims, key) => claims.get(`ilmd/cbvmda:${key}`) ?? claims.get(`ilmd/${key}`);
  for (const { index, claims } of entries) {
    const [maker, until] = [recorded(claims, "lotNumber"), recorded(claims, "itemExpirationDate")?.slice(0, 10)];
    if ((lot && maker && maker !== lot) || (expiry && until && until !== expiry)) {
      throw new Error(`entry ${index} names another lot or expiry than this page`);
    }
  }
}

/** Throws unless each step that the page shows is one of the proved events, on the same day, by the same party. */
export function checkShown(entries, shown) {
  const proved = new Map(entries.map((entry) => [entry.index, entry.claims]));
  for (const { index, day, step, party } of shown) {
    const claims = proved.get(index);
    if (!claims) throw new Error(`the page shows entry ${index}, the proof does not`);
    const dayOfTime = () => String(claims.get("eventTime")).slice(0, 10);
    if ((claims.get("#day") ?? dayOfTime()) !== day) throw new Error(`the page shows another day for entry ${index}`);
    if (word(claims.get("bizStep") ?? "") !== step) throw new Error(`the page shows another step for entry ${index}`);
    if (claims.get("#party") !== party) throw new Error(`the page shows another party for entry ${index}`);
  }
}

/** "https://ref.gs1.org/cbv/BizStep-shipping", "urn:epcglobal:cbv:bizstep:shipping" and "shipping" are one word. */
const word = (step) => step.replace(/^(?:https:\/\/ref\.gs1\.org\/cbv\/BizStep-|urn:epcglobal:cbv:bizstep:|cbv:BizStep-)/, "");
