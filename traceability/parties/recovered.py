"""Keys that were registered or revoked in entries which a follower gave back."""

from base64 import b64decode
from collections.abc import Sequence
from typing import Any

from ledger import api as ledger

from .models import PARTY_NAMESPACE, Party, PartyKey

_REGISTERS = frozenset({"key-registered", "key-rotated"})
_REVOKES = {"key-revoked": "kid", "key-rotated": "replaces"}


def take(entries: Sequence[ledger.RecoveredEntry]) -> None:
    """Take over public halves and revocations. A device goes on signing; a hosted key has no private half any more."""
    for entry in entries:
        kind = entry.statement.kind
        if kind in _REGISTERS:
            _register(entry.statement.content, entry.record_time_ms)
        if kind in _REVOKES:
            rows = PartyKey.objects.filter(kid=entry.statement.content[_REVOKES[kind]], revoked_ms=None)
            rows.update(revoked_ms=entry.record_time_ms)


def _register(content: dict[str, Any], at_ms: int) -> None:
    party = Party.objects.filter(id=content["party"].removeprefix(PARTY_NAMESPACE)).first()
    if party is None:
        return  # registered in between as well: it is added anew, with a new key
    PartyKey.objects.get_or_create(
        kid=content["kid"],
        defaults={
            "party": party,
            "public_key": b64decode(content["public"]),
            "label": "recovered",
            "created_ms": at_ms,
        },
    )
