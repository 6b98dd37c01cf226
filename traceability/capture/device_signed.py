"""Events that a party signed on its own device: checked like any other, and never signed again (ledger.md, 5a).

The order of checks: strict JSON, strict CBOR, exact header, key registered to the issuer and issuer the caller,
signature, event ID present and record time absent, claims root, EPCIS rules, idempotency.
"""

import binascii
from base64 import urlsafe_b64decode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ledger import api as ledger
from traceability.common import documents, strict_json
from traceability.common.clock import now_ms
from traceability.parties import selectors as parties
from traceability.parties.models import Party

from . import services as capture
from .prepare import FUTURE_TOLERANCE_MS, Prepared
from .refusals import CaptureError, require_room
from .services import Accepted
from .store import KIND

MEMBERS = ("event", "secret", "statement")
SECRET_BYTES = 32


@dataclass(frozen=True)
class _Signed:
    """One item of a call, decoded."""

    event: dict[str, Any]
    event_bytes: bytes
    secret: bytes
    statement: bytes


def accept_statements(items: Sequence[Any], *, reporter: Party) -> list[Accepted]:
    """Take in device-signed events, all or none; CaptureError names item and field.

    Each item is `{"event": …, "secret": …, "statement": …}` in base64url: the event's JSON bytes, the 32 bytes that
    salt its claims, and the COSE_Sign1 over the claims root. The same item again is answered as recorded already.
    """
    require_room()
    signed = [_read(place, item) for place, item in enumerate(items)]
    for place, one in enumerate(signed):
        _check(place, one, reporter)
    given = {(one.event["eventID"], _declaration(one.event)): one for one in signed}

    def sign(prepared: Sequence[Prepared]) -> documents.Signed:
        chosen = [given[item.key] for item in prepared]
        return documents.sealed(
            [(one.event_bytes, one.secret, one.statement) for one in chosen], kind=KIND, party=reporter.uri
        )

    return capture.accept_events([one.event for one in signed], reporter=reporter, sign=sign)


def _read(place: int, item: Any) -> _Signed:
    if not isinstance(item, Mapping) or set(item) != set(MEMBERS):
        raise _refused(place, "", "members", f"an item has the members {', '.join(MEMBERS)} and no others")
    event_bytes, secret, statement = (_decoded(place, item, name) for name in MEMBERS)
    try:
        event = strict_json.loads(event_bytes)
    except strict_json.StrictJsonError as error:
        raise _refused(place, "event", f"json-{error.code}", error.detail) from error
    if not isinstance(event, dict):
        raise _refused(place, "event", "not-an-event", "the event must be a JSON object")
    if len(secret) != SECRET_BYTES:
        raise _refused(place, "secret", "secret-size", f"a document's secret is {SECRET_BYTES} bytes long")
    return _Signed(event, event_bytes, secret, statement)


def _decoded(place: int, item: Mapping[str, Any], name: str) -> bytes:
    value = item[name]
    try:
        if not isinstance(value, str) or value != value.rstrip("="):
            raise ValueError("not a text, or padded")
        # urlsafe_b64decode drops what is not of its alphabet: one spelling only
        return urlsafe_b64decode(_canonical_base64(value))
    except (ValueError, binascii.Error) as error:
        raise _refused(place, name, "not-base64url", "must be a text in base64url without padding") from error


def _canonical_base64(value: str) -> bytes:
    if not all(character.isascii() and (character.isalnum() or character in "-_") for character in value):
        raise ValueError("a character outside the base64url alphabet")
    return value.encode() + b"=" * (-len(value) % 4)


def _check(place: int, one: _Signed, reporter: Party) -> None:
    try:
        statement = ledger.parse_statement(one.statement)
    except ledger.StatementError as error:
        raise _refused(place, "statement", f"statement-{error.code}", error.detail) from error
    if statement.kind != KIND:
        raise _refused(place, "statement", "statement-kind", f"the statement must be of kind {KIND}")
    if statement.iss != reporter.uri:
        raise _refused(
            place, "statement", "issuer", "the statement's issuer (iss) is not the party of the token", status=403
        )
    key = parties.key_by_kid(statement.kid)
    if key is None or key.party_id != reporter.id:
        raise _refused(
            place, "statement", "key-unknown", "the statement's key (kid) is not registered to its issuer", status=403
        )
    if key.revoked_ms is not None:
        raise _refused(place, "statement", "key-revoked", "the statement's key has been revoked", status=403)
    if key.retired_ms is not None and key.retired_ms <= now_ms():
        raise _refused(place, "statement", "key-retired", "the statement's key has been retired", status=403)
    try:
        ledger.verify_statement(one.statement, bytes(key.public_key))
    except ledger.StatementError as error:
        raise _refused(place, "statement", f"statement-{error.code}", error.detail) from error
    if statement.iat * 1000 > now_ms() + FUTURE_TOLERANCE_MS:
        raise _refused(place, "statement", "statement-time", "the statement's time (iat) lies in the future")
    if not isinstance(one.event.get("eventID"), str):
        raise _refused(place, "event/eventID", "event-id-missing", "a signed event carries its eventID")
    if "recordTime" in one.event:
        raise _refused(place, "event/recordTime", "record-time", "the log gives the record time; leave it out")
    try:
        root = ledger.commit_claims(one.event, secret=one.secret, party=reporter.uri).root
    except ledger.ClaimsError as error:
        raise _refused(place, "event", "claims", str(error)) from error
    if root != statement.payload:
        raise _refused(place, "statement", "claims-root", "the statement commits to another event, secret or party")


def _declaration(event: Mapping[str, Any]) -> str:
    """The declaration time of an error declaration, '' otherwise; whatever it is, validation comes after."""
    declaration = event.get("errorDeclaration")
    return str(declaration.get("declarationTime", "")) if isinstance(declaration, Mapping) else ""


def _refused(place: int, field: str, code: str, detail: str, *, status: int = 400) -> CaptureError:
    pointer = f"/statements/{place}" + (f"/{field}" if field else "")
    kind = "SecurityException" if status == 403 else "ValidationException"
    error = {"event": place, "pointer": pointer, "code": code, "message": detail}
    return CaptureError(status, code, f"item {place}, {field or 'item'}: {detail}", kind, [error])
