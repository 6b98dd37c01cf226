"""Our own validator of EPCIS 2.0 documents and events in JSON (EPCIS 2.0 sections 7 and 10, CBV 2.0).

It collects every fault with the event's place, a JSON pointer, a stable code and plain words, takes any JSON value
without raising, and includes the rules that the published schemas leave out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from . import context, rules, values
from .envelope import DOCUMENT, QUERY_DOCUMENT
from .faults import MAX_FAULTS, Fault, Faults
from .shapes import EVENTS, EXTENDED
from .source import LocatedEvent
from .values import Scope

DOCUMENTS = ("EPCISDocument", "EPCISQueryDocument")
_LIST = ("epcisBody", "eventList")
_QUERY_LIST = ("epcisBody", "queryResults", "resultsBody", "eventList")
# The standard's own members must not be given another meaning by a context.
TERMS = frozenset(EXTENDED.members) | frozenset(DOCUMENT.members)


def validate_document(
    document: Any, *, cbv_compliant: bool = False, extensions: Mapping[str, str] | None = None
) -> list[Fault]:
    """All faults of an EPCISDocument or EPCISQueryDocument; an empty list means valid.

    `extensions` are prefixes declared outside the document (the header GS1-Extensions).
    """
    check = DocumentCheck(document, cbv_compliant=cbv_compliant, extensions=extensions)
    found = list(check.faults)
    for index, event in enumerate(_event_list(document, check.path)):
        found += check.event(index, event)
        if len(found) > MAX_FAULTS:
            return [*found[:MAX_FAULTS], Fault(None, "", "more-faults", f"there are more than {MAX_FAULTS} faults")]
    return found


class DocumentCheck:
    """A document checked piece by piece: `faults` are those of its frame, then come the events in their order."""

    def __init__(self, frame: Any, *, cbv_compliant: bool, extensions: Mapping[str, str] | None = None) -> None:
        faults, self._scope = _start(cbv_compliant, extensions)
        self.path: tuple[str, ...] = _LIST
        self.faults = faults.found
        if not values.is_object(frame, self._scope):
            return
        is_query = frame.get("type") == "EPCISQueryDocument"
        self.path = _QUERY_LIST if is_query else _LIST
        own = _check_context(frame.get("@context"), self._scope, required=True)
        self._scope.prefixes |= own.keys()
        (QUERY_DOCUMENT if is_query else DOCUMENT)(frame, self._scope)
        if "type" in frame and frame["type"] not in DOCUMENTS:
            with faults.at("type"):
                self._scope.add("document-type", f"must be {' or '.join(DOCUMENTS)}")

    def event(self, index: int, event: Any) -> list[Fault]:
        """All faults of the event at this place (from 0) of the list."""
        faults = Faults(index, [*self.path, index])
        _check_event(event, Scope(faults, self._scope.prefixes, cbv_compliant=self._scope.cbv_compliant))
        if faults.found and isinstance(event, LocatedEvent):
            return [
                replace(one, message=f"{one.message} (the event begins in line {event.line})") for one in faults.found
            ]
        return faults.found


def validate_event(
    event: Any, *, cbv_compliant: bool = False, extensions: Mapping[str, str] | None = None
) -> list[Fault]:
    """All faults of one bare event, which must carry its own `@context`."""
    faults, scope = _start(cbv_compliant, extensions)
    faults.event_index = 0
    if values.is_object(event, scope):
        _check_event(event, scope, alone=True)
    return faults.found


def _start(cbv_compliant: bool, extensions: Mapping[str, str] | None) -> tuple[Faults, Scope]:
    faults = Faults()
    return faults, Scope(faults, frozenset({*context.PREFIXES, *(extensions or {})}), cbv_compliant=cbv_compliant)


def _check_context(value: Any, scope: Scope, *, required: bool) -> dict[str, str]:
    """Notes what is wrong with a `@context`; the prefixes that it declares."""
    parts = context.parts(value)
    with scope.faults.at("@context"):
        if required and not any(isinstance(part, str) and part in context.CONTEXT_URLS for part in parts):
            scope.add("context-missing", f"needs the EPCIS context, {context.DEFAULT_CONTEXT}")
        for part in parts:
            if isinstance(part, dict):
                _check_prefixes(part, scope)
            elif not isinstance(part, str):
                scope.add("context", "holds context addresses and objects of prefix to URI")
            elif part not in context.CONTEXT_URLS:
                scope.add("context-unknown", f"{part[:200]!r} is not fetched; declare its prefixes in the document")
        for prefix in context.redefined(value):
            scope.add("context-protected", f"the prefix {prefix!r} has its meaning from the EPCIS context")
    return context.declared(value)


def _check_prefixes(part: Mapping[str, Any], scope: Scope) -> None:
    for name, uri in part.items():
        with scope.faults.at(name):
            if name in ("@version", "@protected"):
                continue
            if not context.is_prefix(name) or name in TERMS:
                scope.add("context", "only prefixes of your own can be declared")
            else:
                values.uri(uri, scope)


def _event_list(document: Mapping[str, Any], path: Sequence[str]) -> list[Any]:
    value: Any = document
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value if isinstance(value, list) else []


def _check_event(event: Any, outer: Scope, *, alone: bool = False) -> None:
    if not values.is_object(event, outer):
        return
    scope = outer
    if alone or "@context" in event:
        own = _check_context(event.get("@context"), outer, required=alone)
        scope = Scope(outer.faults, outer.prefixes | own.keys(), cbv_compliant=outer.cbv_compliant)
    kind = event.get("type")
    shape = EVENTS.get(kind) if isinstance(kind, str) else None
    if shape is not None:
        shape(event, scope)
        rules.check_content(str(kind), event, scope)
    else:
        if not isinstance(kind, str) or not values.is_declared_name(kind, scope):
            with scope.faults.at("type"):
                scope.add("event-type", "must be an event type of EPCIS, or one of your own as URI or CURIE")
        EXTENDED(event, scope)
    rules.check_persistent(event, scope)
    rules.check_compliance(event, scope)
    rules.check_sensors(event, scope)
