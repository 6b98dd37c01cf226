"""How portal and regulator pages name things: goods as printed, parties and places by name, steps in words."""

from collections.abc import Iterable
from datetime import datetime
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from traceability.capture.models import PublishedEvent
from traceability.contracts import wording
from traceability.epcis.documents import document_number
from traceability.gs1 import digital_link
from traceability.parties import selectors as parties
from traceability.parties.models import Member
from traceability.products import selectors as products

STATUSES = {
    "active": _("In stock"),
    "shipped": _("Shipped"),
    "partially_dispensed": _("Partly dispensed"),
    "dispensed": _("Dispensed"),
    "destroyed": _("Destroyed"),
    "decommissioned": _("Taken out of use"),
    "sampled": _("Taken as a sample"),
    "stolen": _("Reported stolen"),
    "exported": _("Exported"),
}
# Business steps of CBV 2.0 that our own steps record, and those that partners' systems send most.
STEPS = {
    "accepting": _("Accepted on arrival"),
    "arriving": _("Arrived"),
    "commissioning": _("Commissioned"),
    "decommissioning": _("Taken out of use"),
    "departing": _("Departed"),
    "destroying": _("Destroyed"),
    "dispensing": _("Dispensed"),
    "holding": _("Set aside"),
    "inspecting": _("Inspected"),
    "loading": _("Loaded"),
    "packing": _("Packed"),
    "receiving": _("Received"),
    "retail_selling": _("Sold"),
    "returning": _("Returned"),
    "sampling": _("Taken as a sample"),
    "sensor_reporting": _("Temperature read out"),
    "shipping": _("Shipped"),
    "stock_taking": _("Counted"),
    "stocking": _("Put into stock"),
    "storing": _("Stored"),
    "transporting": _("In transport"),
    "unloading": _("Unloaded"),
    "unpacking": _("Unpacked"),
    "void_shipping": _("Shipment called back"),
}
# Why a code cannot be read (gs1.errors.Gs1Error.code), and what to do.
_CODE_FAULTS = {
    "check-digit": _("A digit of the number is wrong: its check digit does not fit. Scan it again."),
    "date": _("It holds a date that does not exist. Compare it with the print."),
    "empty": _("There is nothing in the code."),
    "missing-gs": _("A separator between lot and serial number is missing: the scanner leaves it out. Scan it again."),
    "no-serial": _("The serial number is missing: scan the code on the single pack."),
    "not-digits": _("A number in it may hold digits only."),
    "nmpa": _("A Chinese drug trace code has 20 digits and begins with 8."),
    "too-long": _("It is too long for a code on a pack."),
}
NMPA = "urn:dosetrail:nmpa:"


def goods(epc: str) -> str:
    """A pack, case or lot as people read it on the goods."""
    return epc.removeprefix(NMPA) if epc.startswith(NMPA) else wording.short(epc)


def document(uri: str) -> str:
    """A document number without our namespace, as it was typed."""
    return document_number(uri)


def short_document(uri: str) -> str:
    """A document number as it is printed; the parties beside it say whose number it is."""
    return wording.short(document(uri))


def pack_path(epc: str) -> str:
    """Where the pack's public page is, '' for cases, pallets and lots, which have none."""
    if epc.startswith(NMPA):
        return f"/c/{epc.removeprefix(NMPA)}"
    if epc.startswith(f"{digital_link.CANONICAL_DOMAIN}/01/") and "/21/" in epc:
        return urlsplit(epc).path
    return ""


def zone_of(member: Member) -> ZoneInfo:
    """The time zone in which a member reads times: of the usual site, else of the party's first, else UTC."""
    site = member.site or member.party.sites.order_by("id").first()
    return ZoneInfo(site.time_zone if site else "UTC")


def moment(ms: int | None, zone: ZoneInfo) -> str:
    """`2026-03-01 08:00`, or '' for None."""
    return "" if ms is None else datetime.fromtimestamp(ms / 1000, zone).strftime("%Y-%m-%d %H:%M")


def lasted(ms: int) -> str:
    """A span of time in words: minutes, hours or days, whichever fits; rounded, so that 71 h 59 min are 3 days."""
    minutes = ms // 60_000
    if minutes < 120:
        return ngettext("{n} minute", "{n} minutes", minutes).format(n=minutes)
    hours = (minutes + 30) // 60
    if hours < 48:
        return ngettext("{n} hour", "{n} hours", hours).format(n=hours)
    days = (hours + 12) // 24
    return ngettext("{n} day", "{n} days", days).format(n=days)


def step(event: PublishedEvent) -> str:
    """What happened, in words; a step of the party's own as it is written."""
    word = STEPS.get(event.biz_step)
    return str(word) if word else event.biz_step.replace("_", " ") or event.event_type


def code_fault(code: str) -> str:
    """What is wrong with a code that cannot be read, in words."""
    return str(_CODE_FAULTS.get(code, _("It is no code of a pack, case, pallet or lot that is known here.")))


class Names:
    """Party, place and product names; `learn` reads many at once, and each is asked for once per request."""

    def __init__(self) -> None:
        self._parties: dict[str, str] = {}
        self._places: dict[str, str] = {}
        self._products: dict[str, str] = {}

    def learn(
        self, *, parties_of: Iterable[str] = (), places: Iterable[str] = (), gtins: Iterable[str] = ()
    ) -> "Names":
        """Read these names with a fixed number of queries; what has no name is not asked for again either."""
        uris, spots, keys = (
            set(parties_of) - self._parties.keys(),
            set(places) - self._places.keys(),
            set(gtins) - self._products.keys(),
        )
        self._parties |= {uri: uri for uri in uris} | parties.names_of_parties(uris)
        self._places |= {uri: uri for uri in spots} | parties.names_of_places(spots)
        self._products |= dict.fromkeys(keys, "") | products.names_of(keys)
        return self

    def of_events(self, events: Iterable[PublishedEvent]) -> "Names":
        """Read the names that rows of events show."""
        rows = list(events)
        return self.learn(parties_of=[row.reporter for row in rows], places=[place_of(row) for row in rows])

    def party(self, uri: str) -> str:
        """The party's name, or its URI."""
        if uri and uri not in self._parties:
            self.learn(parties_of=[uri])
        return self._parties.get(uri, uri)

    def place(self, uri: str) -> str:
        """The place's name, or its URI."""
        if uri and uri not in self._places:
            self.learn(places=[uri])
        return self._places.get(uri, uri)

    def product(self, gtin: str) -> str:
        """The product's name, or ''."""
        if gtin and gtin not in self._products:
            self.learn(gtins=[gtin])
        return self._products.get(gtin, "")


def place_of(event: PublishedEvent) -> str:
    """Where an event happened."""
    return event.biz_location or event.read_point
