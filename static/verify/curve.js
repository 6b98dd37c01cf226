// Points of edwards25519 (RFC 8032, section 5.1) in plain arithmetic, and the refusal of weak keys, which WebCrypto
// takes. Some milliseconds each; it sees public values only, so its time gives nothing away.

const P = (1n << 255n) - 19n;
export const ORDER = (1n << 252n) + 27742317777372353535851937790883648493n;
export const mod = (a) => {
  const rest = a % P;
  return rest < 0n ? rest + P : rest;
};

function power(base, exponent) {
  let result = 1n;
  for (let b = mod(base), e = exponent; e > 0n; e >>= 1n, b = mod(b * b)) if (e & 1n) result = mod(result * b);
  return result;
}
export const inverse = (a) => power(a, P - 2n);
const D = mod(-121665n * inverse(121666n));
const SQRT_MINUS_1 = power(2n, (P - 1n) / 4n);

export const number = (bytes) => bytes.reduceRight((n, byte) => (n << 8n) | BigInt(byte), 0n); // little-endian

/** Extended coordinates [X, Y, Z, T] of an encoded point; throws where the encoding is not the canonical one. */
export function decode(bytes) {
  const sign = BigInt(bytes[31] >> 7);
  const y = number(bytes) & ((1n << 255n) - 1n);
  if (y >= P) throw new Error("Ed25519: y out of range");
  const u = mod(y * y - 1n);
  const v = mod(D * y * y + 1n);
  let x = mod(u * v ** 3n * power(u * v ** 7n, (P - 5n) / 8n));
  if (mod(v * x * x) === mod(-u)) x = mod(x * SQRT_MINUS_1);
  if (mod(v * x * x) !== u) throw new Error("Ed25519: not a point");
  if (x === 0n && sign) throw new Error("Ed25519: sign of zero");
  if ((x & 1n) !== sign) x = P - x;
  return [x, y, 1n, mod(x * y)];
}

export function add([x1, y1, z1, t1], [x2, y2, z2, t2]) {
  const a = mod((y1 - x1) * (y2 - x2));
  const b = mod((y1 + x1) * (y2 + x2));
  const c = mod(2n * D * t1 * t2);
  const d = mod(2n * z1 * z2);
  const [e, f, g, h] = [b - a, d - c, d + c, b + a];
  return [mod(e * f), mod(g * h), mod(f * g), mod(e * h)];
}

export function multiply(point, scalar) {
  let result = [0n, 1n, 1n, 0n];
  for (let p = point, s = scalar; s > 0n; s >>= 1n, p = add(p, p)) if (s & 1n) result = add(result, p);
  return result;
}

/** Throws unless `key` is a point of the prime-order group: any other may verify what its owner did not sign. */
export function checkKey(key) {
  if (key.length !== 32) throw new Error("Ed25519: a key is 32 bytes");
  const point = decode(key);
  const [x, y, z] = multiply(point, ORDER);
  const neutral = (px, py, pz) => px === 0n && py === pz;
  if (!neutral(x, y, z) || neutral(point[0], point[1], 1n)) throw new Error("Ed25519: key not of the prime-order group");
}
