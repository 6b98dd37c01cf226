"""JSON-LD contexts, without ever fetching one: which prefixes a document and an event declare."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

CONTEXT_URLS = frozenset(
    {
        "https://ref.gs1.org/standards/epcis/epcis-context.jsonld",
        "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld",
        "https://ref.gs1.org/standards/epcis/2.0.1/epcis-context.jsonld",
        "https://gs1.github.io/EPCIS/epcis-context.jsonld",
    }
)
DEFAULT_CONTEXT = "https://ref.gs1.org/standards/epcis/epcis-context.jsonld"
# What the EPCIS context itself declares; it is protected, so a document must not give these another meaning.
PREFIXES: Mapping[str, str] = {
    "epcis": "https://ref.gs1.org/epcis/",
    "cbv": "https://ref.gs1.org/cbv/",
    "gs1": "https://ref.gs1.org/voc/",
    "cbvmda": "urn:epcglobal:cbv:mda:",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "owl": "http://www.w3.org/2002/07/owl#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
    "dcterms": "http://purl.org/dc/terms/",
}
_PREFIX = re.compile(r"[A-Za-z_][A-Za-z0-9_.\-]{0,63}")
_ALSO_MEANS = {"gs1": {"https://gs1.org/voc/", "https://www.gs1.org/voc/"}}


def parts(context: Any) -> list[Any]:
    """A `@context` value as a list; a missing one is empty."""
    if context is None:
        return []
    return context if isinstance(context, list) else [context]


def declared(context: Any) -> dict[str, str]:
    """The prefixes that a `@context` value itself declares (well-formed ones only)."""
    found: dict[str, str] = {}
    for part in parts(context):
        if isinstance(part, dict):
            found |= {name: uri for name, uri in part.items() if is_prefix(name) and isinstance(uri, str)}
    return found


def is_prefix(name: str) -> bool:
    """Whether a context may declare `name`: no JSON-LD keyword, nothing that reads like a CURIE itself."""
    return _PREFIX.fullmatch(name) is not None


def expanded(name: str, namespaces: Mapping[str, str]) -> str:
    """A CURIE of a declared prefix as the URI that it stands for; any other name as it is.

    GS1's vocabulary has had several addresses: they come out as one.
    """
    prefix, colon, rest = name.partition(":")
    if not colon:
        return name
    if prefix in namespaces and not rest.startswith("//"):
        name = namespaces[prefix] + rest
    for curie, others in _ALSO_MEANS.items():
        for other in others:
            if name.startswith(other):
                return PREFIXES[curie] + name.removeprefix(other)
    return name


def redefined(context: Any) -> Iterator[str]:
    """The protected prefixes to which `context` gives another meaning."""
    for name, uri in declared(context).items():
        if name in PREFIXES and uri != PREFIXES[name] and uri not in _ALSO_MEANS.get(name, set()):
            yield name


def prefixes_used(value: Any) -> set[str]:
    """The candidate CURIE prefixes of every name and string within `value`."""
    found: set[str] = set()
    todo = [value]
    while todo:
        item = todo.pop()
        if isinstance(item, dict):
            todo.extend(item.values())
            found |= {name.partition(":")[0] for name in item if ":" in name}
        elif isinstance(item, list):
            todo.extend(item)
        elif isinstance(item, str) and ":" in item:
            found.add(item.partition(":")[0])
    return found
