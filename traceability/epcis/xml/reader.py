"""EPCIS documents in XML, 2.0 and 1.x, opened for streaming (EPCIS 2.0, section 9; EPCIS 1.2, section 9).

Their content goes through the validator of JSON; `content` says in which form what is wrong gets there. What breaks the
document as such (no XML, a limit, a container twice, anything behind the event list) is a SourceError with the line.
"""

import io
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

from traceability.epcis import context
from traceability.epcis.source import WHOLE_BYTES, LocatedEvent, Source, SourceError

from . import content, header
from .elements import Closed, Element, Item, Opened, items
from .members import EVENT
from .names import EPCIS_1, EPCIS_2, MASTER_1, MASTER_2, QUERY_1, QUERY_2, STANDARD, XSI, Prefixes

_MASTER_DATA = "EPCISMasterDataDocument"
_ROOTS = {
    "EPCISDocument": (EPCIS_2, EPCIS_1),
    "EPCISQueryDocument": (QUERY_2, QUERY_1),
    _MASTER_DATA: (MASTER_2, MASTER_1),
}
# Containers, and what they are called in JSON.
_CONTAINERS: Mapping[str, Mapping[str, str]] = {
    **{root: {"EPCISBody": "epcisBody"} for root in _ROOTS},
    "EPCISBody": {"EventList": "eventList", "QueryResults": "queryResults"},
    "QueryResults": {"resultsBody": "resultsBody"},
    "resultsBody": {"EventList": "eventList"},
    "EventList": {"extension": ""},
    "extension": {"extension": ""},
}
_EXTENSIONS_ONLY: Mapping[str, content.Read] = {}
# What may stand in a container beside the containers within it.
_KNOWN: Mapping[str, Mapping[str, content.Read]] = {
    "EPCISBody": {"VocabularyList": header.VOCABULARIES},
    "QueryResults": {"queryName": content.leaf(), "subscriptionID": content.leaf()},
}


def open_document(file: BinaryIO) -> Source:
    """The document in `file`, which must allow seeking; SourceError where its frame cannot be read.

    An event is a LocatedEvent with an `@context` of the prefixes that it uses. recordTime, eventID and what else a
    party wrote stay; `xsi:` attributes, comments and instructions do not. SBDH is kept whole in `epcisHeader`, and
    its sender, receiver and instance identifier are members of the document. A document of master data
    (EPCISMasterDataDocument) is one without events whose header holds the vocabularies.
    """
    frame = _frame(items(file, _is_container))
    if file.seek(0, io.SEEK_END) > WHOLE_BYTES:
        return Source(frame, lambda: _events(items(file, _is_container)))
    events = list(_events(items(file, _is_container)))
    return Source(frame, lambda: iter(events))


def read_event(file: BinaryIO) -> LocatedEvent:
    """A bare event, the root of its file; SourceError as above. Attributes that speak of a document are left out."""
    found = list(items(file, lambda around, element: False))
    element = found[0]
    if not isinstance(element, Element) or element.local in _ROOTS:
        raise SourceError("xml-root", "the root must be an event, such as ObjectEvent, and not a document")
    element.attributes = [
        one for one in element.attributes if one.namespace or one.local not in ("schemaVersion", "creationDate")
    ]
    event = _event(element)
    event["@context"] = [context.DEFAULT_CONTEXT, *event.get("@context", [])]
    return event


def _is_container(around: str, element: Element) -> bool:
    return not around or (element.local in _CONTAINERS.get(around, ()) and element.namespace in STANDARD)


