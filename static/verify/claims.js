// The disclosed claims of one document, checked against the root that its signer committed to (docs/formats.md).
// Twin of the checks in ledger/verify.py.

import { fromBase64, parseCanonical, utf8 } from "./bytes.js";
import { leafHash, verifyInclusion } from "./merkle.js";

const LISTS = new Set([
  "epcList", "childEPCs", "inputEPCList", "outputEPCList",
  "quantityList", "childQuantityList", "inputQuantityList", "outputQuantityList",
  "bizTransactionList", "sourceList", "destinationList", "sensorElementList",
]);

const need = (condition, why) => {
  if (!condition) throw new Error(`claims: ${why}`);
};

/** Claims proved under `root`: Map of name -> value, or -> array of values for EPCIS lists. Throws. */
export function verifyClaims(disclosed, root) {
  need(Array.isArray(disclosed) && disclosed.length, "none disclosed");
  const size = 2 ** disclosed[0].path.length;
  const claims = new Map();
  const places = new Set();
  for (const { index, claim, path } of disclosed) {
    need(path.length <= 32 && 2 ** path.length === size, "paths of different trees");
    need(!places.has(index), "one place disclosed twice");
    places.add(index);
    verifyInclusion({ leaf: leafHash(utf8(claim)), index, size, proof: path.map(fromBase64), root });
    const [salt, name, value, ...rest] = parseCanonical(claim);
    need(typeof salt === "string" && typeof name === "string" && value !== undefined && !rest.length, "malformed");
    need(LISTS.has(name) || !claims.has(name), `two values for ${name}`);
    claims.set(name, LISTS.has(name) ? [...(claims.get(name) ?? []), value] : value);
  }
  return claims;
}

/** What every disclosure must show, so that nothing that changes its meaning can be left out. Throws. */
export function checkShape(claims, statement) {
  const members = claims.get("#members");
  need(Array.isArray(members), "#members is missing");
  need(claims.get("#party") === statement.iss, "#party is not the signer");
  if (statement.kind !== "event") return;
  const has = (name) => claims.has(name);
  need(has("type"), "type is missing");
  need(has("action") || claims.get("type") === "TransformationEvent", "action is missing");
  need(has("#day") || (has("eventTime") && has("eventTimeZoneOffset")), "neither time nor day is shown");
  need(has("bizStep") || !members.includes("bizStep"), "bizStep is hidden");
}
