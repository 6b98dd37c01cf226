"""Secrets at rest: sealed with PyNaCl's SecretBox under the key-encryption key (docs/operations.md, "Keys at rest").

Every model with a column `sealed_seed` is one of them, whosever it is.
"""

import hashlib
from collections.abc import Iterator
from functools import lru_cache

from django.apps import apps
from django.conf import settings
from django.core.exceptions import FieldDoesNotExist, ImproperlyConfigured
from django.db import models, transaction
from nacl.exceptions import CryptoError
from nacl.secret import SecretBox

from .models import DerivedKey

COLUMN = "sealed_seed"
KEY_BYTES = SecretBox.KEY_SIZE
# What ids that nobody may guess are made with, by purpose.
EVENT_IDS, ALERT_IDS = "event-id", "alert-id"


def seal(seed: bytes) -> bytes:
    """The secret as it may lie in the database."""
    return bytes(_box(settings.KEY_ENCRYPTION_KEY).encrypt(seed))


def unseal(sealed: bytes) -> bytes:
    """The secret again; ImproperlyConfigured under another key-encryption key than it was sealed with."""
    try:
        return _box(settings.KEY_ENCRYPTION_KEY).decrypt(sealed)
    except CryptoError as error:
        raise ImproperlyConfigured("a key is sealed under another key-encryption key than this one") from error


def id_key(purpose: str) -> bytes:
    """The key of ids for a purpose: of the house's first key-encryption key, whichever is in use now."""
    return _id_key(purpose, settings.KEY_ENCRYPTION_KEY)


def reseal(new: bytes) -> int:
    """Seal every secret anew under `new`, in one transaction; how many there are. No process may run meanwhile.

    A crash before the commit leaves all under the old key, one after it all under the new one. ImproperlyConfigured:
    they are not sealed under the key in use.
    """
    old = settings.KEY_ENCRYPTION_KEY
    with transaction.atomic():
        for purpose in (EVENT_IDS, ALERT_IDS):
            if not DerivedKey.objects.filter(purpose=purpose).exists():
                DerivedKey.objects.create(purpose=purpose, sealed_seed=seal(_derived(purpose, old)))
        count = 0
        for model in sealed_models():
            rows = list(_held(model).select_for_update())
            for row in rows:
                seed = unseal(bytes(getattr(row, COLUMN)))
                setattr(row, COLUMN, bytes(_box(new).encrypt(seed)))
            model._default_manager.bulk_update(rows, [COLUMN], batch_size=500)
            count += len(rows)
        if not opens(new):
            raise RuntimeError("a secret does not open under the new key; nothing was changed")
    return count


def opens(key: bytes) -> bool:
    """Whether every sealed secret opens under a key-encryption key."""
    for model in sealed_models():
        for sealed in _held(model).values_list(COLUMN, flat=True).iterator():
            try:
                _box(key).decrypt(bytes(sealed))
            except CryptoError:
                return False
    return True


def sealed_models() -> Iterator[type[models.Model]]:
    """The models that hold sealed secrets, always in the same order."""
    for model in sorted(apps.get_models(), key=lambda one: one._meta.label):
        try:
            model._meta.get_field(COLUMN)
        except FieldDoesNotExist:
            continue
        yield model


def _held(model: type[models.Model]) -> "models.QuerySet[models.Model]":
    """The rows that hold a secret: none is null, one that was destroyed (a retired log key) is empty."""
    return model._default_manager.exclude(**{COLUMN: None}).exclude(**{COLUMN: b""})


@lru_cache(maxsize=8)
def _id_key(purpose: str, encryption_key: bytes) -> bytes:
    """Remembered: which of the two it is changes with the key-encryption key only (`reseal`)."""
    row = DerivedKey.objects.filter(purpose=purpose).first()
    return _derived(purpose, encryption_key) if row is None else unseal(bytes(row.sealed_seed))


def _derived(purpose: str, encryption_key: bytes) -> bytes:
    return hashlib.sha256(f"dosetrail/{purpose}/1".encode() + encryption_key).digest()


def _box(key: bytes) -> SecretBox:
    return SecretBox(key[:KEY_BYTES])
