"""What a document says beside its events: unknown identifiers, and its header's master data, go to the steward."""

from collections.abc import Mapping, Sequence
from typing import Any

from traceability.epcis import event as epcis_event
from traceability.epcis import master_data
from traceability.gs1 import nmpa
from traceability.gs1.epc import NMPA_PREFIX
from traceability.parties.models import Party, PartyIdentifier, Site
from traceability.products import services as products
from traceability.products import stewardship
from traceability.products.models import TradeItem

_ITEM, _PLACE, _PARTY = "https://id.gs1.org/01/", "https://id.gs1.org/414/", "https://id.gs1.org/417/"


def unknown_identifiers(events: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """(scheme, value) of every GTIN, NMPA prefix and GLN in `events` without master data; at most four queries."""
    gtins, prefixes, glns = set[str](), set[str](), set[str]()
    for event in events:
        for uri in epcis_event.named(event):
            if uri.startswith(_ITEM):
                gtins.add(uri[len(_ITEM) :].split("/")[0])
            elif uri.startswith(NMPA_PREFIX):
                prefixes.add(nmpa.product_prefix(uri.removeprefix(NMPA_PREFIX)))
            elif uri.startswith((_PLACE, _PARTY)):
                glns.add(uri[len(_PLACE) :].split("/")[0])
    if gtins:
        gtins -= set(TradeItem.objects.filter(gtin__in=gtins).values_list("gtin", flat=True))
    if prefixes:
        prefixes -= set(TradeItem.objects.filter(nmpa_prefix__in=prefixes).values_list("nmpa_prefix", flat=True))
    if glns:
        glns -= set(Site.objects.filter(gln__in=glns).values_list("gln", flat=True))
    if glns:
        glns -= set(PartyIdentifier.objects.filter(scheme="gln", value__in=glns).values_list("value", flat=True))
    found = (("gtin", gtins), ("nmpa", prefixes), ("gln", glns))
    return [(scheme, value) for scheme, values in found for value in sorted(values)]


def note(found: Sequence[tuple[str, str]], *, event_id: str, reporter: Party) -> None:
    """Put them on the steward's list."""
    products.note_unknown(found, event_id=event_id, reporter=reporter.uri)


def note_header(frame: Mapping[str, Any], *, job: str, reporter: Party) -> stewardship.Noted:
    """Put the header's master data on the steward's queue, in the transaction that stores the document."""
    return stewardship.note(master_data.elements(frame), reporter=reporter.uri, job=job)
