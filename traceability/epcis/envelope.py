"""What stands around the events: document, query document, header and master data (EPCIS 2.0 sections 9 and 10)."""

import json
import re
from typing import Any

from . import master_data, values
from .shapes import Shape, anything
from .values import Check, Scope

_VERSION = re.compile(r"[0-9]+(?:\.[0-9]+)*")


def _version(value: Any, scope: Scope) -> None:
    if values.is_text(value, scope) and _VERSION.fullmatch(value) is None:
        scope.add("schema-version", f"{value[:20]!r} is not a version such as 2.0")


def _attribute_value(value: Any, scope: Scope) -> None:
    """A text, or anything structured; what the steward's queue keeps of it has bounds."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    if len(text) > master_data.MAX_VALUE:
        scope.add("length", f"must have at most {master_data.MAX_VALUE} characters")
    if "\0" in text or "\\u0000" in text:
        scope.add("control-character", "must not contain the character NUL")


def _vocabulary_type(value: Any, scope: Scope) -> None:
    """A type of EPCIS by its bare name, or any type by its URI."""
    if value not in master_data.TYPES:
        values.uri(value, scope)


_ATTRIBUTE = Shape(
    "attribute",
    {"id": values.at_most(master_data.MAX_NAME, values.uri), "attribute": _attribute_value},
    ("id",),
    open=True,
)
_ELEMENT = Shape(
    "vocabularyElement",
    {
        "id": values.identifier,
        "attributes": values.list_of(_ATTRIBUTE, maximum=master_data.MAX_ATTRIBUTES),
        "children": values.list_of(values.identifier, maximum=master_data.MAX_CHILDREN),
        "isA": anything,
    },
    ("id",),
    open=True,
)
_VOCABULARY = Shape(
    "vocabulary",
    {"type": _vocabulary_type, "vocabularyElementList": values.list_of(_ELEMENT)},
    ("type",),
    open=True,
)


def _vocabularies(value: Any, scope: Scope) -> None:
    """The vocabularies of a header, which hold so many elements at most, and children, all together."""
    for name, most in (("attributes", master_data.MAX_ALL_ATTRIBUTES), ("children", master_data.MAX_CHILDREN)):
        if _count(value, name) > most:
            scope.add("length", f"a document's master data has at most {most} {name}")
            return
    if _count(value, "") > master_data.MAX_ELEMENTS:
        scope.add("length", f"a document's master data has at most {master_data.MAX_ELEMENTS} elements")
        return
    values.list_of(_VOCABULARY)(value, scope)


def _count(vocabularies: Any, member: str) -> int:
    """How many elements, or members of elements, stand in what may be a list of vocabularies."""
    total = 0
    for vocabulary in vocabularies if isinstance(vocabularies, list) else ():
        listed = vocabulary.get("vocabularyElementList") if isinstance(vocabulary, dict) else None
        for element in listed if isinstance(listed, list) else ():
            found = element.get(member) if isinstance(element, dict) else None
            total += 1 if not member else len(found) if isinstance(found, list) else 0
    return total


_MASTER_DATA = Shape("epcisMasterData", {"vocabularyList": _vocabularies}, open=True)
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
    "type": anything,  # which decides by which of the two tables a document is checked
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
