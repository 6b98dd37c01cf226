"""The operator's keys (log, root, registrar), sealed at rest, and what the registrar logs about others."""

from collections.abc import Callable, Sequence
from functools import lru_cache

from django.conf import settings
from django.utils.module_loading import import_string
from nacl.secret import SecretBox

from . import keyring, models
from . import statement as statements
from .db_storage import DbStore
from .sequencer import LogSigner
from .statement import Header, SigningKey
from .tlog import note

OPERATOR_URI = "urn:dosetrail:operator"
_HOUR_SECONDS = 3600


class NotInitialisedError(Exception):
    """The log has no keys yet: run `manage.py keygen`, or call `api.initialise`."""


def now_ms() -> int:
    """The time by the clock that settings name; the ledger imports no other package of the project."""
    return _clock(getattr(settings, "LOG_CLOCK", "traceability.common.clock.now_ms"))()


def create(make_key: Callable[[], SigningKey], *, operator_name: str) -> list[bytes]:
    """Make and store the operator's keys; the statements to submit (the genesis), none where keys exist already."""
    with DbStore().write():  # the head row's lock: two processes that start at once make one set of keys
        if models.LogKey.objects.exists():
            return []
        roles = (models.LogKey.Role.LOG, models.LogKey.Role.ROOT, models.LogKey.Role.REGISTRAR)
        keys = {role: make_key() for role in roles}
        models.LogKey.objects.bulk_create(
            _sealed(role, key, origin=settings.LOG_ORIGIN, operator=operator_name) for role, key in keys.items()
        )
        content = keyring.genesis(
            origin=settings.LOG_ORIGIN,
            operator_name=operator_name,
            root=keys[models.LogKey.Role.ROOT].public,
            registrars=[keys[models.LogKey.Role.REGISTRAR].public],
        )
        return [_signed(keys[models.LogKey.Role.ROOT], "genesis", content)]


def keep_witness_key(name: str, key: SigningKey) -> models.LogKey:
    """Store the key by which this node cosigns under `name`."""
    row = _sealed(models.LogKey.Role.WITNESS, key, origin=name, operator=name)
    row.save(force_insert=True)
    return row


def log_signer() -> LogSigner:
    """The log key, opened. It signs for the origin that it was made for, whatever settings say now."""
    row = _row(models.LogKey.Role.LOG)
    return LogSigner(row.origin, open_key(row))


def log_verifier() -> note.Verifier:
    """The public half of the log key; nothing is opened for it."""
    row = _row(models.LogKey.Role.LOG)
    return note.Verifier(row.origin, bytes(row.public_key))


def registrar_statement(kind: str, content: object) -> bytes:
    """A statement about keys, signed by the registrar."""
    return _signed(open_key(_row(models.LogKey.Role.REGISTRAR)), kind, content)


def published_keyring(published_size: int) -> keyring.Keyring:
    """The fold of all published key entries."""
    indexes = models.KeyEntry.objects.filter(index__lt=published_size).order_by("index").values_list("index", flat=True)
    wanted = tuple(dict.fromkeys(indexes))
    rows = models.Entry.objects.filter(index__in=wanted[:1]).values_list("statement_hash", flat=True)
    return _fold(tuple(rows), wanted)


def key_entry_indexes(kids: Sequence[str], published_size: int) -> list[int]:
    """The published entries that took effect on these keys (hex ids), the genesis included."""
    effective = set(published_keyring(published_size).effective)
    rows = models.KeyEntry.objects.filter(index__lt=published_size, kid__in=kids).values_list("index", flat=True)
    return sorted({0, *rows} & effective)


@lru_cache(maxsize=4)
def _fold(_genesis: tuple[str, ...], indexes: tuple[int, ...]) -> keyring.Keyring:
    """The fold of these entries; the genesis' hash and the indexes name a log's key history unambiguously."""
    rows: list[tuple[int, bytes]] = []
    for start in range(0, len(indexes), 900):
        part = models.Entry.objects.filter(index__in=indexes[start : start + 900]).order_by("index")
        rows += [(index, bytes(data)) for index, data in part.values_list("index", "statement")]
    return keyring.fold(rows)


def _row(role: str) -> models.LogKey:
    row = models.LogKey.objects.filter(role=role).first()
    if row is None:
        raise NotInitialisedError("the log has no keys yet: run manage.py keygen")
    return row


def open_key(row: models.LogKey) -> SigningKey:
    """The key of a row, unsealed."""
    return _unseal(bytes(row.sealed_seed), settings.KEY_ENCRYPTION_KEY)


@lru_cache(maxsize=8)
def _unseal(sealed: bytes, encryption_key: bytes) -> SigningKey:
    return statements.key_from_seed(SecretBox(encryption_key[:32]).decrypt(sealed))


def _sealed(role: str, key: SigningKey, *, origin: str, operator: str) -> models.LogKey:
    return models.LogKey(
        role=role,
        kid=key.kid.hex(),
        public_key=key.public,
        sealed_seed=_box().encrypt(key.seed),
        origin=origin,
        operator=operator,
        created_ms=now_ms(),
    )


def _box() -> SecretBox:
    return SecretBox(settings.KEY_ENCRYPTION_KEY[:32])


def _signed(key: SigningKey, kind: str, content: object) -> bytes:
    iat = now_ms() // 1000 // _HOUR_SECONDS * _HOUR_SECONDS
    return statements.sign(Header(kind, OPERATOR_URI, key.kid, iat), content, key=key)


@lru_cache(maxsize=1)
def _clock(path: str) -> Callable[[], int]:
    found: Callable[[], int] = import_string(path)
    return found
