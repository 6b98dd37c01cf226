"""Hosted signing keys: made, sealed at rest, registered and revoked on the log."""

from django.conf import settings
from django.db import transaction
from nacl.secret import SecretBox

from ledger import api as ledger
from traceability.common.clock import now_ms

from .models import Party, PartyKey


def create_hosted_key(*, party: Party, label: str = "hosted") -> PartyKey:
    """Draw a key for a party that does not hold its own, seal its seed and register it on the log."""
    key = ledger.generate_key()
    sealed = bytes(SecretBox(settings.KEY_ENCRYPTION_KEY).encrypt(key.seed))
    return _register(party, key.kid, key.public, sealed=sealed, label=label)


def register_device_key(*, party: Party, public: bytes, label: str) -> PartyKey:
    """Register the public key of a device that keeps its own seed; StatementError for a weak key."""
    return _register(party, ledger.key_id(public), public, sealed=None, label=label)


def revoke_key(*, key: PartyKey, bad_since_ms: int | None = None) -> None:
    """Revoke on the log; what it signed since `bad_since_ms` (default: now) is not to be believed."""
    now = now_ms()
    with transaction.atomic():
        ledger.revoke_key(kid=key.kid, bad_since_ms=now if bad_since_ms is None else bad_since_ms)
        PartyKey.objects.filter(kid=key.kid, revoked_ms=None).update(revoked_ms=now)


def unseal(key: PartyKey) -> ledger.SigningKey:
    """The signing key of a hosted key."""
    if key.sealed_seed is None:
        raise ValueError(f"key {key.kid} is not hosted here")
    return ledger.key_from_seed(SecretBox(settings.KEY_ENCRYPTION_KEY).decrypt(bytes(key.sealed_seed)))


def _register(party: Party, kid: bytes, public: bytes, *, sealed: bytes | None, label: str) -> PartyKey:
    with transaction.atomic():
        ledger.register_key(public=public, party_uri=party.uri)
        return PartyKey.objects.create(
            kid=kid.hex(), party=party, public_key=public, sealed_seed=sealed, label=label, created_ms=now_ms()
        )
