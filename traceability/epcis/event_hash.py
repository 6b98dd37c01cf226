"""The event hash of CBV 2.0 (section 8.9): one name for an event in whatever syntax and spelling it came. PURE.

An extra identifier, never a proof: what we sign and commit to is our own canonical form. Where implementations of the
standard agree, so does this one (tests/vectors/epcis); where they differ, it follows the standard's table.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from hashlib import sha256
from typing import Any

from traceability.gs1 import epc
from traceability.gs1.digital_link import CANONICAL_DOMAIN
from traceability.gs1.errors import Gs1Error

from . import values, vocabulary
from .event import namespaces
from .vocabulary import Vocabulary

_Namespaces = Mapping[str, str]
_Leaf = Callable[[Any, _Namespaces], str]
_HASH = re.compile(r"ni:///sha-256;[0-9a-f]{64}\?ver=CBV2\.0")
_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)", re.ASCII)
_DECIMAL = re.compile(r"-?(?:0|[1-9]\d*)\.\d+", re.ASCII)
# Qualifiers that a Digital Link may carry and that the constrained form leaves out.
_LEFT_OUT = re.compile(r"/(?:7040|8019)/.*")
_LEFT_OUT_MEMBERS = frozenset({"rdfs:comment", "http://www.w3.org/2000/01/rdf-schema#comment"})
_VOCABULARY = "https://gs1.org/voc/"
_OTHER_VOCABULARY = "https://ref.gs1.org/voc/"


def event_hash(event: Mapping[str, Any]) -> str:
    """The hash, a `ni:` URI, of a valid event that carries its own `@context` (`document.bare`)."""
    return f"ni:///sha-256;{sha256(prehash(event).encode()).hexdigest()}?ver=CBV2.0"


def is_event_hash(uri: str) -> bool:
    """Whether `uri` has the form of what `event_hash` returns."""
    return _HASH.fullmatch(uri) is not None


def prehash(event: Mapping[str, Any]) -> str:
    """The text that is hashed: `name=value` in the standard's order, lists sorted, nothing in between."""
    names = namespaces(event)
    kind = event["type"]
    parts = [f"eventType={_expanded(kind, names)}"]
    parts += [render(event[name], names) for name, render in _MEMBERS.items() if name in event]
    parts += _extensions(event, names, leave=_NO_EXTENSIONS)
    return "".join(parts)


