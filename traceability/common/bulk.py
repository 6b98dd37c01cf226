"""Many rows at once: into a table without a model instance each, and out of it by any number of values."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

from django.db import connection, models

Row = Sequence[Any]

# SQLite takes 32,766 values in a statement and PostgreSQL 65,535; a filter may need two for one.
CHUNK = 5_000


def insert(model: type[models.Model], columns: Sequence[str], rows: Iterable[Row]) -> None:
    """Insert rows of plain values (str, int, None) in the order of `columns`: all fields that may not be null.

    No defaults, no signals, no JSON. PostgreSQL: COPY; SQLite: one prepared statement. Raises IntegrityError.
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
        yield from rows.filter(**{f"{column}__in": chunk})


def chunks(values: Collection[Any]) -> Iterator[list[Any]]:
    """The values in order, in lists that one statement takes."""
    ordered = sorted(values)
    for start in range(0, len(ordered), CHUNK):
        yield ordered[start : start + CHUNK]
