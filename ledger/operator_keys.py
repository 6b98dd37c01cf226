"""The operator's keys (log, root, registrar), sealed at rest, and what the registrar logs about others."""

from collections.abc import Callable, Sequence
from functools import lru_cache

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string
from nacl.exceptions import CryptoError
from nacl.secret import SecretBox

from . import keyring, models
from . import statement as statements
from .db_storage import DbStore
from .log_keys import LogKeys
from .sequencer import LogSigner
from .statement import Header, SigningKey
from .tlog.note import Verifier

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


class LogKeychain:
    """The log's private keys, as the sequencer asks for them (Signers): read anew each time, for a rotation adds one.

    They sign for the origin that they were made for, whatever settings say now.
    """

    @property
    def verifier(self) -> Verifier:
        return verifier_of(log_key_rows()[0])

    def signing_key(self, kid: bytes) -> SigningKey | None:
        row = models.LogKey.objects.filter(role=models.LogKey.Role.LOG, kid=kid.hex()).first()
        return open_key(row) if row is not None and row.sealed_seed else None


def log_key_rows() -> list[models.LogKey]:
    """The keys that are, were or are about to be the log's, oldest first; never empty."""
    rows = list(models.LogKey.objects.filter(role=models.LogKey.Role.LOG).order_by("created_ms"))
    if not rows:
        raise NotInitialisedError("the log has no keys yet: run manage.py keygen")
    return rows


def log_verifiers(size: int | None = None) -> list[Verifier]:
    """The keys that sign the checkpoint of this published size, or the newest, oldest first: two in a rotation."""
    return _signing(log_key_rows(), size)


def log_verifier() -> Verifier:
    """The public half of the newest log key that signs; nothing is opened for it."""
    return log_verifiers()[-1]


def log_signer() -> LogSigner:
    """The newest log key that signs, opened."""
    return log_signers()[-1]


def log_signers() -> list[LogSigner]:
    """The log keys that sign now and that are here, opened, oldest first."""
    rows = log_key_rows()
    held = {bytes(row.public_key): row for row in rows if row.sealed_seed}
    return [LogSigner(one.name, open_key(held[one.public])) for one in _signing(rows, None) if one.public in held]


def _signing(rows: Sequence[models.LogKey], size: int | None) -> list[Verifier]:
    first = verifier_of(rows[0])
    if len(rows) == 1:
        return [first]  # without a look at the log: every page asks
    size = DbStore().head().published_size if size is None else size
    return published_keyring(size).log_keys.verifiers(first, size)


def root_statement(kind: str, content: object) -> bytes:
    """A statement signed by the root key: the genesis, or one about the log key."""
    return _signed(open_key(_row(models.LogKey.Role.ROOT)), kind, content)


def add_log_key(key: SigningKey) -> None:
    """Keep the key that is to follow the log's newest."""
    newest = log_key_rows()[-1]
    row = _sealed(models.LogKey.Role.LOG, key, origin=newest.origin, operator=newest.operator)
    row.created_ms = max(row.created_ms, newest.created_ms + 1)
    row.save(force_insert=True)


def destroy_retired() -> int:
    """Overwrite the private halves of log keys whose retirement is published; how many. Backups are not reached."""
    if models.LogKey.objects.filter(role=models.LogKey.Role.LOG).exclude(sealed_seed=b"").count() < 2:
        return 0
    size = DbStore().head().published_size
    kids = [row.kid for row in retired_rows(published_keyring(size).log_keys, size)]
    return models.LogKey.objects.filter(kid__in=kids).update(sealed_seed=b"")


def retired_rows(log_keys: LogKeys, size: int) -> list[models.LogKey]:
    """The keys that sign no checkpoint of this size or a larger one, and whose seeds are still here."""
    over = {
        record.kid.hex() for record in log_keys.records if record.until_size is not None and record.until_size <= size
    }
    return [row for row in log_key_rows() if row.kid in over and row.sealed_seed]


def replace_log_keys(key: SigningKey, *, origin: str) -> None:
    """Put a key for a new origin in the place of the log's, for ever: their private halves are gone."""
    operator = _row(models.LogKey.Role.LOG).operator
    models.LogKey.objects.filter(role=models.LogKey.Role.LOG).delete()
    _sealed(models.LogKey.Role.LOG, key, origin=origin, operator=operator).save(force_insert=True)
    models.LogKey.objects.exclude(role=models.LogKey.Role.WITNESS).update(origin=origin)


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
    return sorted(({0, *rows} & effective) - set(log_key_entry_indexes(published_size)))


def log_key_entry_indexes(published_size: int) -> list[int]:
    """The published entries that took effect on the log's own keys."""
    records = published_keyring(published_size).log_keys.records
    ends = [record.until_size - 1 for record in records if record.until_size is not None]
    return sorted({record.entry for record in records if record.entry is not None} | set(ends))


@lru_cache(maxsize=4)
def _fold(_genesis: tuple[str, ...], indexes: tuple[int, ...]) -> keyring.Keyring:
    """The fold of these entries; the genesis' hash and the indexes name a log's key history unambiguously."""
    rows: list[tuple[int, bytes]] = []
    for start in range(0, len(indexes), 900):
        part = models.Entry.objects.filter(index__in=indexes[start : start + 900]).order_by("index")
        rows += [(index, bytes(data)) for index, data in part.values_list("index", "statement")]
    return keyring.fold(rows)


def verifier_of(row: models.LogKey) -> Verifier:
    """The public half of a log key's row."""
    return Verifier(row.origin, bytes(row.public_key))


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
    try:
        return statements.key_from_seed(SecretBox(encryption_key[:32]).decrypt(sealed))
    except CryptoError as error:
        raise ImproperlyConfigured("a log key is sealed under another key-encryption key than this one") from error


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
