"""The tables of a house as rows that mean the same on SQLite and PostgreSQL."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import cbor2
from django.apps import apps
from django.core.management.color import no_style
from django.db import connection, models, transaction
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.recorder import MigrationRecorder

from traceability.common import bulk

from .sealed_file import BackupError

Migration = tuple[str, str]
Model = type[models.Model]

# Whoever is signed in signs in again: a session that was ended meanwhile must not come back.
LEFT_OUT = frozenset({"sessions.Session"})
# Django writes these when it migrates.
MADE_BY_MIGRATE = frozenset({"contenttypes.ContentType", "auth.Permission"})

MESSAGE_BYTES = 1024 * 1024
_FETCHED = 500  # rows
_CACHE_KIB = 256 * 1024  # SQLite's page cache while a house is loaded: its indexes are written in random order
_MODULUS = 1 << 256


@dataclass
class Tally:
    """How many rows, and the sum of their SHA-256: equal for equal tables, in whatever order their rows come."""

    rows: int = 0
    total: int = 0

    def add(self, row: bytes) -> None:
        self.rows += 1
        self.total = (self.total + int.from_bytes(sha256(row).digest(), "big")) % _MODULUS


@contextmanager
def snapshot() -> Iterator[None]:
    """Reads inside see the database as it stands now, whatever is written meanwhile; no writer waits for it."""
    if connection.in_atomic_block:
        raise RuntimeError("a snapshot is a transaction of its own")
    if connection.vendor == "postgresql":
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            yield
        return
    with connection.cursor() as cursor:
        cursor.execute("BEGIN")  # atomic() would take the write gate
        try:
            yield
        finally:
            cursor.execute("ROLLBACK")


def kept_models(registry: Any = apps) -> list[Model]:
    """The models whose tables a backup holds: all but sessions. Projections too: folding them anew takes longer."""
    found = [one for one in registry.get_models(include_auto_created=True) if one._meta.managed]
    return [one for one in found if one._meta.label not in LEFT_OUT and not one._meta.proxy]


def columns(model: Model) -> list[str]:
    """The names of a table's columns in alphabetical order: models and migrations order them each in their way."""
    return sorted(field.column for field in model._meta.concrete_fields if field.column)


def read_rows(model: Model) -> Iterator[bytes]:
    """Each row in canonical CBOR, its values in the order of `columns`; rows come as the table holds them."""
    fields = _fields(model)
    changed = [(place, way) for place, field in enumerate(fields) if (way := _outgoing(field)) is not None]
    rows = model._base_manager.order_by().values_list(*(field.attname for field in fields))
    for row in rows.iterator(chunk_size=_FETCHED):
        values = list(row)
        for place, way in changed:
            if values[place] is not None:
                values[place] = way(values[place])
        yield cbor2.dumps(values, canonical=True)


def messages(rows: Iterable[bytes]) -> Iterator[list[bytes]]:
    """The rows in lists of about MESSAGE_BYTES."""
    held: list[bytes] = []
    size = 0
    for row in rows:
        held.append(row)
        size += len(row)
        if size >= MESSAGE_BYTES:
            yield held
            held, size = [], 0
    if held:
        yield held


def write_rows(model: Model, rows: Sequence[bytes]) -> None:
    """Insert rows that `read_rows` gave, on whichever database."""
    changed = [(place, way) for place, field in enumerate(_fields(model)) if (way := _incoming(field)) is not None]

    def values(row: bytes) -> list[Any]:
        found: list[Any] = cbor2.loads(row)
        for place, way in changed:
            found[place] = way(found[place])
        return found

    bulk.insert(model, columns(model), map(values, rows))


@contextmanager
def loading() -> Iterator[None]:
    """One transaction, so that a restore that dies leaves an empty database behind."""
    sqlite = connection.vendor == "sqlite"
    with connection.cursor() as cursor:
        if sqlite:
            cursor.execute("PRAGMA cache_size")
            before = cursor.fetchone()[0]
            cursor.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        try:
            with transaction.atomic():
                yield
        finally:
            if sqlite:
                cursor.execute(f"PRAGMA cache_size = {int(before)}")