def _frame(stream: Iterator[Item]) -> dict[str, Any]:
    """All of the document but its events; reads no further than where the event list begins."""
    root = next(stream, None)
    if not isinstance(root, Opened) or root.element.namespace not in _ROOTS.get(root.element.local, ()):
        raise SourceError("xml-root", f"the root must be one of {', '.join(_ROOTS)} in a namespace of EPCIS")
    prefixes = Prefixes(root.element.scope, header.PREFIXES)
    frame: dict[str, Any] = {"type": root.element.local, **content.members(root.element, prefixes, _EXTENSIONS_ONLY)}
    names, places = [root.element.local], [frame]
    for item in stream:
        if isinstance(item, Closed):
            names.pop()
            places.pop()
        elif isinstance(item, Opened):
            name = _CONTAINERS[names[-1]][item.element.local]
            if name in places[-1]:
                raise _misplaced(item.element, "stands twice")
            if name == "eventList":
                _require_plain(item.element)
                places[-1][name] = []
                break
            places[-1][name] = content.members(item.element, prefixes, _EXTENSIONS_ONLY)
            if "eventList" in places[-1][name]:  # whoever reads the frame may take it for the list
                raise _misplaced(item.element, "has no attribute 'eventList'")
            names.append(item.element.local)
            places.append(places[-1][name])
        elif isinstance(item, Element):
            _add(places[-1], item, prefixes, names[-1])
    if root.element.local == _MASTER_DATA:
        _move_vocabularies(frame, root.element)
    if frame["type"] == "EPCISDocument" and frame.get("epcisBody") == {}:
        frame["epcisBody"] = {"eventList": []}  # a document of master data alone
    frame["@context"] = [context.DEFAULT_CONTEXT, *([prefixes.declared] if prefixes.declared else [])]
    return frame


def _move_vocabularies(frame: dict[str, Any], root: Element) -> None:
    """Where JSON has them: a document of master data is one whose header holds them."""
    if frame["type"] == _MASTER_DATA:  # and not what an attribute calls it
        frame["type"] = "EPCISDocument"
    body, found = frame.get("epcisBody"), frame.setdefault("epcisHeader", {})
    if isinstance(body, dict) and "VocabularyList" in body:
        if not isinstance(found, dict) or "epcisMasterData" in found:
            raise _misplaced(root, "has master data in its header and in its body")
        found["epcisMasterData"] = {"vocabularyList": body.pop("VocabularyList")}


def _add(place: dict[str, Any], element: Element, prefixes: Prefixes, container: str) -> None:
    if element.local == "EPCISHeader" and element.namespace in STANDARD and container in _ROOTS:
        found = header.read(element, prefixes)
        added = {"epcisHeader": found, **header.parties(found)}
    else:
        wrapper = Element("", "", "", element.line, element.scope, [], [element])
        added = content.members(wrapper, prefixes, _KNOWN.get(container, _EXTENSIONS_ONLY))
    for name, value in added.items():
        if name in place:
            raise _misplaced(element, "stands twice")
        place[name] = value


def _events(stream: Iterator[Item]) -> Iterator[LocatedEvent]:
    depth = 0  # of containers within the event list, itself included; 0 = not in it
    seen = False
    for item in stream:
        if isinstance(item, Opened):
            if item.element.local == "EventList":
                if seen:
                    raise _misplaced(item.element, "stands twice")
                seen, depth = True, 1
            elif depth:
                _require_plain(item.element)
                depth += 1
            elif seen:
                raise _misplaced(item.element, "stands behind the event list")
        elif isinstance(item, Closed):
            depth -= 1 if depth else 0
        elif depth:
            yield _event(item)
        elif seen:
            raise _misplaced(item, "stands behind the event list")


def _event(element: Element) -> LocatedEvent:
    prefixes = Prefixes(element.scope)
    kind = content.key(element, prefixes)
    event = LocatedEvent({"type": kind}, line=element.line)
    for name, value in content.members(element, prefixes, EVENT).items():
        event[name] = [kind, value] if name == "type" else value
    prefixes.declare_used_in(event)
    if prefixes.declared:
        event["@context"] = [*context.parts(event.get("@context")), prefixes.declared]
    return event


def _require_plain(element: Element) -> None:
    for one in element.attributes:
        if one.namespace != XSI:
            raise _misplaced(element, f"has no attribute {one.local[:40]!r}")


def _misplaced(element: Element, what: str) -> SourceError:
    return SourceError("xml-misplaced", f"line {element.line}: {element.local[:40]} {what}")
