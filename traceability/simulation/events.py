"""EPCIS events as a company's own software would write them: the simulator's own hand, not the portal's. Pure."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from .world import Lot, Party

CONTEXT = "https://ref.gs1.org/standards/epcis/epcis-context.jsonld"
OWN_TERMS = "https://ns.dosetrail.org/epcis/"


def document(events: Sequence[Mapping[str, Any]], at_ms: int) -> dict[str, Any]:
    """An EPCISDocument as a party's system posts it."""
    return {
        "@context": [CONTEXT],
        "type": "EPCISDocument",
        "schemaVersion": "2.0",
        "creationDate": datetime.fromtimestamp(at_ms / 1000, UTC).isoformat().replace("+00:00", "Z"),
        "epcisBody": {"eventList": list(events)},
    }


def event(kind: str, *, at_ms: int, party: Party, event_id: str, step: str, **fields: Any) -> dict[str, Any]:
    """One event at the party's site, with the members all events share."""
    hours = int(party.offset[:3])
    local = datetime.fromtimestamp(at_ms / 1000, timezone(timedelta(hours=hours)))
    return {
        "type": kind,
        "eventID": event_id,
        "eventTime": local.isoformat(timespec="milliseconds"),
        "eventTimeZoneOffset": party.offset,
        "bizStep": step,
        "readPoint": {"id": party.site_uri},
        "bizLocation": {"id": party.site_uri},
        **fields,
    }


def commission(lot: Lot, epcs: Sequence[str], **common: Any) -> dict[str, Any]:
    """Packs come into being, with lot and expiry."""
    ilmd = {"cbvmda:lotNumber": lot.number, "cbvmda:itemExpirationDate": lot.expiry.isoformat()}
    return event(
        "ObjectEvent", step="commissioning", action="ADD", disposition="active", epcList=list(epcs), ilmd=ilmd, **common
    )


def aggregate(parent: str, children: Sequence[str], *, action: str, **common: Any) -> dict[str, Any]:
    """Children go into (ADD) or come out of (DELETE) a container."""
    return event(
        "AggregationEvent",
        step="packing" if action == "ADD" else "unpacking",
        disposition="in_progress",
        action=action,
        parentID=parent,
        childEPCs=list(children),
        **common,
    )


def release(lot: Lot, report: str, **common: Any) -> dict[str, Any]:
    """Quality releases a lot on its test result."""
    return event(
        "ObjectEvent",
        step="inspecting",
        disposition="conformant",
        action="OBSERVE",
        quantityList=[{"epcClass": lot_class(lot)}],
        bizTransactionList=[{"type": "testres", "bizTransaction": report}],
        **common,
    )


def ship(epcs: Sequence[str], *, sender: Party, receiver: Party, despatch: str, **common: Any) -> dict[str, Any]:
    """Goods leave for a receiver under a despatch advice."""
    return event(
        "ObjectEvent",
        party=sender,
        step="shipping",
        disposition="in_transit",
        action="OBSERVE",
        epcList=list(epcs),
        bizTransactionList=[{"type": "desadv", "bizTransaction": despatch}],
        **_partners(sender, receiver),
        **common,
    )


def receive(epcs: Sequence[str], *, sender: Party, receiver: Party, despatch: str, **common: Any) -> dict[str, Any]:
    """Goods arrive under a despatch advice."""
    return event(
        "ObjectEvent",
        party=receiver,
        step="receiving",
        disposition="in_progress",
        action="OBSERVE",
        epcList=list(epcs),
        bizTransactionList=[{"type": "desadv", "bizTransaction": despatch}],
        **_partners(sender, receiver),
        **common,
    )


def observe(epcs: Sequence[str], *, step: str, disposition: str, **common: Any) -> dict[str, Any]:
    """Something is seen or done to packs where they are (dispensing, stocking)."""
    return event("ObjectEvent", step=step, disposition=disposition, action="OBSERVE", epcList=list(epcs), **common)


def freeze(lot: Lot, **common: Any) -> dict[str, Any]:
    """The regulator freezes a lot: a class-level event with its reason."""
    reason: dict[str, Any] = {
        f"{OWN_TERMS}reason": "One serial number was handed out twice; the lot stays where it is meanwhile."
    }
    return event(
        "ObjectEvent",
        step="holding",
        disposition="unavailable",
        action="OBSERVE",
        quantityList=[{"epcClass": lot_class(lot)}],
        **common,
        **reason,
    )


def lot_class(lot: Lot) -> str:
    """The lot as EPC class, as Digital Link."""
    return f"https://id.gs1.org/01/{lot.item.gtin}/10/{lot.number}"


def despatch_uri(sender: Party, number: int) -> str:
    """A despatch advice as business transaction URI (CBV 2.0, section 8.5)."""
    return f"urn:epcglobal:cbv:bt:{sender.gln}:DA{number:05d}"


def _partners(sender: Party, receiver: Party) -> dict[str, Any]:
    return {
        "sourceList": [{"type": "owning_party", "source": sender.party_uri}],
        "destinationList": [{"type": "owning_party", "destination": receiver.party_uri}],
    }
