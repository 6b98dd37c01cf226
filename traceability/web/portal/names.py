"""How the portal names things: goods as printed, parties and places by name, moments in local time."""

from datetime import datetime
from functools import cache
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from django.utils.translation import gettext_lazy as _

from traceability.contracts import wording
from traceability.gs1 import digital_link
from traceability.parties import selectors as parties
from traceability.parties.models import Member

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
SHIPMENT_STATUSES = {
    "open": _("On the way"),
    "partial": _("Partly received"),
    "received": _("Received"),
    "void": _("Called back"),
}
SHIPMENT_TONES = {"open": "is-unknown", "partial": "is-warn", "received": "is-ok", "void": "is-unknown"}
DOCUMENTS = "urn:dosetrail:document:"
NMPA = "urn:dosetrail:nmpa:"


def goods(epc: str) -> str:
    """A pack, case or lot as people read it on the goods."""
    return epc.removeprefix(NMPA) if epc.startswith(NMPA) else wording.short(epc)


def document(uri: str) -> str:
    """A document number without our namespace."""
    return uri.removeprefix(DOCUMENTS)


def document_uri(text: str) -> str:
    """The same the other way, as `scans` records it; what is a URI already stays."""
    return text if not text or ":" in text else DOCUMENTS + text


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


class Names:
    """Party and place names by URI; each is asked for once per request."""

    def __init__(self) -> None:
        self.party = cache(self._party)
        self.place = cache(self._place)

    @staticmethod
    def _party(uri: str) -> str:
        party = parties.party_by_uri(uri) if uri else None
        return party.name if party else uri

    @staticmethod
    def _place(uri: str) -> str:
        site = parties.site_by_uri(uri) if uri else None
        return site.name if site else uri
