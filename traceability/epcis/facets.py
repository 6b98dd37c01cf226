"""What of an event queries compare beyond its main members: extensions, sensor values, quantities, declarations.

Each is a facet: a name that says where it stands, and its value as text, number and time (EPCIS 2.0, section 8.2.7.1).
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from . import event as reading
from . import scalar, units, values
from .context import expanded
from .times import time_ms
from .vocabulary import DISPOSITION, ERROR_REASON, MEASUREMENT_TYPE

# Where an extension stands; what is nested within one has the place with a plus sign.
EVENT, ILMD, DECLARATION = "event", "ilmd", "errorDeclaration"
ELEMENT, METADATA, REPORT = "sensorElement", "sensorMetadata", "sensorReport"
READ_POINT, BIZ_LOCATION = "readPoint", "bizLocation"
NESTED = "+"
TEXTS = (
    "type", "deviceID", "dataProcessingMethod", "microorganism", "chemicalSubstance", "bizRules", "stringValue",
    "booleanValue", "hexBinaryValue", "uriValue",
)  # fmt: skip
NUMBERS = ("value", "minValue", "maxValue", "meanValue", "sDev", "percValue")
TIMES = ("time", "startTime", "endTime")
_SENSOR = frozenset({*TEXTS, *NUMBERS, *TIMES, "percRank"})


@dataclass(frozen=True, slots=True)
class Facet:
    """One value under a name. `number` is a rank (`scalar.rank`), `time` in ms since 1970."""

    name: str
    text: str = ""
    number: int | None = None
    time: int | None = None


def name_of(place: str, field: str) -> str:
    """The name under which a field of the full URI `field` is kept."""
    return scalar.text_key(f"{place} {field}")


def measured(name: str, value: Fraction, uom: str) -> tuple[str, int]:
    """The facet name of a value in this unit, and its rank in the unit of its kind; a deviation has no zero."""
    convert = units.difference if name == "sDev" else units.converted
    kind, common = convert(value, uom)
    return f"{name} {kind}", scalar.rank(common)


def facets(event: Mapping[str, Any]) -> list[Facet]:
    """The facets of a valid event, each once, in order; an event of the standard's main members alone has none."""
    return list(dict.fromkeys(_facets(event, reading.namespaces(event))))


def _facets(event: Mapping[str, Any], namespaces: Mapping[str, str]) -> Iterator[Facet]:
    yield from _fields(EVENT, reading.extensions(event), namespaces)
    yield from _fields(ILMD, event.get("ilmd") or {}, namespaces)
    for place in (READ_POINT, BIZ_LOCATION):
        if len(where := event.get(place) or {}) > 1:
            yield from _fields(place, _own(where, {"id"}), namespaces)
    yield from _members(event, namespaces)
    yield from _declaration(event.get("errorDeclaration"), namespaces)
    if elements := event.get("sensorElementList"):
        sensed = list(_sensors(elements, namespaces))
        yield from (facet for facet in sensed if facet.time is None or " " in facet.name)
        yield from _outermost(facet for facet in sensed if facet.time is not None and " " not in facet.name)


def _members(event: Mapping[str, Any], namespaces: Mapping[str, str]) -> Iterator[Facet]:
    if transformation := event.get("transformationID"):
        yield Facet("transformationID", scalar.text_key(transformation))
    persistent = event.get("persistentDisposition") or {}
    for change in ("set", "unset"):
        for word in persistent.get(change, ()):
            yield Facet(f"persistentDisposition {change}", reading.term(DISPOSITION, word, namespaces))
    for name in ("quantityList", "childQuantityList", "inputQuantityList", "outputQuantityList"):
        for element in event.get(name, ()):
            amount = scalar.number(element.get("quantity"))
            if amount is not None:
                yield Facet("quantity", number=scalar.rank(amount))
                if uom := element.get("uom"):
                    kind, rank = measured("quantity", amount, uom)
                    yield Facet(kind, number=rank)


