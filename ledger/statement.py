"""One log entry: a COSE_Sign1 signed statement in deterministic CBOR (RFC 9052, RFC 9597, RFC 9679). PURE.

Kinds and content types are registered here and nowhere else.
"""

import json
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from typing import Any

import cbor2
import nacl.bindings
from nacl.exceptions import BadSignatureError
from nacl.signing import SigningKey as Ed25519Key
from nacl.signing import VerifyKey

from .canonical import CanonicalError, canonical_bytes
from .tlog import merkle
from .tlog.tile import MAX_ENTRY_SIZE

# Public kinds carry their content (RFC 8785 JSON); private kinds carry a 32-byte claims root.
PUBLIC_KINDS = frozenset(
    "genesis key-registered key-rotated key-revoked log-key log-key-retired"
    " policy contract recall-notice monitor-report".split()
)
PRIVATE_KINDS = frozenset({"event", "master-data", "alert-transition", "recall-step", "telemetry", "read-receipts"})
LOG_KEY_KINDS = frozenset({"log-key", "log-key-retired"})  # about the key that signs checkpoints
KEY_KINDS = frozenset({"genesis", "key-registered", "key-rotated", "key-revoked"}) | LOG_KEY_KINDS

ROOT_SIZE = 32
_SUBJECT = "dosetrail:"
_PRIVATE_TYPE = "application/vnd.dosetrail.claims-root"
_COSE_SIGN1 = 18
_ALG, _CONTENT_TYPE, _KID, _CWT = 1, 3, 4, 15
_ISS, _SUB, _IAT = 1, 2, 6
_EDDSA = -8
_MAX_IAT = 2**40


class StatementError(ValueError):
    """The bytes are not a statement, or its signature does not verify; `code` is stable."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


@dataclass(frozen=True, slots=True)
class SigningKey:
    """An Ed25519 key pair: `kid` (RFC 9679 thumbprint), `seed` and `public`, 32 bytes each."""

    kid: bytes
    seed: bytes
    public: bytes

    def __repr__(self) -> str:
        return f"SigningKey({self.kid.hex()})"  # never the seed


@dataclass(frozen=True, slots=True)
class Header:
    """A statement's protected header: who (`iss`, `kid`), what kind, when (`iat`, seconds since 1970)."""

    kind: str
    iss: str
    kid: bytes
    iat: int


@dataclass(frozen=True, slots=True)
class Statement:
    """A well-formed statement; its signature is checked by `verify`, not by `parse`."""

    header: Header
    payload: bytes
    protected: bytes
    signature: bytes

    @property
    def kind(self) -> str:
        return self.header.kind

    @property
    def iss(self) -> str:
        return self.header.iss

    @property
    def kid(self) -> bytes:
        return self.header.kid

    @property
    def iat(self) -> int:
        return self.header.iat

    @property
    def content(self) -> Any:
        """The JSON value of a public statement; StatementError for a private one."""
        if self.kind not in PUBLIC_KINDS:
            raise StatementError("private-payload", f"a {self.kind} statement holds a commitment only")
        return json.loads(self.payload)


def content_type(kind: str) -> str:
    """The content type (COSE header 3) of a registered kind."""
    if kind in PRIVATE_KINDS:
        return _PRIVATE_TYPE
    if kind in PUBLIC_KINDS:
        return f"application/vnd.dosetrail.{kind}+json"
    raise StatementError("unknown-kind", f"{kind!r} is not a registered kind of statement")


def key_from_seed(seed: bytes) -> SigningKey:
    """The key pair of a 32-byte seed."""
    public = bytes(Ed25519Key(seed).verify_key)
    return SigningKey(key_id(public), seed, public)


def key_id(public: bytes) -> bytes:
    """The RFC 9679 thumbprint (SHA-256) of an Ed25519 public key: `{1: 1 (OKP), -1: 6 (Ed25519), -2: x}`."""
    return sha256(b"\xa3\x01\x01\x20\x06\x21\x58\x20" + public).digest()


@lru_cache(maxsize=4096)  # a key signs many statements, and this costs as much as verifying one
def check_public_key(public: bytes) -> None:
    """Raise StatementError for what is not a point of the prime-order group: such a key verifies for others too."""
    if len(public) != 32 or not nacl.bindings.crypto_core_ed25519_is_valid_point(public):
        raise StatementError("bad-key", "not an Ed25519 public key of the prime-order group")


def sign(header: Header, payload: Any, *, key: SigningKey) -> bytes:
    """The statement of `payload` (32 bytes for private kinds, a JSON value for public ones) signed by `key`."""
    if header.kid != key.kid:
        raise StatementError("bad-kid", "the header names another key")
    body = payload if header.kind in PRIVATE_KINDS else _public_payload(payload)
    _check_payload(header.kind, body)
    protected = _protect(header)
    # libsodium's secret key is seed and public key; deriving the latter again would double the cost.
    signature = nacl.bindings.crypto_sign(_to_be_signed(protected, body), key.seed + key.public)[:64]
    return _assemble(protected, body, signature)


