"""What a parsed query asks, one criterion per parameter: plain values, so that any matcher may read them. PURE."""

from dataclasses import dataclass
from typing import Literal

Comparison = Literal["gt", "gte", "lt", "lte"]


@dataclass(frozen=True)
class Words:
    """A main member is one of `values` (canonical keys, bare words)."""

    column: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class Span:
    """A time of the event, in ms since 1970, lies on this side of `value`."""

    column: str
    compare: Comparison
    value: int


@dataclass(frozen=True)
class Things:
    """The event names, in one of these roles, an instance (or class) with one of these keys or prefixes."""

    kind: Literal["epc", "class"]
    roles: tuple[str, ...]
    exact: tuple[str, ...]
    prefixes: tuple[str, ...]


@dataclass(frozen=True)
class Typed:
    """A business transaction, source or destination of this type, or of any, is one of `values`."""

    member: Literal["transaction", "source", "destination"]
    type: str | None
    values: tuple[str, ...]


@dataclass(frozen=True)
class FacetIn:
    """The event has a facet of one of these names with one of these texts (`epcis/facets.py`)."""

    names: tuple[str, ...]
    texts: tuple[str, ...]


@dataclass(frozen=True)
class FacetAmong:
    """The event has a facet of one of these names with one of these numbers (ranks)."""

    names: tuple[str, ...]
    numbers: tuple[int, ...]


@dataclass(frozen=True)
class FacetExists:
    """The event has a facet of one of these names, or has none of them."""

    names: tuple[str, ...]
    exists: bool = True


@dataclass(frozen=True)
class FacetCompares:
    """A facet's number (a rank) or time (ms) lies on this side of `value`."""

    names: tuple[str, ...]
    field: Literal["number", "time"]
    compare: Comparison
    value: int


@dataclass(frozen=True)
class Within:
    """A place is one of `places` or lies below one, by accepted master data."""

    column: str
    places: tuple[str, ...]


@dataclass(frozen=True)
class Attribute:
    """What stands in `field` has one of these master data attributes, with one of `values` if any are given."""

    field: str
    names: tuple[str, ...]
    values: tuple[str, ...] = ()


Criterion = Words | Span | Things | Typed | FacetIn | FacetAmong | FacetExists | FacetCompares | Within | Attribute
