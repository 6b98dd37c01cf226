"""From a step and its codes to EPCIS events. Pure: time, identity and what lies in containers are arguments."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from typing import Any

from traceability.custody import opening
from traceability.epcis.context import DEFAULT_CONTEXT
from traceability.epcis.documents import document_uri
from traceability.gs1 import epc
from traceability.gs1.scan import ScannedCode

from .steps import Shape, Step

NAMESPACE = opening.NAMESPACE
CONTEXT = [DEFAULT_CONTEXT, {"dosetrail": NAMESPACE}]
_TRANSACTIONS = (("desadv", "despatch"), ("po", "order"), ("testres", "report"), ("rma", "rma"))


@dataclass(frozen=True)
class Act:
    """Who does what where and when. `offset_minutes` is the site's offset from UTC at `time_ms`."""

    step: Step
    time_ms: int
    offset_minutes: int
    place: str
    own_uri: str  # the party as owner, in source and destination lists
    codes: Sequence[ScannedCode]
    opened: Mapping[str, Sequence[str]] = field(default_factory=dict)  # container -> EPCs that come out of it (unpack)
    original: Mapping[str, Any] | None = None  # the event to be declared void (undo)
    corrective_id: str = ""  # eventID of what stays true of the original when a part of it is undone
    details: Mapping[str, str] = field(default_factory=dict)
    extensions: Mapping[str, Any] = field(default_factory=dict)  # dosetrail:… members

    @property
    def epcs(self) -> list[str]:
        """What was scanned, each thing once."""
        return list(dict.fromkeys(code.epc for code in self.codes))


def events(act: Act) -> list[dict[str, Any]]:
    """The events of one recorded step; only those of an undo have an eventID."""
    return _BUILDERS[act.step.shape](act)


def _base(act: Act, kind: str) -> dict[str, Any]:
    event: dict[str, Any] = {
        "@context": CONTEXT,
        "type": kind,
        "eventTime": _local(act),
        "eventTimeZoneOffset": _offset(act.offset_minutes),
        "bizStep": act.step.biz_step,
        "readPoint": {"id": act.place},
        "bizLocation": {"id": act.place},
    }
    if act.step.disposition:
        event["disposition"] = act.step.disposition
    event |= _transactions(act) | _partners(act)
    event["dosetrail:scanned"] = [code.raw for code in act.codes]
    if reason := act.details.get("reason"):
        event["dosetrail:reason"] = reason
    if witness := act.details.get("witness"):
        event["dosetrail:witness"] = witness
    return event | dict(act.extensions)


def _local(act: Act) -> str:
    return local(act.time_ms, act.offset_minutes)


def local(time_ms: int, offset_minutes: int = 0) -> str:
    """A moment as ISO 8601 at an offset from UTC, with milliseconds."""
    zone = timezone(timedelta(minutes=offset_minutes))
    return datetime.fromtimestamp(time_ms / 1000, zone).isoformat(timespec="milliseconds")


def _offset(minutes: int) -> str:
    hours, rest = divmod(abs(minutes), 60)
    return f"{'-' if minutes < 0 else '+'}{hours:02d}:{rest:02d}"


def _transactions(act: Act) -> dict[str, Any]:
    found = [
        {"type": kind, "bizTransaction": document_uri(act.details[name])}
        for kind, name in _TRANSACTIONS
        if act.details.get(name)
    ]
    return {"bizTransactionList": found} if found else {}


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
    event = {**_base(act, "ObjectEvent"), "action": "OBSERVE", "epcList": act.epcs}
    persistent = {"set": list(act.step.persistent), "unset": list(act.step.unset)}
    if act.step.persistent or act.step.unset:
        event["persistentDisposition"] = {name: words for name, words in persistent.items() if words}
    if left := act.details.get("quantity_left"):
        event["dosetrail:quantityLeft"] = int(left)
    return [event]


def _delivery(act: Act) -> list[dict[str, Any]]:
    """Two events however much lies in what was scanned: it arrived, and a moment later was supplied or is on a ward."""
    biz_step, disposition = act.step.then
    then = replace(act.step, biz_step=biz_step, disposition=disposition)
    onward = replace(act, step=then, place=act.details.get("ward", act.place), details={})
    return _observe(replace(act, time_ms=act.time_ms - 1)) + _observe(onward)


def _delete(act: Act) -> list[dict[str, Any]]:
    return [{**_base(act, "ObjectEvent"), "action": "DELETE", "epcList": act.epcs}]


