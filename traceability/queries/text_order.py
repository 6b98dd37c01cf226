"""Texts in the order of their bytes, on both databases and by the indexes that they have."""

from typing import Any

from django.db.models import CharField, Lookup
from django.db.models.expressions import OrderBy

_LAST = "\U0010ffff"


@CharField.register_lookup
class BeginsWith(Lookup):
    """Texts that begin with another, found by an index: LIKE on PostgreSQL, a range of bytes on SQLite."""

    lookup_name = "beginswith"
    prepare_rhs = False

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        column, params = self.process_lhs(compiler, connection)
        return f"({column} >= %s AND {column} < %s)", [*params, self.rhs, *params, f"{self.rhs}{_LAST}"]

    def as_postgresql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        column, params = self.process_lhs(compiler, connection)
        return f"{column} LIKE %s", [*params, f"{connection.ops.prep_for_like_query(self.rhs)}%"]


@CharField.register_lookup
class Beyond(Lookup):
    """Texts that come after another in the order of bytes."""

    lookup_name = "beyond"
    prepare_rhs = False

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        column, params = self.process_lhs(compiler, connection)
        operator = "~>~" if connection.vendor == "postgresql" else ">"
        return f"{column} {operator} %s", [*params, self.rhs]


class ByBytes(OrderBy):
    """Ascending in the order of bytes; PostgreSQL has another for people's languages."""

    def as_postgresql(self, compiler: Any, connection: Any) -> Any:
        # Django looks for the direction in every ordering; a comment shows it one.
        return self.as_sql(compiler, connection, template="%(expression)s USING ~<~ /* ASC */")
