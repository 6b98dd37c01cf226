"""Which JSON each parameter of a query is written in, where a party keeps one (EPCIS 2.0, 8.2.7.1). PURE.

An address has texts only, and queries that are kept are read as leniently; what a party is answered as its query must
be one by the description of the API (`api.schema`), which has the same types.
"""

import re
from typing import Any

from traceability.common.strict_json import MAX_SAFE_INTEGER
from traceability.epcis import values

from .event_query import CONTROLS
from .parameters import NAMES
from .values import QueryFault

_TYPED = re.compile(r"EQ_(bizTransaction|source|destination)(_.+)?", re.DOTALL)
_THINGS = re.compile(r"MATCH_.+|WD_.+|EQ_(readPoint|bizLocation)|EQ_(source|destination)(_.+)?", re.DOTALL)
_WHOLE = ("eventCountLimit", "maxEventCount", "perPage")


def require(name: str, value: Any) -> None:
    """QueryFault where a parameter of the standard is given in another type; the open families take any."""
    if name not in NAMES and name not in CONTROLS and not _TYPED.fullmatch(name):
        return
    if name.startswith("EXISTS_"):
        if not (isinstance(value, bool) or value in (None, 1, "")):
            raise QueryFault(name, "must be true or false")
        return
    is_one = name in CONTROLS or name.endswith(("Time", "_time")) or (name != "EQ_percRank" and "percRank" in name)
    if is_one and isinstance(value, list):
        raise QueryFault(name, "stands once, with one value and no list")
    for item in value if isinstance(value, list) else [value]:
        _require_item(name, item)


def _require_item(name: str, item: Any) -> None:
    if name in _WHOLE or name.endswith("percRank"):
        if isinstance(item, bool) or not isinstance(item, int | float) or abs(item) > MAX_SAFE_INTEGER:
            raise QueryFault(name, "must be a number, such as 50, at most 2^53 - 1 away from 0")
    elif name == "EQ_booleanValue":
        if not isinstance(item, bool) and item not in ("true", "false"):
            raise QueryFault(name, "must be true or false")
    elif not isinstance(item, str) or not item:
        raise QueryFault(name, "must be a text that is not empty, or a list of such texts")
    elif _THINGS.fullmatch(name) and not (values.is_uri(item) and len(item) <= values.MAX_URI):
        raise QueryFault(name, f"{item[:80]!r} is not a URI")
