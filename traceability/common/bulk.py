"""Many rows at once: into a table without a model instance each, and out of it by any number of values."""

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

from django.db import connection, models
from django.db.backends.base.base import BaseDatabaseWrapper

Row = Sequence[Any]

# So many values in a statement: enough that their number no longer matters, few enough that none is large.
CHUNK = 5_000


@models.ForeignKey.register_lookup
@models.Field.register_lookup
class Among(models.Lookup):
    """`column__among=frozenset(...)`: as `in`, the values being one parameter: plain text or integers, as they are.

    With thousands of values Django takes longer to prepare an `in` than the database to answer it. A set, since it
    looks at each member of a list.
    """

    lookup_name = "among"
    prepare_rhs = False

    def as_sql(self, compiler: Any, connection: BaseDatabaseWrapper) -> tuple[str, Any]:
        column, parameters = self.process_lhs(compiler, connection)
        if connection.vendor == "postgresql":
            return f"{column} = ANY(%s)", (*parameters, list(self.rhs))
        return f"{column} IN (SELECT value FROM json_each(%s))", (*parameters, json.dumps(list(self.rhs)))  # noqa: S608


def insert(model: type[models.Model], columns: Sequence[str], rows: Iterable[Row]) -> None:
    """Insert rows of plain values (str, int, bytes, None) in the order of `columns`: all fields that may not be null.

    No defaults, no signals; JSON as its text. PostgreSQL: COPY; SQLite: one prepared statement. Raises IntegrityError.
    """
    table = connection.ops.quote_name(model._meta.db_table)
    names = ", ".join(map(connection.ops.quote_name, columns))
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with connection.wrap_database_errors, cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
        else:
            marks = ", ".join(["%s"] * len(columns))
            statement = f"INSERT INTO {table} ({names}) VALUES ({marks})"  # noqa: S608 (names from the model, in code)
            cursor.executemany(statement, list(rows))


def among(rows: models.QuerySet[Any, Any], column: str, values: Collection[Any]) -> Iterator[Any]:
    """The rows whose `column` is one of `values`, however many those are."""
    for chunk in chunks(values):
        yield from rows.filter(**{f"{column}__among": frozenset(chunk)})


def delete(model: type[models.Model], column: str, values: Collection[Any]) -> None:
    """Delete the rows whose `column` is one of `values`; nothing may hang on them, and no signal is sent."""
    for chunk in chunks(values):
        rows = model._default_manager.filter(**{f"{column}__among": frozenset(chunk)})
        rows._raw_delete(rows.db)


def chunks(values: Collection[Any]) -> Iterator[list[Any]]:
    """The values in order, in lists that one statement takes."""
    ordered = sorted(values)
    for start in range(0, len(ordered), CHUNK):
        yield ordered[start : start + CHUNK]
