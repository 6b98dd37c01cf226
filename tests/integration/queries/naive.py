"""SimpleEventQuery once more, naively, over the JSON of events: the oracle. It shares no code with the engine.

Identifiers of the world below come in pairs of spellings, so that no translation is needed here.
"""

from collections.abc import Iterator
from datetime import datetime
from fractions import Fraction
from typing import Any

EX = "https://ns.example.com/epcis/"
PACKS = {f"https://id.gs1.org/01/0952100000{n}/21/{s}": f"urn:epc:id:sgtin:9521000.{r}.{s}"
         for n, r in (("1008", "000100"), ("2005", "000200")) for s in ("1", "2", "A")}  # fmt: skip
LOTS = {f"https://id.gs1.org/01/0952100000{n}/10/{s}": f"urn:epc:class:lgtin:9521000.{r}.{s}"
        for n, r in (("1008", "000100"), ("2005", "000200")) for s in ("L1", "L2")}  # fmt: skip
CASES = {"https://id.gs1.org/00/095210001234567896": "urn:epc:id:sscc:9521000.0123456789"}
SITES = {"https://id.gs1.org/414/9521000000100": "urn:epc:id:sgln:9521000.00010.0",
         "https://id.gs1.org/414/9521000000209": "urn:epc:id:sgln:9521000.00020.0"}  # fmt: skip
PARTIES = {"https://id.gs1.org/417/9521000000100": "urn:epc:id:pgln:9521000.00010",
           "https://id.gs1.org/417/9521000000209": "urn:epc:id:pgln:9521000.00020"}  # fmt: skip
_ONE = {urn: link for pairs in (PACKS, LOTS, CASES, SITES, PARTIES) for link, urn in pairs.items()}
_CBV = ("https://ref.gs1.org/cbv/BizStep-", "urn:epcglobal:cbv:bizstep:", "https://ref.gs1.org/cbv/Disp-",
        "urn:epcglobal:cbv:disp:", "https://ref.gs1.org/cbv/BTT-", "urn:epcglobal:cbv:btt:", "urn:epcglobal:cbv:sdt:",
        "https://ref.gs1.org/cbv/SDT-", "https://ref.gs1.org/cbv/ER-", "urn:epcglobal:cbv:er:", "gs1:")  # fmt: skip
_EPC_LISTS = {"epc": ("epcList", "childEPCs"), "parentID": ("parentID",), "inputEPC": ("inputEPCList",),
              "outputEPC": ("outputEPCList",),
              "anyEPC": ("epcList", "childEPCs", "parentID", "inputEPCList", "outputEPCList")}  # fmt: skip
_CLASS_LISTS = {"epcClass": ("quantityList", "childQuantityList"),
                "inputEPCClass": ("inputQuantityList",),
                "outputEPCClass": ("outputQuantityList",),
                "anyEPCClass": ("quantityList", "childQuantityList", "inputQuantityList",
                                "outputQuantityList")}  # fmt: skip
_KELVIN = {"CEL": (Fraction(1), Fraction("273.15")), "KEL": (Fraction(1), Fraction(0)),
           "FAH": (Fraction(5, 9), Fraction("273.15") - Fraction(160, 9))}  # fmt: skip
_GRAMS = {"KGM": 1000, "GRM": 1}
_PLACES = {"ILMD": "ilmd", "ERROR": "errorDeclaration", "SENSORREPORT": "sensorReport", "readPoint": "readPoint"}


def matches(event: dict[str, Any], parameters: dict[str, list[str]]) -> bool:
    """Whether the event satisfies every parameter."""
    return all(_holds(event, name, values) for name, values in parameters.items())


def _holds(event: dict[str, Any], name: str, values: list[str]) -> bool:
    verb, _, rest = name.partition("_")
    if name == "eventType":
        return event["type"] in values
    if verb == "MATCH":
        return _match(event, rest, values)
    if rest in {"eventTime", "recordTime"}:
        return _ordered(verb, _at(event[rest]), _at(values[0]))
    if rest in {"errorDeclarationTime", "errorDeclaration_Time"}:
        declared = event.get("errorDeclaration")
        return bool(declared) and _ordered(verb, _at(declared["declarationTime"]), _at(values[0]))
    if name in {"EXISTS_errorDeclaration", "EXISTS_sensorElementList"}:
        return (rest in event) == (values[0] != "false")
    if rest in {"readPoint", "bizLocation"}:
        return rest in event and _link(event[rest]["id"]) in {_link(one) for one in values}
    if rest in {"time", "startTime", "endTime"}:
        return any(_ordered(verb, _at(one), _at(values[0])) for one in _sensed(event, rest))
    if rest.startswith(("bizTransaction", "source", "destination")):
        return _typed(event, *rest.partition("_")[::2], values)
    if ":" in rest:
        return _extension(event, verb, rest, values)
    if rest == "quantity" or rest.startswith("quantity_"):
        return any(_amount(event, verb, rest.partition("_")[2], Fraction(value)) for value in values)
    if "_" in rest and rest.partition("_")[0] in {"value", "minValue", "maxValue", "meanValue", "sDev"}:
        return any(_value(event, verb, *rest.partition("_")[::2], Fraction(value)) for value in values)
    asked = {_bare(one).lower() if rest == "booleanValue" else _bare(one) for one in values}
    return bool(asked & {_bare(one) for one in _texts(event, rest)})


