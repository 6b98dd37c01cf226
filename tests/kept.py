"""A house founded once and laid down again in each test, so that a test pays for its own doings only."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.db import connection, transaction

from ledger import operator_keys, writer
from ledger.storage import Mark

Table = tuple[list[str], list[tuple[Any, ...]]]  # columns, rows
_AT_ONCE = 100


@dataclass(frozen=True)
class Kept:
    """The tables in which a founded house differs from what it was founded upon, its log's mark, and an answer."""

    tables: dict[str, Table]
    mark: Mark | None
    answer: Any
    rows_before: dict[str, int] = field(default_factory=dict)


def keep(found: Callable[[], Any], upon: Kept | None = None) -> Kept:
    """Found a house, in an empty database or upon another that was kept; take its rows, and undo it.

    It may write to the database and the log's mark alone.
    """
    with transaction.atomic():
        if upon is not None:
            lay_down(upon)
        before = _tables()
        answer = found()
        after = _tables()
        transaction.set_rollback(True)
    emptied = before.keys() - after.keys()
    assert not emptied, f"founding emptied {emptied}"
    changed = {name: table for name, table in after.items() if table != before.get(name)}
    return Kept(
        changed, writer.high_water().read(), answer, {name: len(before[name][1]) for name in changed if name in before}
    )


def lay_down(kept: Kept) -> None:
    """Put the rows and the mark where the test's house has its own, as if it had been founded this moment.

    What it was founded upon must lie there already, untouched.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        for name, (columns, rows) in kept.tables.items():
            cursor.execute(f"DELETE FROM {connection.ops.quote_name(name)}")
            assert cursor.rowcount == kept.rows_before.get(name, 0), f"{name} is not as the house was founded upon"
            for start in range(0, len(rows), _AT_ONCE):
                _insert(cursor, name, columns, rows[start : start + _AT_ONCE])
    # Each test goes on with the log in a way of its own, and the fold of its keys is remembered by the genesis.
    operator_keys._fold.cache_clear()
    if kept.mark is not None:
        writer.high_water().write(kept.mark)


def _insert(cursor: Any, table: str, columns: list[str], rows: list[tuple[Any, ...]]) -> None:
    names = ", ".join(map(connection.ops.quote_name, columns))
    marks = ", ".join([f"({', '.join(['%s'] * len(columns))})"] * len(rows))
    values = [value for row in rows for value in row]
    cursor.execute(f"INSERT INTO {connection.ops.quote_name(table)} ({names}) VALUES {marks}", values)


def _tables() -> dict[str, Table]:
    """Columns and rows of each table that holds some."""
    found = {}
    with connection.cursor() as cursor:
        for name in connection.introspection.django_table_names(only_existing=True):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(name)} ORDER BY 1")
            rows = [tuple(map(_plain, row)) for row in cursor.fetchall()]
            if rows:
                found[name] = ([column[0] for column in cursor.description], rows)
    return found


def _plain(value: Any) -> Any:
    """PostgreSQL's driver answers binary values as views of a buffer that is used again."""
    return bytes(value) if isinstance(value, memoryview) else value
