"""Many rows into a table at once, without a model instance each: what folds of large events spend their time on."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connection, models

Row = Sequence[Any]


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