def _text(value: Any, names: _Namespaces) -> str:
    """Any single value: numbers without needless zeros, times in UTC, GS1 keys as constrained Digital Links."""
    if isinstance(value, str):
        return _of_string(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return _number(Decimal(repr(value)) if isinstance(value, float) else Decimal(value))


# Device, place and lot come again and again; the function is pure.
@lru_cache(maxsize=4096)
def _of_string(value: str) -> str:
    value = value.strip()
    if value[:8].lower().startswith(("urn:epc:", "http://", "https://")):
        return _key(value)
    if match := _TIME.fullmatch(value):
        return _utc(*match.groups()) if values.is_time(value) else value
    return _number(Decimal(value)) if _DECIMAL.fullmatch(value) else value


def _key(value: str) -> str:
    try:
        uri = epc.canonical(value)
    except Gs1Error:
        return value
    return _LEFT_OUT.sub("", uri) if uri.startswith(CANONICAL_DOMAIN) else uri


def _number(value: Decimal) -> str:
    text = format(value, "f")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text


def _utc(seconds: str, fraction: str | None, zone: str) -> str:
    """Three decimals; the fourth rounds, half a millisecond upwards."""
    digits = (fraction or "").ljust(4, "0")
    at = datetime.fromisoformat(seconds + zone.replace("Z", "+00:00")).astimezone(UTC)
    at += timedelta(milliseconds=int(digits[:3]) + (digits[3] >= "5"))
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _expanded(uri: str, names: _Namespaces) -> str:
    """A CURIE as the URI that it stands for; other text as any value."""
    prefix, colon, rest = uri.partition(":")
    if colon and prefix in names and not rest.startswith("//"):
        return names[prefix] + rest
    return _of_string(uri)


def _as_is(value: Any, _names: _Namespaces) -> str:
    return str(value)


def _uri(value: Any, names: _Namespaces) -> str:
    return _expanded(value, names)


def _term(words: Vocabulary, web_class: str) -> _Leaf:
    def render(value: Any, names: _Namespaces) -> str:
        word = words.bare(value)
        return web_class + word if word in words.words else _expanded(value, names)

    return render


def _cbv(words: Vocabulary, web_class: str) -> _Leaf:
    return _term(words, f"https://ref.gs1.org/cbv/{web_class}-")


def _single(name: str, leaf: _Leaf = _text) -> _Leaf:
    """A member with one value, or with several of which each is named."""

    def render(value: Any, names: _Namespaces) -> str:
        if isinstance(value, list):
            return "".join(sorted(f"{name}={leaf(item, names)}" for item in value))
        return f"{name}={leaf(value, names)}"

    return render


def _object(name: str, members: Mapping[str, _Leaf]) -> _Leaf:
    """A member that is an object, its extensions last."""

    def render(value: Any, names: _Namespaces) -> str:
        inner = "".join(
            [
                *(leaf(value[member], names) for member, leaf in members.items() if member in value),
                *_extensions(value, names, leave=members),
            ]
        )
        return name + inner if inner else ""

    return render


def _list(name: str, member: _Leaf) -> _Leaf:
    """A list named once, its members sorted."""

    def render(value: Any, names: _Namespaces) -> str:
        inner = "".join(sorted(member(item, names) for item in value))
        return name + inner if inner else ""

    return render


def _epcs(name: str) -> _Leaf:
    def render(value: Any, _names: _Namespaces) -> str:
        spelled = [item if epc.is_usual(item) else _of_string(item) for item in value]
        return f"{name}epc={'epc='.join(sorted(spelled))}" if value else ""

    return render


def _quantities(name: str) -> _Leaf:
    return _list(name, _object("quantityElement", {key: _single(key) for key in ("epcClass", "quantity", "uom")}))


def _typed(name: str, member: str, kinds: _Leaf) -> _Leaf:
    return _list(name, _object("", {"type": _single("type", kinds), member: _single(member)}))


def _extensions(value: Mapping[str, Any], names: _Namespaces, *, leave: Any = ()) -> list[str]:
    """Members that the standard does not name, each under `{namespace}local`, sorted."""
    own = [name for name in value if name not in leave and name not in _LEFT_OUT_MEMBERS and not name.startswith("@")]
    return sorted(text for name in own for text in _extension(_clark(name, names), value[name], names)) if own else own


def _extension(name: str, value: Any, names: _Namespaces) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from _extension(name, item, names)
    elif isinstance(value, dict):
        # JSON-LD writes a typed value, or a URI, as an object.
        own = next((value[key] for key in ("@value", "@id") if isinstance(value.get(key), str | int | float)), None)
        text = "" if own is None else f"={_text(own, names)}"
        inner = "".join(_extensions(value, names))
        if text or inner:
            yield name + text + inner
    elif value is not None and value != "":
        yield f"{name}={_text(value, names)}"


def _clark(name: str, names: _Namespaces) -> str:
    """`{namespace}local` of a CURIE, or of a URI cut behind its last `#`, `/` or `:`."""
    prefix, colon, local = name.partition(":")
    if colon and prefix in names and not local.startswith("//"):
        return f"{{{names[prefix]}}}{local}"
    cut = max(name.rfind(mark) for mark in "#/:") + 1
    return f"{{{name[:cut]}}}{name[cut:]}" if cut else name


def _measured(value: Any, names: _Namespaces) -> str:
    """A measurement type or exception; of GS1's two homes for these words, the one that the vectors have."""
    return _MEASURED(value, names).replace(_OTHER_VOCABULARY, _VOCABULARY, 1)


_MEASURED = _term(vocabulary.MEASUREMENT_TYPE, _VOCABULARY)
_DEVICE = ("deviceID", "deviceMetadata", "rawData", "dataProcessingMethod")
_METADATA = {name: _single(name) for name in ("time", "startTime", "endTime", *_DEVICE, "bizRules")}
_REPORT = {
    "type": _single("type", _measured),
    "exception": _single("exception", _term(vocabulary.SENSOR_EXCEPTION, _VOCABULARY)),
    **{name: _single(name) for name in (*_DEVICE, "time", "microorganism", "chemicalSubstance", "value")},
    "component": _single("component", _cbv(vocabulary.COMPONENT, "Comp")),
    **{name: _single(name) for name in ("stringValue", "booleanValue", "hexBinaryValue", "uriValue", "minValue")},
    **{name: _single(name) for name in ("maxValue", "meanValue", "sDev", "percRank", "percValue", "uom")},
    "coordinateReferenceSystem": _single("coordinateReferenceSystem"),
}
_SENSOR = _object(
    "sensorElement",
    {
        "sensorMetadata": _object("sensorMetadata", _METADATA),
        "sensorReport": _list("", _object("sensorReport", _REPORT)),
    },
)
_DISPOSITION = _cbv(vocabulary.DISPOSITION, "Disp")
_PARTNER = _cbv(vocabulary.SOURCE_DESTINATION_TYPE, "SDT")
# In the order of the standard's table.
_MEMBERS: Mapping[str, _Leaf] = {
    "eventTime": _single("eventTime"),
    "eventTimeZoneOffset": _single("eventTimeZoneOffset", _as_is),
    "certificationInfo": _single("certificationInfo"),
    "epcList": _epcs("epcList"),
    "parentID": _single("parentID"),
    "inputEPCList": _epcs("inputEPCList"),
    "childEPCs": _epcs("childEPCs"),
    "quantityList": _quantities("quantityList"),
    "childQuantityList": _quantities("childQuantityList"),
    "inputQuantityList": _quantities("inputQuantityList"),
    "outputEPCList": _epcs("outputEPCList"),
    "outputQuantityList": _quantities("outputQuantityList"),
    "action": _single("action", _as_is),
    "transformationID": _single("transformationID", _uri),
    "bizStep": _single("bizStep", _cbv(vocabulary.BIZ_STEP, "BizStep")),
    "disposition": _single("disposition", _DISPOSITION),
    "persistentDisposition": _object(
        "persistentDisposition", {name: _single(name, _DISPOSITION) for name in ("set", "unset")}
    ),
    "readPoint": _object("readPoint", {"id": _single("id")}),
    "bizLocation": _object("bizLocation", {"id": _single("id")}),
    "bizTransactionList": _typed("bizTransactionList", "bizTransaction", _cbv(vocabulary.BIZ_TRANSACTION_TYPE, "BTT")),
    "sourceList": _typed("sourceList", "source", _PARTNER),
    "destinationList": _typed("destinationList", "destination", _PARTNER),
    "sensorElementList": _list("sensorElementList", _SENSOR),
    "ilmd": _object("ilmd", {}),
}
_NO_EXTENSIONS = frozenset({*_MEMBERS, "type", "isA", "recordTime", "eventID", "errorDeclaration"})
