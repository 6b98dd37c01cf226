"""How an answer spells identifiers: as Digital Links, as EPC URNs, or as captured (EPCIS 2.0, section 12.3)."""

from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import Any

from traceability.gs1 import epc, urn
from traceability.gs1.errors import Gs1Error

DIGITAL_LINK, EPC_URN = "Always_GS1_Digital_Link", "Always_EPC_URN"
NO_PREFERENCE, NEVER = "No_Preference", "Never_Translates"
FORMATS = (DIGITAL_LINK, EPC_URN, NO_PREFERENCE, NEVER)
_LISTS = ("epcList", "childEPCs", "inputEPCList", "outputEPCList")
_QUANTITIES = ("quantityList", "childQuantityList", "inputQuantityList", "outputQuantityList")
# List of the event -> the member of its items that holds an identifier.
_ITEMS = {
    **dict.fromkeys(_QUANTITIES, "epcClass"),
    "bizTransactionList": "bizTransaction",
    "sourceList": "source",
    "destinationList": "destination",
}


def translated(document: Mapping[str, Any], wish: str, prefixes: Collection[str] = ()) -> dict[str, Any]:
    """A query document with the identifiers of its events in the wished format.

    A Digital Link becomes a URN only under a company prefix that is among `prefixes`, or that some URN of the same
    answer shows, since its length is in no Digital Link; any other stays as it is, as what is no GS1 identifier does.
    """
    if wish not in (DIGITAL_LINK, EPC_URN):
        return dict(document)
    spell: Callable[[str], str] = link
    if wish == EPC_URN:
        spell = partial(urn.with_prefixes, prefixes=urn.prefixes_in(document).union(prefixes))
    body = document["epcisBody"]
    results = body["queryResults"]
    events = [in_event(event, spell) for event in results["resultsBody"]["eventList"]]
    return {**document, "epcisBody": {**body, "queryResults": {**results, "resultsBody": {"eventList": events}}}}


def link(uri: str) -> str:
    """The canonical Digital Link of an EPC URN; anything else as it is."""
    if not uri.startswith("urn:epc:"):
        return uri
    try:
        return epc.canonical(uri)
    except Gs1Error:
        return uri  # a document number that only looks like one: those are not checked at the door


def in_event(event: Mapping[str, Any], spell: Callable[[str], str]) -> dict[str, Any]:
    """The event with every identifier of a thing, place, party or document spelled anew."""
    found = dict(event)
    for name in _LISTS:
        if name in found:
            found[name] = list(dict.fromkeys(spell(uri) for uri in found[name]))  # one thing spelled twice stands once
    if "parentID" in found:
        found["parentID"] = spell(found["parentID"])
    for name in ("readPoint", "bizLocation"):
        if name in found:
            found[name] = {**found[name], "id": spell(found[name]["id"])}
    for name, member in _ITEMS.items():
        if name in found:
            found[name] = [{**item, member: spell(item[member])} for item in found[name]]
    return found
