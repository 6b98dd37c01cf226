"""A valid event as the house reads it: canonical keys, bare words, integers."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from traceability.gs1 import epc

from .context import PREFIXES, declared
from .vocabulary import bare

_EPC_LISTS = (("epc", "epcList"), ("child", "childEPCs"), ("input", "inputEPCList"), ("output", "outputEPCList"))
_CLASS_LISTS = (
    ("quantity", "quantityList"),
    ("child_quantity", "childQuantityList"),
    ("input_quantity", "inputQuantityList"),
    ("output_quantity", "outputQuantityList"),
)
_MEMBERS = frozenset(
    """@context type isA eventTime eventTimeZoneOffset recordTime eventID certificationInfo errorDeclaration bizStep
    disposition readPoint bizLocation bizTransactionList sourceList destinationList sensorElementList
    persistentDisposition action epcList quantityList ilmd parentID childEPCs childQuantityList inputEPCList
    inputQuantityList outputEPCList outputQuantityList transformationID""".split()
)
LOT, EXPIRY = "lotNumber", "itemExpirationDate"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class ErrorDeclaration:
    """That an earlier event of the same eventID is void."""

    time_ms: int
    reason: str = ""
    corrective_ids: tuple[str, ...] = ()


@dataclass(frozen=True)
class EventView:
    """An event's meaning. Identifiers are canonical, CBV terms bare words; times in ms, offset in minutes."""

    type: str
    event_id: str
    event_time_ms: int
    offset_minutes: int
    action: str = ""
    biz_step: str = ""
    disposition: str = ""
    read_point: str = ""
    biz_location: str = ""
    epcs: tuple[tuple[str, str], ...] = ()  # (role, epc): epc | parent | child | input | output
    classes: tuple[tuple[str, str, Decimal | None, str], ...] = ()  # (role, class, quantity, unit)
    biz_transactions: tuple[tuple[str, str], ...] = ()  # (type, id)
    sources: tuple[tuple[str, str], ...] = ()
    destinations: tuple[tuple[str, str], ...] = ()
    ilmd: Mapping[str, Any] = field(default_factory=dict)
    sensor_elements: tuple[Mapping[str, Any], ...] = ()
    persistent_set: tuple[str, ...] = ()
    persistent_unset: tuple[str, ...] = ()
    transformation_id: str = ""
    error_declaration: ErrorDeclaration | None = None
    extensions: Mapping[str, Any] = field(default_factory=dict)

    @property
    def lot(self) -> str:
        """The lot number of ilmd, or ''."""
        return str(self._master_attribute(LOT))

    @property
    def expiry(self) -> str:
        """The expiry date of ilmd as written (ISO date or date-time), or ''."""
        return str(self._master_attribute(EXPIRY))

    def _master_attribute(self, name: str) -> Any:
        return self.ilmd.get(f"cbvmda:{name}", self.ilmd.get(PREFIXES["cbvmda"] + name, ""))


def read(event: Mapping[str, Any]) -> EventView:
    """The view of a valid event (validation comes first; this raises on an invalid one)."""
    persistent = event.get("persistentDisposition") or {}
    return EventView(
        type=event["type"],
        event_id=event.get("eventID", ""),
        event_time_ms=time_ms(event["eventTime"]),
        offset_minutes=offset_minutes(event["eventTimeZoneOffset"]),
        action=event.get("action", ""),
        biz_step=bare(event.get("bizStep", "")),
        disposition=bare(event.get("disposition", "")),
        read_point=_place(event.get("readPoint")),
        biz_location=_place(event.get("bizLocation")),
        epcs=tuple(_epcs(event)),
        classes=tuple(_classes(event)),
        biz_transactions=tuple(
            (bare(item.get("type", "")), item["bizTransaction"]) for item in event.get("bizTransactionList", ())
        ),
        sources=tuple((bare(item["type"]), epc.canonical(item["source"])) for item in event.get("sourceList", ())),
        destinations=tuple(
            (bare(item["type"]), epc.canonical(item["destination"])) for item in event.get("destinationList", ())
        ),
        ilmd=event.get("ilmd", {}),
        sensor_elements=tuple(event.get("sensorElementList", ())),
        persistent_set=tuple(bare(word) for word in persistent.get("set", ())),
        persistent_unset=tuple(bare(word) for word in persistent.get("unset", ())),
        transformation_id=event.get("transformationID", ""),
        error_declaration=_declaration(event.get("errorDeclaration")),
        extensions={name: value for name, value in event.items() if name not in _MEMBERS},
    )


def time_ms(text: str) -> int:
    """Milliseconds since 1970 of an RFC 3339 date-time; digits beyond the millisecond are cut off."""
    seconds, fraction = text, ""
    if "." in text:
        head, _, tail = text.partition(".")
        digits = len(tail) - len(tail.lstrip("0123456789"))
        fraction, seconds = tail[:digits], head + tail[digits:]
    delta = datetime.fromisoformat(seconds.replace("Z", "+00:00")) - _EPOCH
    return (delta.days * 86_400 + delta.seconds) * 1000 + int(fraction[:3].ljust(3, "0") or 0)


def offset_minutes(text: str) -> int:
    """Minutes east of UTC of `±hh:mm`."""
    minutes = int(text[1:3]) * 60 + int(text[4:6])
    return -minutes if text[0] == "-" else minutes


def namespaces(event: Mapping[str, Any]) -> dict[str, str]:
    """The prefixes that stand for URIs in this event."""
    return {**PREFIXES, **declared(event.get("@context"))}


def _place(place: Mapping[str, Any] | None) -> str:
    return epc.canonical(place["id"]) if place else ""


def _epcs(event: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    if parent := event.get("parentID"):
        yield "parent", epc.canonical(parent)
    for role, name in _EPC_LISTS:
        for uri in event.get(name, ()):
            yield role, epc.canonical(uri)


def _classes(event: Mapping[str, Any]) -> Iterable[tuple[str, str, Decimal | None, str]]:
    for role, name in _CLASS_LISTS:
        for element in event.get(name, ()):
            quantity = element.get("quantity")
            yield (
                role,
                epc.canonical(element["epcClass"]),
                None if quantity is None else Decimal(repr(quantity)),
                element.get("uom", ""),
            )


def _declaration(value: Mapping[str, Any] | None) -> ErrorDeclaration | None:
    if value is None:
        return None
    return ErrorDeclaration(
        time_ms(value["declarationTime"]), bare(value.get("reason", "")), tuple(value.get("correctiveEventIDs", ()))
    )