def _declaration(declaration: Mapping[str, Any] | None, namespaces: Mapping[str, str]) -> Iterator[Facet]:
    if declaration is None:
        return
    yield Facet("declarationTime", time=time_ms(declaration["declarationTime"]))
    if reason := declaration.get("reason"):
        yield Facet("errorReason", reading.term(ERROR_REASON, reason, namespaces))
    for identifier in declaration.get("correctiveEventIDs", ()):
        yield Facet("correctiveEventID", scalar.text_key(identifier))
    yield from _fields(DECLARATION, _own(declaration, {"declarationTime", "reason", "correctiveEventIDs"}), namespaces)


def _sensors(elements: Iterable[Mapping[str, Any]], namespaces: Mapping[str, str]) -> Iterator[Facet]:
    for element in elements:
        yield Facet("sensorElementList")
        yield from _fields(ELEMENT, _own(element, {"sensorMetadata", "sensorReport"}), namespaces)
        metadata = element.get("sensorMetadata") or {}
        yield from _sensed(METADATA, metadata, namespaces)
        for report in element["sensorReport"]:
            yield from _sensed(REPORT, report, namespaces)


def _sensed(place: str, part: Mapping[str, Any], namespaces: Mapping[str, str]) -> Iterator[Facet]:
    for name, value in part.items():
        if name in TIMES:
            yield Facet(name, time=time_ms(value))
        elif name in NUMBERS:
            if (exact := scalar.number(value)) is not None:
                kind, rank = measured(name, exact, part.get("uom", ""))
                yield Facet(kind, number=rank)
        elif name == "percRank":
            if (exact := scalar.number(value)) is not None:
                yield Facet(name, number=scalar.rank(exact))
        elif name in TEXTS:
            yield Facet(name, sensor_text(name, value))
        elif ":" in name:
            yield from _field(place, name, value, namespaces)


def sensor_text(name: str, value: Any) -> str:
    """A text of a sensor report in the spelling that is compared: bare types, lower-case hexadecimal and booleans."""
    text = value if isinstance(value, str) else json.dumps(value)
    if name == "type":
        text = MEASUREMENT_TYPE.bare(text)
    return scalar.text_key(text.lower() if name in {"booleanValue", "hexBinaryValue"} else text)


def _outermost(times: Iterable[Facet]) -> Iterator[Facet]:
    """Of many readings only the first and the last time: a comparison with either bound needs no other."""
    by_name: dict[str, list[int]] = {}
    for facet in times:
        by_name.setdefault(facet.name, []).append(facet.time or 0)
    for name, all_times in by_name.items():
        yield Facet(name, time=min(all_times))
        yield Facet(name, time=max(all_times))


def _own(part: Mapping[str, Any], standard: set[str]) -> dict[str, Any]:
    return {name: value for name, value in part.items() if name not in standard}


def _fields(place: str, members: Mapping[str, Any], namespaces: Mapping[str, str]) -> Iterator[Facet]:
    for name, value in members.items():
        if ":" in name:
            yield from _field(place, name, value, namespaces)


def _field(place: str, name: str, value: Any, namespaces: Mapping[str, str]) -> Iterator[Facet]:
    key = name_of(place, expanded(name, namespaces))
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, dict):
            yield Facet(key)
            if "@value" in item:
                yield scalar_facet(key, item["@value"])
            inner = place if place.endswith(NESTED) else place + NESTED
            yield from _fields(inner, item, namespaces)
        elif isinstance(item, list):
            yield Facet(key)
        else:
            yield scalar_facet(key, item)


def scalar_facet(name: str, value: Any) -> Facet:
    """The facet of one JSON scalar; a text that spells a number or a time is that too, as XML knows texts only."""
    exact = scalar.number(value)
    text = value if isinstance(value, str) else json.dumps(value)
    return Facet(
        name,
        scalar.text_key(text),
        None if exact is None else scalar.rank(exact),
        time_ms(text) if values.is_time(text) else None,
    )
