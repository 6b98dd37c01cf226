"""From a step and its codes to EPCIS events. Pure: time, identity and what lies in containers are arguments."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any

from traceability.epcis.context import DEFAULT_CONTEXT
from traceability.gs1.scan import ScannedCode

from .steps import Shape, Step

NAMESPACE = "https://ns.dosetrail.org/epcis/"
CONTEXT = [DEFAULT_CONTEXT, {"dosetrail": NAMESPACE}]


@dataclass(frozen=True)
class Act:
    """Who does what where and when. `offset_minutes` is the site's offset from UTC at `time_ms`."""

    step: Step
    time_ms: int
    offset_minutes: int
    place: str
    own_uri: str  # the party as owner, in source and destination lists
    codes: Sequence[ScannedCode]
    children: Sequence[str] = ()  # EPCs inside the container that is unpacked
    original: Mapping[str, Any] | None = None  # the event to be declared void (undo)
    details: Mapping[str, str] = field(default_factory=dict)
    extensions: Mapping[str, Any] = field(default_factory=dict)  # dosetrail:… members


def events(act: Act) -> list[dict[str, Any]]:
    """The events of one recorded step, without eventID."""
    return _BUILDERS[act.step.shape](act)


def _base(act: Act, kind: str) -> dict[str, Any]:
    zone = timezone(timedelta(minutes=act.offset_minutes))
    local = datetime.fromtimestamp(act.time_ms / 1000, zone).isoformat(timespec="milliseconds")
    sign = "-" if act.offset_minutes < 0 else "+"
    hours, minutes = divmod(abs(act.offset_minutes), 60)
    event: dict[str, Any] = {
        "@context": CONTEXT,
        "type": kind,
        "eventTime": local,
        "eventTimeZoneOffset": f"{sign}{hours:02d}:{minutes:02d}",
        "bizStep": act.step.biz_step,
        "readPoint": {"id": act.place},
        "bizLocation": {"id": act.place},
    }
    if act.step.disposition:
        event["disposition"] = act.step.disposition
    event |= _transactions(act) | _partners(act)
    raw = [code.raw for code in act.codes]
    event["dosetrail:scanned"] = raw
    if reason := act.details.get("reason"):
        event["dosetrail:reason"] = reason
    return event | dict(act.extensions)


def _transactions(act: Act) -> dict[str, Any]:
    kinds = (("desadv", "despatch"), ("po", "order"), ("testres", "report"), ("rma", "rma"))
    found = [
        {"type": kind, "bizTransaction": _transaction_uri(act.details[name])}
        for kind, name in kinds
        if act.details.get(name)
    ]
    return {"bizTransactionList": found} if found else {}


def _transaction_uri(value: str) -> str:
    """A document number as URI; one that is a URI already stays as it is."""
    return value if ":" in value else f"urn:dosetrail:document:{value}"


def _partners(act: Act) -> dict[str, Any]:
    sender, receiver = act.details.get("sender"), act.details.get("receiver")
    if act.step.biz_step in {"shipping", "void_shipping"} and receiver:
        sender = act.own_uri
    elif act.step.biz_step == "receiving" and sender:
        receiver = act.own_uri
    else:
        return {}
    return {
        "sourceList": [{"type": "owning_party", "source": sender}],
        "destinationList": [{"type": "owning_party", "destination": receiver}],
    }


def _observe(act: Act) -> list[dict[str, Any]]:
    event = {**_base(act, "ObjectEvent"), "action": "OBSERVE", "epcList": [code.epc for code in act.codes]}
    if act.step.persistent:
        event["persistentDisposition"] = {"set": list(act.step.persistent)}
    if left := act.details.get("quantity_left"):
        event["dosetrail:quantityLeft"] = int(left)
    return [event]


def _delete(act: Act) -> list[dict[str, Any]]:
    return [{**_base(act, "ObjectEvent"), "action": "DELETE", "epcList": [code.epc for code in act.codes]}]


def _commission(act: Act) -> list[dict[str, Any]]:
    ilmd = {"cbvmda:lotNumber": act.details["lot"], "cbvmda:itemExpirationDate": act.details["expiry"]}
    epcs = [code.epc for code in act.codes]
    return [{**_base(act, "ObjectEvent"), "action": "ADD", "epcList": epcs, "ilmd": ilmd}]


def _pack(act: Act) -> list[dict[str, Any]]:
    return [
        {
            **_base(act, "AggregationEvent"),
            "action": "ADD",
            "parentID": act.details["container"],
            "childEPCs": [code.epc for code in act.codes],
        }
    ]


def _unpack(act: Act) -> list[dict[str, Any]]:
    return [
        {
            **_base(act, "AggregationEvent"),
            "action": "DELETE",
            "parentID": code.epc,
            "childEPCs": list(act.children),
        }
        for code in act.codes
    ]


def _lot(act: Act) -> list[dict[str, Any]]:
    event = {
        **_base(act, "ObjectEvent"),
        "action": "OBSERVE",
        "quantityList": [{"epcClass": code.epc} for code in act.codes],
    }
    if act.step.persistent:
        event["persistentDisposition"] = {"set": list(act.step.persistent)}
    return [event]


def _undo(act: Act) -> list[dict[str, Any]]:
    """The same event again with an error declaration (EPCIS 2.0, section 7.4.1.4)."""
    if act.original is None:
        raise ValueError("there is nothing to undo")
    zone = timezone(timedelta(minutes=act.offset_minutes))
    declared = datetime.fromtimestamp(act.time_ms / 1000, zone).isoformat(timespec="milliseconds")
    declaration = {
        "declarationTime": declared,
        "reason": "did_not_occur",
        "dosetrail:reason": act.details.get("reason", ""),
    }
    context = act.original["@context"]
    own = {"dosetrail": NAMESPACE}
    if own not in context:
        context = [*context, own]
    return [{**act.original, "@context": context, "errorDeclaration": declaration}]


_BUILDERS = {
    Shape.OBSERVE: _observe,
    Shape.DELETE: _delete,
    Shape.COMMISSION: _commission,
    Shape.PACK: _pack,
    Shape.UNPACK: _unpack,
    Shape.LOT: _lot,
    Shape.UNDO: _undo,
}
