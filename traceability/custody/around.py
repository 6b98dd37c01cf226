"""What a thing was ever inside of, at any depth: one statement, however deep."""

from typing import NamedTuple

from django.db import connection

from .models import Containment

MAX_DEPTH = 8


class Stay(NamedTuple):
    """A row of `Containment`, `depth` levels above the thing that was asked about."""

    child: str
    parent: str
    from_ms: int
    to_ms: int | None
    to_index: int | None
    depth: int


# A container's stays count as far as they overlap with the stay in it; how far is worked out by the reader.
_SQL = """
WITH RECURSIVE around (child, parent, from_ms, to_ms, to_index, depth) AS (
  SELECT child, parent, from_ms, to_ms, to_index, 1 FROM {table} WHERE child = %s
  UNION
  SELECT c.child, c.parent, c.from_ms, c.to_ms, c.to_index, a.depth + 1
  FROM around a JOIN {table} c ON c.child = a.parent
  WHERE a.depth < %s AND (a.to_ms IS NULL OR c.from_ms < a.to_ms) AND (c.to_ms IS NULL OR c.to_ms > a.from_ms)
)
SELECT child, parent, from_ms, to_ms, to_index, depth FROM around ORDER BY depth, from_ms, parent
"""


def stays(thing: str) -> list[Stay]:
    """Every stay that bears on where the thing was, those nearest to it first."""
    table = connection.ops.quote_name(Containment._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(_SQL.format(table=table), [thing, MAX_DEPTH])
        return [Stay(*row) for row in cursor.fetchall()]