def _texts(event: dict[str, Any], name: str) -> list[str]:
    declaration, persistent = event.get("errorDeclaration", {}), event.get("persistentDisposition", {})
    if name in {"type", "deviceID", "stringValue", "booleanValue"}:
        return [str(one).lower() if isinstance(one, bool) else one for one in _sensed(event, name)]
    several = {"correctiveEventID": declaration.get("correctiveEventIDs", []),
               "persistentDisposition_set": persistent.get("set", []),
               "persistentDisposition_unset": persistent.get("unset", [])}  # fmt: skip
    if name in several:
        return list(several[name])
    found = declaration.get("reason") if name == "errorReason" else event.get(name)
    return [found] if found else []


def _match(event: dict[str, Any], kind: str, values: list[str]) -> bool:
    if kind in _EPC_LISTS:
        lists = [event.get(name, []) for name in _EPC_LISTS[kind]]
        named = [one for part in lists for one in ([part] if isinstance(part, str) else part)]
    else:
        named = [one["epcClass"] for name in _CLASS_LISTS[kind] for one in event.get(name, [])]
    links = {_link(one) for one in named}
    return any(_link(value) in links or any(link.startswith(_start(value)) for link in links) for value in values)


def _start(value: str) -> str:
    """What the keys begin with that a pattern matches."""
    if value.startswith("urn:epc:idpat:sgtin:9521000.000100."):
        return "https://id.gs1.org/01/09521000001008/21/"
    if value == "urn:epc:idpat:sgtin:*.*.*":
        return "https://id.gs1.org/01/"
    is_item = value.startswith("https://id.gs1.org/01/") and value.count("/") == 4
    return f"{value}/" if is_item else "no prefix"


def _typed(event: dict[str, Any], member: str, kind: str, values: list[str]) -> bool:
    return any(
        (not kind or _bare(item.get("type", "")) == _bare(kind))
        and _link(item[member]) in {_link(one) for one in values}
        for item in event.get(f"{member}List", [])
    )


def _extension(event: dict[str, Any], verb: str, rest: str, values: list[str]) -> bool:
    inner, rest = rest.startswith("INNER_"), rest.removeprefix("INNER_")
    place = next((mark for mark in _PLACES if rest.startswith(f"{mark}_")), None)
    field = rest.removeprefix("ERROR_DECLARATION_").removeprefix(f"{place}_") if place else rest
    found = [one for part in _parts(event, place) for one in _named(part, field.replace("example:", EX), inner, 0)]
    if verb == "EXISTS":
        return bool(found) == (values[0] != "false")
    scalars = [one for one in found if not isinstance(one, dict)]
    if verb == "EQ":
        return any(str(one) in values for one in scalars)
    if "T" in values[0]:
        return any(_ordered(verb, _at(one), _at(values[0])) for one in scalars if "T" in str(one))
    numbers = [Fraction(str(one)) for one in scalars if str(one).lstrip("-").replace(".", "").isdigit()]
    return any(_ordered(verb, one, Fraction(values[0])) for one in numbers)


def _parts(event: dict[str, Any], place: str | None) -> list[dict[str, Any]]:
    if place is None:
        return [{name: value for name, value in event.items() if name.startswith("example:")}]
    if place == "SENSORREPORT":
        return [report for element in event.get("sensorElementList", []) for report in element["sensorReport"]]
    return [event.get(_PLACES[place], {})]


def _named(part: dict[str, Any], field: str, inner: bool, depth: int) -> Iterator[Any]:
    for name, value in part.items():
        if ":" not in name:
            continue
        full = name.replace("example:", EX).replace("cbvmda:", "urn:epcglobal:cbv:mda:")
        for one in value if isinstance(value, list) else [value]:
            if full == field.replace("cbvmda:", "urn:epcglobal:cbv:mda:") and (depth > 0) == inner:
                yield one
            if isinstance(one, dict):
                yield from _named(one, field, inner, depth + 1)


def _sensed(event: dict[str, Any], name: str) -> list[Any]:
    parts = [part for element in event.get("sensorElementList", [])
             for part in (element.get("sensorMetadata", {}), *element["sensorReport"])]  # fmt: skip
    return [part[name] for part in parts if name in part]


def _value(event: dict[str, Any], verb: str, name: str, uom: str, asked: Fraction) -> bool:
    reports = [report for element in event.get("sensorElementList", []) for report in element["sensorReport"]]
    numbers = [(Fraction(str(one[name])), one.get("uom")) for one in reports if name in one]
    in_kelvin = [_kelvin(number, unit, name) for number, unit in numbers if unit in _KELVIN]
    return uom in _KELVIN and any(_ordered(verb, number, _kelvin(asked, uom, name)) for number in in_kelvin)


def _kelvin(number: Fraction, uom: str, name: str) -> Fraction:
    factor, zero = _KELVIN[uom]
    return number * factor + (0 if name == "sDev" else zero)


def _amount(event: dict[str, Any], verb: str, uom: str, asked: Fraction) -> bool:
    items = [one for name in _CLASS_LISTS["anyEPCClass"] for one in event.get(name, []) if "quantity" in one]
    if not uom:
        return any(_ordered(verb, Fraction(str(one["quantity"])), asked) for one in items)
    return any(
        _ordered(verb, Fraction(str(one["quantity"])) * _GRAMS[one["uom"]], asked * _GRAMS[uom])
        for one in items
        if "uom" in one
    )


def _ordered(verb: str, one: Any, other: Any) -> bool:
    return {"EQ": one == other, "GT": one > other, "GE": one >= other, "LT": one < other, "LE": one <= other}[verb]


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def _link(text: str) -> str:
    return _ONE.get(text, text)


def _bare(term: str) -> str:
    for prefix in _CBV:
        if term.startswith(prefix):
            return term.removeprefix(prefix)
    return term.replace("example:", EX)