def _commission(act: Act) -> list[dict[str, Any]]:
    ilmd = {"cbvmda:lotNumber": act.details["lot"], "cbvmda:itemExpirationDate": act.details["expiry"]}
    return [{**_base(act, "ObjectEvent"), "action": "ADD", "epcList": act.epcs, "ilmd": ilmd}]


def _opening(act: Act) -> list[dict[str, Any]]:
    """One event per lot and expiry date, as read off the goods; what a code does not say, the details may."""
    groups: dict[tuple[str, str], list[ScannedCode]] = {}
    for code in act.codes:
        is_pack = code.kind in {"pack", "nmpa"}
        lot = code.lot or (act.details.get("lot", "") if is_pack else "")
        expiry = code.expiry.isoformat() if code.expiry else (act.details.get("expiry", "") if is_pack else "")
        groups.setdefault((lot, expiry), []).append(code)
    found = []
    for (lot, expiry), codes in groups.items():
        event = {**_base(act, "ObjectEvent"), "action": "OBSERVE", "dosetrail:scanned": [code.raw for code in codes]}
        event["epcList"] = list(dict.fromkeys(code.epc for code in codes))
        found.append(event | opening.member(lot=lot, expiry=expiry))
    return found


def _pack(act: Act) -> list[dict[str, Any]]:
    return [
        {
            **_base(act, "AggregationEvent"),
            "action": "ADD",
            "parentID": act.details["container"],
            "childEPCs": act.epcs,
        }
    ]


def _unpack(act: Act) -> list[dict[str, Any]]:
    """One event per container. A container of unknown content is emptied by naming none (EPCIS 2.0, 7.4.3)."""
    found = []
    for container, children in act.opened.items():
        event = {**_base(act, "AggregationEvent"), "action": "DELETE", "parentID": container}
        found.append(event | ({"childEPCs": list(children)} if children else {}))
    return found


def _lot(act: Act) -> list[dict[str, Any]]:
    event = {
        **_base(act, "ObjectEvent"),
        "action": "OBSERVE",
        "quantityList": [{"epcClass": name} for name in act.epcs],
    }
    if act.step.persistent:
        event["persistentDisposition"] = {"set": list(act.step.persistent)}
    return [event]


def _undo(act: Act) -> list[dict[str, Any]]:
    """The same event again with an error declaration (EPCIS 2.0, section 7.4.1.4).

    A declaration voids the whole event. Packs that were handed out with the undone one keep their dispensing: a
    corrective event, at the original's time, says it anew of them.
    """
    if act.original is None:
        raise ValueError("there is nothing to undo")
    undone = set(act.epcs)
    kept = [one for one in act.original["epcList"] if epc.canonical(one) not in undone]
    declared = declared_void(
        act.original,
        at=_local(act),
        reason=act.details.get("reason", ""),
        corrected_by=[act.corrective_id] if kept else [],
    )
    original = {name: value for name, value in declared.items() if name != "errorDeclaration"}
    corrective = {**original, **act.extensions, "eventID": act.corrective_id, "epcList": kept}
    return [declared, *([corrective] if kept else [])]


def declared_void(
    original: Mapping[str, Any], *, at: str, reason: str, corrected_by: Sequence[str] = ()
) -> dict[str, Any]:
    """The event again with an error declaration of a moment `at`; `corrected_by`: the IDs of what is true instead."""
    declaration: dict[str, Any] = {
        "declarationTime": at,
        "reason": "incorrect_data" if corrected_by else "did_not_occur",
        "dosetrail:reason": reason,
    }
    if corrected_by:
        declaration["correctiveEventIDs"] = list(corrected_by)
    context = _with_own_prefix(original["@context"])
    return {**original, "@context": context, "errorDeclaration": declaration}


def _with_own_prefix(context: Any) -> list[Any]:
    entries = context if isinstance(context, list) else [context]
    own = {"dosetrail": NAMESPACE}
    return entries if own in entries else [*entries, own]


_BUILDERS = {
    Shape.OBSERVE: _observe,
    Shape.DELIVERY: _delivery,
    Shape.DELETE: _delete,
    Shape.COMMISSION: _commission,
    Shape.OPENING: _opening,
    Shape.PACK: _pack,
    Shape.UNPACK: _unpack,
    Shape.LOT: _lot,
    Shape.UNDO: _undo,
}
