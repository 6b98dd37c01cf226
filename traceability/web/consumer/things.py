"""What the public may know of a thing that is no single pack: a product, a batch, a place, a party, a shipping unit.

Of a product what its box says; of a place what its owner's sign says; of a shipping unit nothing, not even whether it
is recorded. A batch that nobody recorded and one that was not recalled look the same.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from traceability.capture.models import PublishedEvent
from traceability.custody import stops
from traceability.gs1.digital_link import DigitalLink
from traceability.gs1.linkset import VOCABULARY, Registered
from traceability.parties import selectors as parties
from traceability.parties.models import Site
from traceability.products import links as maker_links
from traceability.products import selectors as products
from traceability.products.models import TradeItem

from . import links
from .selectors import Recall, recall_of
from .verdict import Outcome
from .words import OUTCOMES


@dataclass(frozen=True)
class Thing:
    """A page's content, and the same as linked data (`data`: JSON-LD in GS1's Web Vocabulary)."""

    title: str
    meaning: str
    data: Mapping[str, Any]
    facts: Sequence[tuple[str, str]] = ()
    recall: Recall | None = None
    tone: str = "unknown"  # unknown | danger
    icon: str = "info"


def read(link: DigitalLink) -> Thing | None:
    """What may be shown of the thing that `link` names, or None where this house knows no such product or place."""
    return _READERS[links.name_of(link)](link)


def is_known(link: DigitalLink) -> bool:
    """Whether the product of a trade item's link is registered here; other keys say nothing about that."""
    return link.key != "01" or products.item_by_gtin(link.value) is not None


def registered(link: DigitalLink) -> Registered:
    """What the maker of a trade item registered of it and of the lot in the link; nothing for other keys."""
    if link.key != "01":
        return Registered()
    return maker_links.of_item(link.qualifier("10") or "", gtin=link.value)


def item_data(item: TradeItem, link: DigitalLink) -> dict[str, Any]:
    """A product, or a batch or pack of it, in GS1's Web Vocabulary."""
    lot, serial = link.qualifier("10"), link.qualifier("21")
    return {
        **_data(links.same_as(link), "Product"),
        "gs1:gtin": link.value,
        **_on_the_box(item),
        **({"gs1:hasBatchLotNumber": lot} if lot else {}),
        **({"gs1:hasSerialNumber": serial} if serial else {}),
    }


def trade_code_data(item: TradeItem, epc: str) -> dict[str, Any]:
    """A pack by its drug trace code, in GS1's Web Vocabulary; its GTIN where it has one."""
    return {**_data(epc, "Product"), **({"gs1:gtin": item.gtin} if item.gtin else {}), **_on_the_box(item)}


def site(found: Site, uri: str) -> Thing:
    """A place by what hangs on its door."""
    address = {"@type": "gs1:PostalAddress", "gs1:addressLocality": found.city, "gs1:addressCountry": found.country}
    return Thing(
        title=found.name,
        meaning=_("A place where medicines are kept. What lies there is known to its owner and the regulator only."),
        data={
            "@context": {"gs1": VOCABULARY},
            "@id": uri,
            "@type": "gs1:Place",
            "gs1:physicalLocationName": found.name,
            "gs1:address": address,
            "gs1:organizationName": found.party.name,
            **({"gs1:globalLocationNumber": found.gln} if found.gln else {}),
        },
        facts=[
            (_("Organisation"), found.party.name),
            (_("City"), f"{found.city}, {found.country}"),
            *([("GLN", found.gln)] if found.gln else []),
        ],
        icon="store",
    )


def party(name: str, uri: str) -> Thing:
    """An organisation by its name."""
    return Thing(
        title=name,
        meaning=_("An organisation that takes part in this record. What it recorded is shown on the page of a pack."),
        data={
            "@context": {"gs1": VOCABULARY},
            "@id": uri,
            "@type": "gs1:Organization",
            "gs1:organizationName": name,
        },
        icon="user",
    )


def _product(link: DigitalLink) -> Thing | None:
    item = products.item_by_gtin(link.value)
    if item is None:
        return None
    lot = link.qualifier("10") or ""
    status = stops.lot_status(link.value, lot) if lot else stops.product_status(link.value)
    recall = _recall(status.recalled_index) if status and status.recalled_index is not None else None
    frozen = status is not None and status.frozen_index is not None
    meaning = (
        _("This code names a batch, not a single pack. No recall of this batch is recorded here.")
        if lot
        else _("This code names a product, not a single pack. No recall of the whole product is recorded here.")
    )
    title = item.name
    if recall:
        title, meaning = _("Recalled"), _("Do not take it. Keep the pack and the receipt.")
    elif frozen:
        title, meaning = str(OUTCOMES[Outcome.FROZEN].title), str(OUTCOMES[Outcome.FROZEN].actions[0])
    return Thing(
        title=title,
        meaning=meaning,
        data={
            **item_data(item, link),
            "dosetrail:recallRecorded": recall is not None,
            "dosetrail:freezeRecorded": frozen,
        },
        facts=[
            (_("Product"), f"{item.name} {item.strength}".strip()),
            (_("Active substance"), item.generic_name),
            (_("Pack size"), item.pack_size),
            (_("Maker"), item.manufacturer.name),
            (_("Authorisation number"), item.authorisation),
            *([(_("Lot"), lot)] if lot else []),
            ("GTIN", link.value),
        ],
        recall=recall,
        tone="danger" if recall or frozen else "unknown",
        icon="danger" if recall else "lock" if frozen else "box",
    )


def _recall(index: int) -> Recall | None:
    event = PublishedEvent.objects.filter(index=index).first()
    return recall_of(event) if event else None


def _place(link: DigitalLink) -> Thing | None:
    found = parties.site_by_uri(link.canonical)
    return site(found, links.same_as(link)) if found else None


def _party(link: DigitalLink) -> Thing | None:
    found = parties.party_by_uri(link.canonical)
    return party(found.name, links.same_as(link)) if found else None


def _unit(link: DigitalLink) -> Thing:
    return Thing(
        title=_("A shipping unit"),
        meaning=_(
            "This code names a case, a pallet or another unit on its way between companies. What is in it and where it "
            "is, or whether it is recorded here at all, is shown to the companies concerned only."
        ),
        data=_data(links.same_as(link), "LogisticUnit"),
        facts=[("SSCC", link.value)],
        icon="truck",
    )


def _other(link: DigitalLink) -> Thing:
    return Thing(
        title=_("Not a medicine's code"),
        meaning=_(
            "This code names something that companies use among themselves, such as a crate, a document or a device. "
            "Nothing about it is public here."
        ),
        data=_data(links.same_as(link), "Thing"),
        facts=[(f"({ai})", value) for ai, value in [(link.key, link.value), *link.qualifiers]],
    )


def _data(uri: str, kind: str) -> dict[str, Any]:
    context = {"gs1": VOCABULARY, "dosetrail": "urn:dosetrail:voc:"}
    return {"@context": context, "@id": uri, "@type": f"gs1:{kind}"}


def _on_the_box(item: TradeItem) -> dict[str, Any]:
    return {
        "gs1:productName": item.name,
        "gs1:regulatedProductName": item.generic_name,
        "gs1:netContent": item.pack_size,
        "gs1:manufacturer": {"@type": "gs1:Organization", "gs1:organizationName": item.manufacturer.name},
    }


_READERS = {
    "pack": _product,
    "lot": _product,
    "product": _product,
    "place": _place,
    "party": _party,
    "unit": _unit,
    "other": _other,
}