def empty_made_by_migrate(loaded: Sequence[Model]) -> None:
    for model in reversed(loaded):  # permissions lean on content types
        if model._meta.label in MADE_BY_MIGRATE:
            model._base_manager.all().delete()


def reset_sequences(loaded: Sequence[Model]) -> None:
    """PostgreSQL numbers new rows from its sequences, which an insert with a given number does not move."""
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), list(loaded)):
            cursor.execute(statement)


def analyse() -> None:
    """PostgreSQL plans by statistics, which nobody has taken yet of what was just loaded."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")


def applied_migrations() -> list[Migration]:
    return sorted(MigrationRecorder(connection).applied_migrations())


def migrate_to(state: Sequence[Migration]) -> Any:
    """Bring an empty database to a backup's migrations; the models as they were then.

    BackupError when this code does not know one of them, or the database has gone past them or holds something.
    """
    executor = MigrationExecutor(connection)
    wanted = {tuple(one) for one in state}
    known = set(executor.loader.disk_migrations)
    if newer := sorted(wanted - known):
        app, name = newer[0]
        raise BackupError(f"the backup was made by a newer version of this program: it does not know {app}.{name}")
    applied = set(executor.loader.applied_migrations)
    if past := sorted(applied - wanted):
        app, name = past[0]
        raise BackupError(
            f"the backup is older than this database's tables ({app}.{name}): restore into a database without any;"
            " restore makes them"
        )
    targets = _leaves(executor, wanted)
    _require_empty(executor, applied)
    executor.migrate(targets)
    return MigrationExecutor(connection).loader.project_state(targets).apps


def _leaves(executor: MigrationExecutor, nodes: set[Any]) -> list[Migration]:
    """The last of these migrations in each app."""
    graph = executor.loader.graph

    def is_last(node: Migration) -> bool:
        return not any(child.key[0] == node[0] and child.key in nodes for child in graph.node_map[node].children)

    return [node for node in graph.nodes if node in nodes and is_last(node)]


def _require_empty(executor: MigrationExecutor, applied: set[Any]) -> None:
    if not applied:
        if tables := set(connection.introspection.table_names()) - {MigrationRecorder.Migration._meta.db_table}:
            raise BackupError(f"the database is not empty: it has a table {min(tables)}")
        return
    for model in executor.loader.project_state(_leaves(executor, applied)).apps.get_models(include_auto_created=True):
        exists = model._meta.db_table in connection.introspection.table_names()
        if exists and model._meta.label not in MADE_BY_MIGRATE and model._base_manager.exists():
            raise BackupError(f"the database is not empty: there are rows in {model._meta.db_table}")


def _fields(model: Model) -> list[Any]:
    found: dict[str, Any] = {field.column: field for field in model._meta.concrete_fields if field.column}
    return [found[name] for name in columns(model)]


Way = Callable[[Any], Any]
_PLAIN = (models.CharField, models.TextField, models.IntegerField, models.BooleanField, models.JSONField)


def _outgoing(field: "models.Field[Any, Any]") -> Way | None:
    """What makes a value of this field plain CBOR; None = it is."""
    if isinstance(field, models.BinaryField):
        return bytes
    if isinstance(field, models.DateField):  # DateTimeField too
        return lambda value: value.isoformat()
    if isinstance(field, models.FileField):
        return str
    if isinstance(_stored(field), _PLAIN):
        return None
    raise TypeError(f"a backup does not know how to write {field}")


def _incoming(field: "models.Field[Any, Any]") -> Way | None:
    """What makes the database's value of it."""
    if isinstance(field, models.JSONField):
        return lambda value: None if value is None and field.null else connection.ops.adapt_json_value(value, None)
    if isinstance(field, models.DateField):
        return lambda value: field.get_db_prep_save(field.to_python(value), connection)
    return None


def _stored(field: "models.Field[Any, Any]") -> "models.Field[Any, Any]":
    while isinstance(field, models.ForeignKey):
        field = field.target_field
    return field