def parse(data: bytes) -> Statement:
    """The statement in `data`; StatementError unless it is the one spelling of a well-formed statement."""
    if len(data) > MAX_ENTRY_SIZE:
        raise StatementError("too-long", f"a statement has at most {MAX_ENTRY_SIZE} bytes")
    tagged = _decode(data)
    value = tagged.value if isinstance(tagged, cbor2.CBORTag) and tagged.tag == _COSE_SIGN1 else None
    if not isinstance(value, list | tuple) or len(value) != 4 or value[1] != {}:
        raise StatementError("not-cose-sign1", "not a tagged COSE_Sign1 with an empty unprotected header")
    protected, _, payload, signature = value
    if not (isinstance(protected, bytes) and isinstance(payload, bytes) and isinstance(signature, bytes)):
        raise StatementError("not-cose-sign1", "protected header, payload and signature are byte strings")
    if len(signature) != 64 or _assemble(protected, payload, signature) != data:
        raise StatementError("not-deterministic", "not in deterministic CBOR encoding")
    header = _parse_header(protected)
    _check_payload(header.kind, payload)
    return Statement(header, payload, protected, signature)


def verify(statement: Statement, public: bytes) -> None:
    """Raise StatementError unless `public` is the key that `statement` names and its signature verifies."""
    check_public_key(public)
    if statement.kid != key_id(public):
        raise StatementError("bad-kid", "the statement names another key")
    try:
        VerifyKey(public).verify(_to_be_signed(statement.protected, statement.payload), statement.signature)
    except BadSignatureError as error:
        raise StatementError("bad-signature", "the statement's signature does not verify") from error


def statement_hash(data: bytes) -> str:
    """Lower-case hex of the statement's RFC 6962 leaf hash: the one hash by which everything names it."""
    return merkle.leaf_hash(data).hex()


@lru_cache(maxsize=4096)
def _protect(header: Header) -> bytes:
    protected = cbor2.dumps(
        {
            _ALG: _EDDSA,
            _CONTENT_TYPE: content_type(header.kind),
            _KID: header.kid,
            _CWT: {_ISS: header.iss, _SUB: _SUBJECT + header.kind, _IAT: header.iat},
        }
    )
    _check_header(header)
    return protected


@lru_cache(maxsize=4096)
def _parse_header(protected: bytes) -> Header:
    fields = _decode(protected)
    claims = fields.get(_CWT) if isinstance(fields, dict) else None
    if not isinstance(claims, dict) or list(fields) != [_ALG, _CONTENT_TYPE, _KID, _CWT]:
        raise StatementError("bad-header", "the protected header holds exactly labels 1, 3, 4 and 15")
    if list(claims) != [_ISS, _SUB, _IAT] or fields[_ALG] != _EDDSA:
        raise StatementError("bad-header", "the algorithm is EdDSA, the CWT claims are exactly iss, sub and iat")
    subject = claims[_SUB]
    if not isinstance(subject, str) or not subject.startswith(_SUBJECT):
        raise StatementError("unknown-kind", "the subject does not name a kind of statement")
    header = Header(subject.removeprefix(_SUBJECT), claims[_ISS], fields[_KID], claims[_IAT])
    _check_header(header)
    if _protect(header) != protected:
        raise StatementError("not-deterministic", "the protected header is not in deterministic CBOR encoding")
    return header


def _check_header(header: Header) -> None:
    content_type(header.kind)
    if not isinstance(header.iss, str) or not 0 < len(header.iss) <= 256 or not header.iss.isprintable():
        raise StatementError("bad-header", "iss is a URI of at most 256 characters")
    if not isinstance(header.kid, bytes) or len(header.kid) != 32:
        raise StatementError("bad-header", "kid is a key thumbprint of 32 bytes")
    if type(header.iat) is not int or not 0 <= header.iat <= _MAX_IAT:
        raise StatementError("bad-header", "iat is a time in whole seconds since 1970")


def _check_payload(kind: str, payload: bytes) -> None:
    if kind in PRIVATE_KINDS:
        if not isinstance(payload, bytes) or len(payload) != ROOT_SIZE:
            raise StatementError("bad-payload", f"the payload of a {kind} statement is a claims root of 32 bytes")
        return
    try:
        canonical = canonical_bytes(json.loads(payload))
    except (ValueError, RecursionError) as error:
        raise StatementError("bad-payload", f"the payload of a {kind} statement is not JSON: {error}") from error
    if canonical != payload:
        raise StatementError("bad-payload", f"the payload of a {kind} statement is not canonical JSON (RFC 8785)")


def _public_payload(value: Any) -> bytes:
    try:
        return canonical_bytes(value)
    except CanonicalError as error:
        raise StatementError("bad-payload", f"the payload has no canonical form: {error}") from error


def _decode(data: bytes) -> Any:
    try:
        return cbor2.loads(data)
    except (cbor2.CBORError, ValueError, TypeError, RecursionError, OverflowError, MemoryError) as error:
        raise StatementError("not-cbor", f"not CBOR: {error}") from error


def _to_be_signed(protected: bytes, payload: bytes) -> bytes:
    return cbor2.dumps(["Signature1", protected, b"", payload])


def _assemble(protected: bytes, payload: bytes, signature: bytes) -> bytes:
    data = cbor2.dumps(cbor2.CBORTag(_COSE_SIGN1, [protected, {}, payload, signature]))
    if len(data) > MAX_ENTRY_SIZE:
        raise StatementError("too-long", f"a statement has at most {MAX_ENTRY_SIZE} bytes, not {len(data)}")
    return data
