"""Seeds of hosted keys at rest: PyNaCl SecretBox under the key-encryption key (docs/operations.md)."""

from django.conf import settings
from nacl.secret import SecretBox


def seal(seed: bytes) -> bytes:
    """The seed as it may lie in the database."""
    return bytes(_box().encrypt(seed))


def unseal(sealed: bytes) -> bytes:
    """The seed again; nacl.exceptions.CryptoError under another key-encryption key."""
    return _box().decrypt(sealed)


def _box() -> SecretBox:
    return SecretBox(settings.KEY_ENCRYPTION_KEY[:32])
