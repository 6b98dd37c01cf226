"""EPCIS documents from their JSON form to XML, 2.0 and 1.2 (EPCIS 2.0 and 1.2, section 9).

The other way of `reader`, and its inverse: what is written reads back as the same events. Nothing is left out. In
extensions XML has no types and no lists of one: 12 reads back as "12", ["a"] as "a", [] is no element (in JSON-LD none
of these says anything else), and an object without members reads back as an empty text.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any, Literal

from traceability.epcis import context
from traceability.epcis import vocabulary as cbv

from . import header, placing
from .markup import Names, WriteError, each, element, extensions, scalar, text
from .names import EPCIS_1, EPCIS_2, QUERY_1, QUERY_2, XSI
from .spelling import Spelling

Version = Literal["2.0", "1.2"]
_EPC_LISTS = ("epcList", "childEPCs", "inputEPCList", "outputEPCList")
_QUANTITY_LISTS = ("quantityList", "childQuantityList", "inputQuantityList", "outputQuantityList")
_REPORT_TERMS = {"type": cbv.MEASUREMENT_TYPE, "component": cbv.COMPONENT, "exception": cbv.SENSOR_EXCEPTION}


def write(
    document: Mapping[str, Any], *, version: Version = "2.0", spelling: Spelling | None = None
) -> Iterator[bytes]:
    """The pieces of a valid EPCISDocument or EPCISQueryDocument in XML, in UTF-8; WriteError where XML cannot carry it.

    Its `eventList` may be any iterable; one event is held at a time. `epcisHeader` is written, and a business header
    made of sender, receiver and instanceIdentifier where it has none.
    """
    spelling = spelling or Spelling()
    query = document["type"] == "EPCISQueryDocument"
    names = Names({**context.declared(document.get("@context")), **header.NAMESPACES})
    first = version == "1.2"
    namespaces = [("xmlns:epcis", EPCIS_1 if first else EPCIS_2), ("xmlns:xsi", XSI)]
    if query:
        namespaces.append(("xmlns:epcisq", QUERY_1 if first else QUERY_2))
    root = "epcisq:EPCISQueryDocument" if query else "epcis:EPCISDocument"
    attributes, head = (
        _members_of_document(document, names),
        header.written(document, names, version=version, spelling=spelling),
    )
    started = element(root, "", [*namespaces, *names.declarations(), ("schemaVersion", version), *attributes])
    yield f'<?xml version="1.0" encoding="UTF-8"?>\n{started.removesuffix("/>")}>\n{head}<EPCISBody>'.encode()
    body = document["epcisBody"]
    if query:
        results = body["queryResults"]
        opening = "".join(
            element(name, text(results[name])) for name in ("queryName", "subscriptionID") if name in results
        )
        yield f"<epcisq:QueryResults>{opening}<resultsBody>".encode()
        body = results["resultsBody"]
    yield b"<EventList>\n"
    yield from _events(body["eventList"], document, version, spelling)
    yield b"</EventList>"
    yield b"</resultsBody></epcisq:QueryResults>" if query else b""
    yield f"</EPCISBody>\n</{root}>\n".encode()


def _events(
    events: Iterable[Mapping[str, Any]], document: Mapping[str, Any], version: Version, spelling: Spelling
) -> Iterator[bytes]:
    outer = context.declared(document.get("@context"))
    for index, event in enumerate(events):
        try:
            yield (_Event(event, outer, spelling).written(version) + "\n").encode()
        except WriteError as error:
            raise WriteError(error.code, f"event {index}: {error.detail}") from error


class _Event:
    """One event on its way into XML."""

    def __init__(self, event: Mapping[str, Any], outer: Mapping[str, str], spelling: Spelling) -> None:
        self._event = event
        self._names = Names({**outer, **context.declared(event.get("@context"))})
        self._spelling = spelling
        self._write: dict[str, Callable[[Any], str]] = {
            "bizStep": lambda value: text(spelling.term(cbv.BIZ_STEP, value)),
            "disposition": self._disposition,
            "parentID": self._epc,
            **dict.fromkeys(("readPoint", "bizLocation"), self._place),
            **dict.fromkeys(_EPC_LISTS, lambda value: each("epc", map(self._epc, value))),
            **dict.fromkeys(_QUANTITY_LISTS, lambda value: each("quantityElement", map(self._quantity, value))),
            "bizTransactionList": self._typed("bizTransaction", cbv.BIZ_TRANSACTION_TYPE, self._epc),
            "sourceList": self._typed("source", cbv.SOURCE_DESTINATION_TYPE, self._epc),
            "destinationList": self._typed("destination", cbv.SOURCE_DESTINATION_TYPE, self._epc),
            "errorDeclaration": self._declaration,
            "persistentDisposition": self._persistent,
            "sensorElementList": lambda value: each("sensorElement", map(self._sensor_element, value)),
            "ilmd": lambda value: extensions(value, self._names),
        }

    def written(self, version: Version) -> str:
        event, kind = self._event, self._event["type"]
        standard = kind in placing.EVENTS_2_0
        if standard:
            places = (placing.EVENTS_2_0 if version == "2.0" else placing.EVENTS_1_2)[kind]
        else:
            places = placing.EXTENDED[version]
        required = placing.REQUIRED.get(kind, "")
        known = {"type", "@context", *_members(places)}
        content = self._placed(places, required)
        content += extensions({name: value for name, value in event.items() if name not in known}, self._names)
        self._names.declare_used_in({name: value for name, value in event.items() if name != "@context"})
        if not standard:
            name, attributes = self._names.tag(kind)
            return element(name, content, [*attributes, *self._names.declarations()])
        written = element(kind, content, self._names.declarations())
        for _ in range(placing.DEPTH_1_2.get(kind, 0) if version == "1.2" else 0):
            written = element("extension", written)
        return written

    def _placed(self, places: Iterable[placing.Place], required: str) -> str:
        found = ""
        for place in places:
            if isinstance(place, tuple):
                inner = self._placed(place[1], required)
                found += element(place[0], inner) if inner else ""
            elif place in self._event:
                value = self._event[place]
                found += self._member(place, value) if value or place not in placing.NEVER_EMPTY else ""
            elif place == required:
                found += element(place)
        return found

    def _member(self, name: str, value: Any) -> str:
        if name == "certificationInfo":
            return "".join(element(name, text(one)) for one in (value if isinstance(value, list) else [value]))
        return element(name, self._write.get(name, text)(value))

    def _epc(self, value: str) -> str:
        return text(self._spelling.epc(value))

    def _disposition(self, value: str) -> str:
        return text(self._spelling.term(cbv.DISPOSITION, value))

    def _place(self, value: Mapping[str, Any]) -> str:
        return element("id", self._epc(value["id"])) + self._extensions_but(value, "id")

    def _quantity(self, value: Mapping[str, Any]) -> str:
        found = element("epcClass", self._epc(value["epcClass"]))
        if "quantity" in value:
            found += element("quantity", format(Decimal(repr(value["quantity"])), "f"))
        elif "uom" in value:  # the schema has no uom without a quantity
            found += element("quantity", "", [("xsi:nil", "true")])
        return found + (element("uom", text(value["uom"])) if "uom" in value else "")

    def _typed(self, name: str, vocabulary: cbv.Vocabulary, write: Callable[[str], str]) -> Callable[[Any], str]:
        def written(values: Iterable[Mapping[str, str]]) -> str:
            found = ""
            for one in values:
                kind = [("type", self._spelling.term(vocabulary, one["type"]))] if "type" in one else []
                found += element(name, write(one[name]), kind)
            return found

        return written

    def _declaration(self, value: Mapping[str, Any]) -> str:
        found = element("declarationTime", text(value["declarationTime"]))
        if "reason" in value:
            found += element("reason", text(self._spelling.term(cbv.ERROR_REASON, value["reason"])))
        if "correctiveEventIDs" in value:
            corrective = each("correctiveEventID", map(text, value["correctiveEventIDs"]))
            found += element("correctiveEventIDs", corrective)
        return found + self._extensions_but(value, "declarationTime", "reason", "correctiveEventIDs")

    def _persistent(self, value: Mapping[str, Any]) -> str:
        return "".join(each(name, map(self._disposition, value.get(name, ()))) for name in ("unset", "set"))

    def _sensor_element(self, value: Mapping[str, Any]) -> str:
        found = ""
        if "sensorMetadata" in value:
            found += self._attributed("sensorMetadata", value["sensorMetadata"], {})
        found += "".join(self._attributed("sensorReport", one, _REPORT_TERMS) for one in value["sensorReport"])
        return found + self._extensions_but(value, "sensorMetadata", "sensorReport")

    def _attributed(self, name: str, value: Mapping[str, Any], terms: Mapping[str, cbv.Vocabulary]) -> str:
        """An element whose members are attributes; what cannot be one stands in it as an element."""
        attributes: dict[str, str] = {}
        inner = {}
        for member, one in value.items():
            qualified = self._names.name(member)
            if qualified is None or qualified in attributes or not isinstance(one, str | int | float):
                inner[member] = one
            else:
                word = self._spelling.term(terms[member], str(one)) if member in terms else scalar(one)
                attributes[qualified] = word
        return element(name, extensions(inner, self._names), attributes.items())

    def _extensions_but(self, value: Mapping[str, Any], *known: str) -> str:
        return extensions({name: one for name, one in value.items() if name not in known}, self._names)


def _members(places: Iterable[placing.Place]) -> Iterator[str]:
    for place in places:
        if isinstance(place, tuple):
            yield from _members(place[1])
        else:
            yield place


def _members_of_document(document: Mapping[str, Any], names: Names) -> Iterable[tuple[str, str]]:
    """The attributes of the root: creationDate, id, and members of someone's own that are no more than a text."""
    known = {"@context", "type", "schemaVersion", "epcisBody", "epcisHeader", *header.PARTIES}
    found: dict[str, str] = {}
    for name, value in document.items():
        if name in known:
            continue
        qualified = names.name(name)
        if qualified is None or qualified in found or not isinstance(value, str | int | float):
            raise WriteError("xml-document-member", f"{name[:80]!r} of the document has no place in XML")
        found[qualified] = scalar(value)
    return found.items()
