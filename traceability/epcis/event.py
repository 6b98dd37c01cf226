"""A valid event as the house reads it: canonical keys, bare words, integers."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from traceability.gs1 import epc

from . import scalar
from .context import PREFIXES, declared, expanded
from .times import offset_minutes as offset_minutes
from .times import time_ms as time_ms
from .vocabulary import (
    BIZ_STEP,
    BIZ_TRANSACTION_TYPE,
    DISPOSITION,
    ERROR_REASON,
    SOURCE_DESTINATION_TYPE,
    Vocabulary,
)

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
    own = namespaces(event)
    return EventView(
        type=scalar.text_key(expanded(event["type"], own)),
        event_id=event.get("eventID", ""),
        event_time_ms=time_ms(event["eventTime"]),
        offset_minutes=offset_minutes(event["eventTimeZoneOffset"]),
        action=event.get("action", ""),
        biz_step=term(BIZ_STEP, event.get("bizStep", ""), own),
        disposition=term(DISPOSITION, event.get("disposition", ""), own),
        read_point=_place(event.get("readPoint")),
        biz_location=_place(event.get("bizLocation")),
        epcs=tuple(dict.fromkeys(_epcs(event))),  # one thing spelled twice is one thing
        classes=tuple(_classes(event)),
        biz_transactions=tuple(_typed(event, "bizTransactionList", BIZ_TRANSACTION_TYPE, own)),
        sources=tuple(_partners(event, "source", own)),
        destinations=tuple(_partners(event, "destination", own)),
        ilmd=event.get("ilmd", {}),
        sensor_elements=tuple(event.get("sensorElementList", ())),
        persistent_set=tuple(term(DISPOSITION, word, own) for word in persistent.get("set", ())),
        persistent_unset=tuple(term(DISPOSITION, word, own) for word in persistent.get("unset", ())),
        transformation_id=event.get("transformationID", ""),
        error_declaration=_declaration(event.get("errorDeclaration")),
        extensions=extensions(event),
    )


def named(event: Mapping[str, Any]) -> Iterable[str]:
    """Every thing, class, place and partner that a valid event names, in canonical form; some more than once."""
    yield from (uri for _, uri in _epcs(event))
    yield from (epc.canonical(item["epcClass"]) for _, name in _CLASS_LISTS for item in event.get(name, ()))
    yield from (_place(event.get(name)) for name in ("readPoint", "bizLocation"))
    for direction in ("source", "destination"):
        yield from (epc.canonical(item[direction]) for item in event.get(f"{direction}List", ()))


def extensions(event: Mapping[str, Any]) -> dict[str, Any]:
    """The members of an event that are not the standard's."""
    return {name: value for name, value in event.items() if name not in _MEMBERS}


def namespaces(event: Mapping[str, Any]) -> Mapping[str, str]:
    """The prefixes that stand for URIs in this event."""
    own = declared(event.get("@context"))
    return {**PREFIXES, **own} if own else PREFIXES


def own(event: Mapping[str, Any], uri: str) -> Any:
    """The value of the member whose full name is `uri`, whatever prefix its writer chose; None without one."""
    prefixes = namespaces(event)
    for name, value in event.items():
        prefix, colon, local = name.partition(":")
        if colon and prefixes.get(prefix, prefix + ":") + local == uri:
            return value
    return None


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


def _typed(event: Mapping[str, Any], name: str, types: Vocabulary, own: Mapping[str, str]) -> Iterable[tuple[str, str]]:
    member = name.removesuffix("List")
    for item in event.get(name, ()):
        yield term(types, item.get("type", ""), own), item[member]


def _partners(event: Mapping[str, Any], direction: str, own: Mapping[str, str]) -> Iterable[tuple[str, str]]:
    for kind, uri in _typed(event, f"{direction}List", SOURCE_DESTINATION_TYPE, own):
        yield kind, epc.canonical(uri)


def term(vocabulary: Vocabulary, written: str, own: Mapping[str, str]) -> str:
    """The bare word of CBV, or the full URI of a term of someone's own (its key, where that is very long)."""
    if ":" not in written:
        return written
    word = vocabulary.bare(written)
    return word if word in vocabulary.words else scalar.text_key(expanded(written, own))


def _declaration(value: Mapping[str, Any] | None) -> ErrorDeclaration | None:
    if value is None:
        return None
    return ErrorDeclaration(
        time_ms=time_ms(value["declarationTime"]),
        reason=ERROR_REASON.bare(value.get("reason", "")),
        corrective_ids=tuple(value.get("correctiveEventIDs", ())),
    )
