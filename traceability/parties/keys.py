"""Signing keys of parties: made, sealed at rest, registered, rotated, revoked on the log; who did it is kept here."""

from dataclasses import dataclass

from django.db import models, transaction

from ledger import api as ledger
from traceability.common import sealing
from traceability.common.clock import now_ms
from traceability.common.documents import HOUR_SECONDS

from .models import KeyAct, Party, PartyKey

HOUR_MS = HOUR_SECONDS * 1000
DAY_MS = 24 * HOUR_MS
MAX_OVERLAP_MS = 90 * DAY_MS
_Kind = KeyAct.Kind


@dataclass(frozen=True)
class Warrant:
    """Who changes a key and why. `actor` = a member's pseudonym, or the name of a command."""

    actor: str
    reason: str = ""


class KeyActError(ValueError):
    """What cannot be done to a key; `code` is stable."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code, self.detail = code, detail


def create_hosted_key(*, party: Party, label: str = "hosted", warrant: Warrant | None = None) -> PartyKey:
    """Draw a key for a party that does not hold its own, seal its seed and register it on the log."""
    key = ledger.generate_key()
    with transaction.atomic():
        statement = ledger.register_key(public=key.public, party_uri=party.uri)
        return _keep(party, key.public, statement, label=label, sealed=sealing.seal(key.seed), warrant=warrant)


def register_device_key(*, party: Party, public: bytes, label: str, warrant: Warrant | None = None) -> PartyKey:
    """Register the public key of a device that keeps its own seed; StatementError for a weak key."""
    with transaction.atomic():
        statement = ledger.register_key(public=public, party_uri=party.uri)
        return _keep(party, public, statement, label=label, sealed=None, warrant=warrant)


def rotate_hosted_key(*, party: Party, label: str = "hosted", warrant: Warrant | None = None) -> PartyKey:
    """Give the party a new hosted key, which signs from now on; its earlier ones are retired and their past counts.

    Where it has none in force, the new one is registered only.
    """
    now = now_ms()
    with transaction.atomic():
        earlier = list(in_force(now).filter(party=party, sealed_seed__isnull=False).order_by("-created_ms", "kid"))
        fresh = None
        for old in earlier:  # one in all likelihood: each rotation leaves one
            key = ledger.generate_key()
            fresh = _rotate(old, key.public, now, label=label, sealed=sealing.seal(key.seed), warrant=warrant)
        return fresh or create_hosted_key(party=party, label=label, warrant=warrant)


def rotate_device_key(
    *, key: PartyKey, public: bytes, label: str = "", overlap_ms: int = DAY_MS, warrant: Warrant | None = None
) -> PartyKey:
    """Register a device's next key; the old one counts for what it signs before `overlap_ms` from now has passed.

    KeyActError: the key is hosted, or not in force, or the overlap is out of bounds; StatementError: a weak key.
    """
    now = now_ms()
    if key.sealed_seed is not None:
        raise KeyActError("key-hosted", "this key is kept here, not on a device")
    if not 0 <= overlap_ms <= MAX_OVERLAP_MS:
        raise KeyActError("overlap", "both keys may count for 0 to 90 days")
    with transaction.atomic():
        # Two at one moment: the second waits here, and finds what the first has registered.
        if not list(in_force(now).filter(kid=key.kid).select_for_update()):
            raise KeyActError("key-ended", "this key is revoked or retired already")
        if PartyKey.objects.filter(kid=ledger.key_id(public).hex()).exists():
            raise KeyActError("key-known", "this public key is registered already")
        return _rotate(key, public, now + overlap_ms, label=label or key.label, sealed=None, warrant=warrant)


def revoke_key(*, key: PartyKey, bad_since_ms: int | None = None, warrant: Warrant | None = None) -> None:
    """Revoke on the log: nothing that it signs from now on counts, nor what it signed since `bad_since_ms` (now).

    A second revocation can only reach further back. KeyActError: the moment lies in the future.
    """
    now = now_ms()
    since = now if bad_since_ms is None else bad_since_ms
    if not 0 <= since <= now:
        raise KeyActError("bad-since", "a key is bad since now, or since a moment in the past")
    since = bad_since_of(key, since)
    with transaction.atomic():
        statement = ledger.revoke_key(kid=key.kid, bad_since_ms=since)
        PartyKey.objects.filter(kid=key.kid, revoked_ms=None).update(revoked_ms=now)
        _note(key.kid, _Kind.REVOKED, statement, warrant, bad_since_ms=since)


def bad_since_of(key: PartyKey, since_ms: int) -> int:
    """The moment that the log is told: a hosted key's times are rounded down to the hour, and so is this one.

    Otherwise a statement of the hour's bad part, which carries the hour's beginning, would still count.
    """
    return since_ms if key.sealed_seed is None else since_ms // HOUR_MS * HOUR_MS


def in_force(now: int) -> models.QuerySet[PartyKey]:
    """The keys that are neither revoked nor retired, as capture sees it at `now` (ms); the log has the last word."""
    return PartyKey.objects.filter(models.Q(retired_ms=None) | models.Q(retired_ms__gt=now), revoked_ms=None)


def unseal(key: PartyKey) -> ledger.SigningKey:
    """The signing key of a hosted key."""
    if key.sealed_seed is None:
        raise ValueError(f"key {key.kid} is not hosted here")
    return ledger.key_from_seed(sealing.unseal(bytes(key.sealed_seed)))


def _rotate(
    old: PartyKey, public: bytes, until_ms: int, *, label: str, sealed: bytes | None, warrant: Warrant | None
) -> PartyKey:
    statement = ledger.rotate_key(public=public, party_uri=old.party.uri, replaces=old.kid, bad_since_ms=until_ms)
    PartyKey.objects.filter(kid=old.kid).update(retired_ms=until_ms)
    _note(old.kid, _Kind.RETIRED, statement, warrant, bad_since_ms=until_ms)
    return _keep(old.party, public, statement, label=label, sealed=sealed, warrant=warrant)


def _keep(
    party: Party, public: bytes, statement: str, *, label: str, sealed: bytes | None, warrant: Warrant | None
) -> PartyKey:
    kid = ledger.key_id(public).hex()
    _note(kid, _Kind.REGISTERED, statement, warrant)
    return PartyKey.objects.create(
        kid=kid, party=party, public_key=public, sealed_seed=sealed, label=label, created_ms=now_ms()
    )


def _note(kid: str, kind: str, statement: str, warrant: Warrant | None, *, bad_since_ms: int | None = None) -> None:
    by = warrant or Warrant("")
    KeyAct.objects.create(
        kid=kid,
        kind=kind,
        statement_hash=statement,
        actor=by.actor,
        reason=by.reason[:500],
        at_ms=now_ms(),
        bad_since_ms=bad_since_ms,
    )
