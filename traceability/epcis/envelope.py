"""What stands around the events: document, query document, header and master data (EPCIS 2.0 sections 9 and 10)."""

import re
from typing import Any

from . import values
from .shapes import Shape, anything
from .values import Check, Scope

_VERSION = re.compile(r"[0-9]+(?:\.[0-9]+)*")


def _version(value: Any, scope: Scope) -> None:
    if values.is_text(value, scope) and _VERSION.fullmatch(value) is None:
        scope.add("schema-version", f"{value[:20]!r} is not a version such as 2.0")


_ATTRIBUTE = Shape("attribute", {"id": values.uri, "attribute": anything}, ("id",), open=True)
_ELEMENT = Shape(
    "vocabularyElement",
    {
        "id": values.uri,
        "attributes": values.list_of(_ATTRIBUTE),
        "children": values.list_of(values.uri),
        "isA": anything,
    },
    ("id",),
    open=True,
)
_VOCABULARY = Shape(
    "vocabulary",
    {"type": values.uri, "vocabularyElementList": values.list_of(_ELEMENT)},
    ("type",),
    open=True,
)
_MASTER_DATA = Shape("epcisMasterData", {"vocabularyList": values.list_of(_VOCABULARY)}, open=True)
_HEADER = Shape("epcisHeader", {"epcisMasterData": _MASTER_DATA}, open=True)
# The events are checked one by one, with their own contexts and places.
_EVENTS = values.list_of(anything)
_RESULTS = Shape(
    "queryResults",
    {
        "queryName": values.text,
        "subscriptionID": values.text,
        "resultsBody": Shape("resultsBody", {"eventList": _EVENTS}, ("eventList",)),
    },
    ("queryName", "resultsBody"),
    open=True,
)
_DOCUMENT: dict[str, Check] = {
    "@context": anything,
    "id": values.uri,
    "type": values.text,
    "schemaVersion": _version,
    "creationDate": values.time,
    "instanceIdentifier": values.text,
    "sender": values.text,
    "receiver": values.text,
    "epcisHeader": _HEADER,
}
_REQUIRED = ("type", "schemaVersion", "creationDate", "epcisBody")

DOCUMENT = Shape(
    "EPCISDocument",
    {**_DOCUMENT, "epcisBody": Shape("epcisBody", {"eventList": _EVENTS}, ("eventList",))},
    _REQUIRED,
    open=True,
)
QUERY_DOCUMENT = Shape(
    "EPCISQueryDocument",
    {**_DOCUMENT, "epcisBody": Shape("epcisBody", {"queryResults": _RESULTS}, ("queryResults",))},
    _REQUIRED,
    open=True,
)
