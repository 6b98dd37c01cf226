"""Master data in a document's header: its elements, each under its canonical name (EPCIS 2.0, 9.5; CBV 2.0, 9)."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from traceability.gs1 import epc
from traceability.gs1.errors import Gs1Error

from . import context

MAX_ELEMENTS = 5_000  # of one document
MAX_ATTRIBUTES = 200  # of one element
MAX_ALL_ATTRIBUTES = 50_000  # of one document
MAX_CHILDREN = 20_000  # of one document
MAX_VALUE = 8_192  # characters; of a structured value, its JSON
MAX_NAME = 256
# Types of EPCIS, which may stand by their bare names; whatever else is a type stands by its URI.
TYPES = frozenset(
    {
        "BizStep", "BusinessLocation", "BusinessStep", "BusinessTransaction", "BusinessTransactionType", "Disposition",
        "EPCClass", "EPCInstance", "ErrorReason", "Location", "Party", "ReadPoint", "SourceDest", "SourceDestType",
    }
)  # fmt: skip
_HEADER = ("epcisHeader", "epcisMasterData", "vocabularyList")
_TYPE_SPELLINGS = ("urn:epcglobal:epcis:vtype:", "https://ref.gs1.org/epcis/", "epcis:")
# The `#` is how EPCIS 1.2 documents of the United States' pharmacies write them (GS1 US, DSCSA guideline R1.3).
_ATTRIBUTE_SPELLINGS = ("urn:epcglobal:cbv:mda:", "urn:epcglobal:cbv:mda#", "cbvmda:", "https://ref.gs1.org/cbv/mda/")


@dataclass(frozen=True)
class Element:
    """What a document says of one thing. `attributes`: by name as `attribute_name` gives it, texts or JSON."""

    uri: str  # canonical
    types: tuple[str, ...]
    attributes: Mapping[str, Any]
    children: tuple[str, ...]

    @property
    def digest(self) -> str:
        """SHA-256 of what is said, whatever the order it was said in; hex."""
        said = [self.uri, self.types, self.attributes, self.children]
        return hashlib.sha256(_json(said).encode()).hexdigest()


def elements(document: Mapping[str, Any]) -> list[Element]:
    """The elements of a valid document, by URI; one that stands in several vocabularies is one element."""
    prefixes = {**context.PREFIXES, **context.declared(document.get("@context"))}
    found: dict[str, Element] = {}
    for kind, raw in _raw(document):
        one = _element(kind, raw, prefixes)
        known = found.get(one.uri)
        found[one.uri] = one if known is None else _joined(known, one)
    return [found[uri] for uri in sorted(found)]


def attribute_name(name: str, prefixes: Mapping[str, str] = context.PREFIXES) -> str:
    """CBV's names bare (`city`), others as full URIs, whichever way they are spelled."""
    for spelling in _ATTRIBUTE_SPELLINGS:
        if name.startswith(spelling):
            return name.removeprefix(spelling)
    prefix, colon, rest = name.partition(":")
    if colon and not rest.startswith("//") and prefix in prefixes:
        full = prefixes[prefix] + rest
        return full if full == name else attribute_name(full, {})
    return name


def full_name(name: str) -> str:
    """The opposite of `attribute_name`: how a document names the attribute without a context of its own."""
    return name if ":" in name else f"{_ATTRIBUTE_SPELLINGS[0]}{name}"


def vocabulary_type(name: str) -> str:
    """EPCIS' own types bare (`EPCClass`), others as they are."""
    for spelling in _TYPE_SPELLINGS:
        if name.startswith(spelling):
            return name.removeprefix(spelling)
    return name


def full_type(name: str) -> str:
    """The opposite of `vocabulary_type`."""
    return name if ":" in name else f"{_TYPE_SPELLINGS[0]}{name}"


def value_key(value: Any) -> str:
    """What equal values of an attribute share; hex. Numbers equal their text, since XML knows texts only."""
    text = value if isinstance(value, str) else _json(value)
    return hashlib.sha256(text.encode()).hexdigest()


def canonical(uri: str) -> str:
    """The one key of an element's identifier; what is no well-formed identifier is its own."""
    try:
        return epc.canonical(uri)
    except Gs1Error:
        return uri


def parents_of(uri: str, attributes: Mapping[str, Any]) -> list[str]:
    """The places in which a place lies by what it is called: the GLN of an extension, the site of a sub-site (CBV)."""
    place, extension, _ = uri.partition("/254/")
    found = [place] if extension else []
    site = attributes.get("site")
    if isinstance(site, str) and site:
        found.append(canonical(f"https://id.gs1.org/414/{site}" if site.isdigit() else site))
    return [parent for parent in dict.fromkeys(found) if parent != uri]


def _raw(document: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    value: Any = document
    for name in _HEADER:
        value = value.get(name) or {}
    for vocabulary in value:
        for element in vocabulary.get("vocabularyElementList") or ():
            yield vocabulary_type(vocabulary["type"]), element


def _element(kind: str, raw: Mapping[str, Any], prefixes: Mapping[str, str]) -> Element:
    attributes: dict[str, Any] = {}
    for attribute in raw.get("attributes") or ():
        _add(attributes, attribute_name(attribute["id"], prefixes), attribute.get("attribute", ""))
    children = {canonical(child) for child in raw.get("children") or ()}
    uri = canonical(raw["id"])
    return Element(uri, (kind,), attributes, tuple(sorted(children - {uri})))


def _joined(one: Element, other: Element) -> Element:
    attributes = dict(one.attributes)
    for name, value in other.attributes.items():
        _add(attributes, name, value)
    return Element(
        uri=one.uri,
        types=tuple(sorted({*one.types, *other.types})),
        attributes=attributes,
        children=tuple(sorted({*one.children, *other.children})),
    )


def _add(attributes: dict[str, Any], name: str, value: Any) -> None:
    """A name that stands more than once holds every value, as a list; the same one twice is one."""
    if name not in attributes:
        attributes[name] = value
        return
    known = attributes[name]
    values: list[Any] = known if isinstance(known, list) else [known]
    keys = {value_key(one) for one in values}
    new = [one for one in (value if isinstance(value, list) else [value]) if value_key(one) not in keys]
    if new:
        attributes[name] = sorted([*values, *new], key=_json)


def _json(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def values_of(value: Any) -> Sequence[Any]:
    """The single values of an attribute."""
    return value if isinstance(value, list) else [value]
