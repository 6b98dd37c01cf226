"""Many rows at once: into a table without a model instance each, and out of it by any number of values."""

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import cached_property
from typing import Any

from django.db import connection, models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.query import FlatValuesListIterable

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
        return f"{column} {_is_one_of(connection)}", (*parameters, _parameter(self.rhs, connection))


def _is_one_of(connection: BaseDatabaseWrapper) -> str:
    return "= ANY(%s)" if connection.vendor == "postgresql" else "IN (SELECT value FROM json_each(%s))"


def _parameter(values: Collection[Any], connection: BaseDatabaseWrapper) -> Any:
    return list(values) if connection.vendor == "postgresql" else json.dumps(list(values))


class Select:
    """What `among` finds, for a query that is asked often: Django writes its statement once.

    It takes longer for that than the database to answer it. `given` are further columns whose value comes with each
    call. Raises TypeError for columns that do not come as they are stored (JSON, truth values, times).
    """

    _MARK = frozenset({"\0"})

    def __init__(self, rows: models.QuerySet[Any, Any], by: str, given: Sequence[str] = ()) -> None:
        self._rows, self._by, self._given = rows, by, {name: f"\0{name}" for name in given}
        self._is_flat = issubclass(rows._iterable_class, FlatValuesListIterable)

    def __call__(self, values: Collection[Any], *given: Any) -> Iterator[Any]:
        """The rows whose column is one of `values`."""
        sql, parameters, places = self._written
        for chunk in chunks(values):
            filled = list(parameters)
            for place, value in zip(places, (_parameter(chunk, connection), *given), strict=True):
                filled[place] = value
            with connection.cursor() as cursor:
                cursor.execute(sql, filled)
                rows = cursor.fetchall()
            yield from (value for (value,) in rows) if self._is_flat else rows

    @cached_property
    def _written(self) -> tuple[str, tuple[Any, ...], list[int]]:
        """The statement, its parameters, and the places among those of what comes with each call."""
        rows = self._rows.filter(**{f"{self._by}__among": self._MARK}, **self._given)
        compiler = rows.query.get_compiler(connection=connection)
        sql, parameters = compiler.as_sql()
        if compiler.get_converters(column for column, *_ in compiler.select):
            raise TypeError(f"not all of these come as they are stored: {sql}")
        marks = (_parameter(self._MARK, connection), *self._given.values())
        return sql, parameters, [parameters.index(mark) for mark in marks]


def insert(model: type[models.Model], columns: Sequence[str], rows: Iterable[Row]) -> None:
    """Insert rows of plain values (str, int, bytes, None) in the order of `columns`: all fields that may not be null.

    No defaults, no signals; JSON as its text. PostgreSQL: COPY; SQLite: one prepared statement. Raises IntegrityError.
    """
    rows = list(rows)
    if not rows:
        return
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
            cursor.executemany(statement, rows)


def among(rows: models.QuerySet[Any, Any], column: str, values: Collection[Any]) -> Iterator[Any]:
    """The rows whose `column` is one of `values`, however many those are."""
    for chunk in chunks(values):
        yield from rows.filter(**{f"{column}__among": frozenset(chunk)})


def delete(model: type[models.Model], column: str, values: Collection[Any]) -> None:
    """Delete the rows whose `column` is one of `values`; nothing may hang on them, and no signal is sent."""
    table, name = connection.ops.quote_name(model._meta.db_table), connection.ops.quote_name(column)
    statement = f"DELETE FROM {table} WHERE {name} {_is_one_of(connection)}"  # noqa: S608 (names from the model, in code)
    for chunk in chunks(values):
        with connection.cursor() as cursor:
            cursor.execute(statement, [_parameter(chunk, connection)])


def chunks(values: Collection[Any]) -> Iterator[list[Any]]:
    """The values in order, in lists that one statement takes."""
    ordered = sorted(values)
    for start in range(0, len(ordered), CHUNK):
        yield ordered[start : start + CHUNK]
