"""From a document to the bare events that are committed (ledger.md, section 5a)."""

from collections.abc import Mapping
from typing import Any

from . import context


def events(document: Mapping[str, Any], *, extensions: Mapping[str, str] | None = None) -> list[dict[str, Any]]:
    """The committed form of all events of a valid document that is in memory."""
    body = document["epcisBody"]
    if document["type"] == "EPCISQueryDocument":
        body = body["queryResults"]["resultsBody"]
    outer = outer_context(document, extensions)
    return [bare(event, outer) for event in body["eventList"]]


def outer_context(frame: Mapping[str, Any], extensions: Mapping[str, str] | None = None) -> Any:
    """What a document declares for its events; `extensions` are declared outside it (the header GS1-Extensions)."""
    own = frame.get("@context")
    return [dict(extensions), *context.parts(own)] if extensions else own


def bare(event: Mapping[str, Any], outer: Any = None) -> dict[str, Any]:
    """The committed form of an event: own context first, recordTime dropped, everything else as the party wrote it.

    `outer` is the context around it (`outer_context`): the prefixes that the event uses are copied in.
    """
    content = {name: value for name, value in event.items() if name not in {"@context", "recordTime"}}
    own = context.parts(event.get("@context"))
    addresses = [part for part in [*context.parts(outer), *own] if isinstance(part, str)]
    prefixes = {**context.declared(outer), **context.declared(own)}
    if prefixes:
        used = context.prefixes_used(content)
        prefixes = {name: uri for name, uri in prefixes.items() if name in used or name not in context.declared(outer)}
    parts: list[Any] = list(dict.fromkeys(addresses)) or [context.DEFAULT_CONTEXT]
    return {"@context": [*parts, prefixes] if prefixes else parts, **content}
