"""The signature of Berlinger logger files (rules-and-coldchain.md, D1.5; found by experiment on real files). PURE.

ECDSA on P-256. Message = all bytes before the final `Sig: `; its SHA-256 is read as a little-endian number; public
key (x, y) and signature (r, s) are 32 bytes each, little-endian. A changed digit or changed line ends do not match.
"""

import hashlib

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils

from .model import LoggerError, Signature, _

MARK = b"\nSig: "

# Keys seen on files of known origin, by issuer and production lot; the same key signs for every device of a lot.
KNOWN_KEYS = {
    ("Berlinger & Co. AG", "1792_20_08"): "45829af132d9cc97",
    ("Berlinger & Co. AG", "1794_20_08"): "e5098613ccd2944a",
    ("Berlinger & Co. AG", "1796_20_11"): "b4ed8791ae15df1a",
    ("Qtag AG", "26102012"): "707cc641a5183771",
}


def check(content: bytes, *, public_key_hex: str, issuer: str, lot: str) -> Signature:
    """What the signature at the end of `content` says about the key that the file names.

    Raises LoggerError("logger.signature-form") if there is no well-formed signature line or something follows it.
    """
    mark = content.rfind(MARK)
    tail = content[mark + len(MARK) :]
    if mark < 0 or tail.rstrip(b"\r\n").count(b"\n"):
        raise LoggerError(
            "logger.signature-form", _("The signature line at the end is missing. Export the file again.")
        )
    key = _bytes64(public_key_hex)
    signature = _bytes64(tail.rstrip(b"\r\n").decode("ascii", "replace"))
    key_id = hashlib.sha256(key).hexdigest()[:16]
    if not matches(content[: mark + 1], key=key, signature=signature):
        return Signature("does-not-match", key_id, issuer, lot)
    known = KNOWN_KEYS.get((issuer, lot))
    if known is not None and known != key_id:
        # Somebody signed with a key of their own in the name of a lot whose key we know.
        return Signature("does-not-match", key_id, issuer, lot)
    return Signature("matches-known-key" if known else "matches", key_id, issuer, lot)


def matches(message: bytes, *, key: bytes, signature: bytes) -> bool:
    """Whether `signature` (r, s) over `message` belongs to `key` (x, y); all little-endian."""
    try:
        numbers = ec.EllipticCurvePublicNumbers(
            int.from_bytes(key[:32], "little"), int.from_bytes(key[32:], "little"), ec.SECP256R1()
        )
        public = numbers.public_key()  # ValueError: not a point of the curve
        public.verify(
            utils.encode_dss_signature(
                int.from_bytes(signature[:32], "little"), int.from_bytes(signature[32:], "little")
            ),
            hashlib.sha256(message).digest()[::-1],
            ec.ECDSA(utils.Prehashed(hashes.SHA256())),
        )
    except (InvalidSignature, ValueError):
        return False
    return True


def _bytes64(text: str) -> bytes:
    try:
        value = bytes.fromhex(text)
    except ValueError:
        value = b""
    if len(value) != 64 or len(text) != 128:
        raise LoggerError("logger.signature-form", _("Key and signature must be 128 hexadecimal digits each."))
    return value
