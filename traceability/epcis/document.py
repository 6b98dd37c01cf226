"""From a document to the bare events that are committed (ledger.md, section 5a)."""

from collections.abc import Mapping
from typing import Any

from . import context


def events(document: Mapping[str, Any], *, extensions: Mapping[str, str] | None = None) -> list[dict[str, Any]]:
    """The events of a valid document, each with an `@context` of its own and without recordTime.

    The document's prefixes that an event uses are copied in; nothing else is changed. `extensions` are prefixes
    declared outside it (the header GS1-Extensions).
    """
    body = document["epcisBody"]
    if document["type"] == "EPCISQueryDocument":
        body = body["queryResults"]["resultsBody"]
    outer = [dict(extensions), *context.parts(document.get("@context"))] if extensions else document.get("@context")
    return [bare(event, outer) for event in body["eventList"]]


def bare(event: Mapping[str, Any], outer: Any = None) -> dict[str, Any]:
    """The committed form of an event: own context first, recordTime dropped, everything else as the party wrote it."""
    content = {name: value for name, value in event.items() if name not in {"@context", "recordTime"}}
    own = context.parts(event.get("@context"))
    addresses = [part for part in [*context.parts(outer), *own] if isinstance(part, str)]
    prefixes = {**context.declared(outer), **context.declared(own)}
    if prefixes:
        used = context.prefixes_used(content)
        prefixes = {name: uri for name, uri in prefixes.items() if name in used or name not in context.declared(outer)}
    parts: list[Any] = list(dict.fromkeys(addresses)) or [context.DEFAULT_CONTEXT]
    return {"@context": [*parts, prefixes] if prefixes else parts, **content}
