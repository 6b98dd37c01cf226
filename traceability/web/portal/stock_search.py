"""The stock of a party's places, narrowed by what somebody types or scans and by state."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.db.models import Case, Q, QuerySet, Value, When
from django.utils.translation import gettext_lazy

from traceability.common.clock import now_ms
from traceability.custody import lot_stock, stock, stops
from traceability.custody.models import ItemState
from traceability.gs1 import digital_link, scan
from traceability.gs1.errors import Gs1Error
from traceability.gs1.scan import ScannedCode
from traceability.parties.models import Party, Site
from traceability.products import selectors as products

MAX_TEXT = 500
SOON_DAYS = 90
STATES = {
    "hold": gettext_lazy("On hold"),
    "recalled": gettext_lazy("Recalled"),
    "frozen": gettext_lazy("Frozen by the authority"),
    "expired": gettext_lazy("Expired"),
    "soon": gettext_lazy("Expires within 90 days"),
}


@dataclass(frozen=True)
class Search:
    """What is asked for: a code as scanned, a lot or serial number or a part of a product's name; and one of STATES."""

    text: str = ""
    state: str = ""

    @staticmethod
    def read(given: Mapping[str, str]) -> "Search":
        """The search as an address has it; what is no state is none."""
        state = given.get("state", "")
        # No strip() without characters: it takes the separators of a scanned code for white space.
        text = given.get("q", "").replace("\x00", "")[:MAX_TEXT].strip(" \t\r\n")
        return Search(text, state if state in STATES else "")

    @property
    def query(self) -> str:
        """As the rest of an address, '' where nothing is asked for."""
        return urlencode({name: value for name, value in (("q", self.text), ("state", self.state)) if value})


def sites_of(party: Party) -> dict[str, Site]:
    """The party's places by URI, in the order of their names."""
    return {site.uri: site for site in party.sites.order_by("name", "id")}


def found(search: Search, sites: Mapping[str, Site]) -> QuerySet[ItemState]:
    """What stands by itself at these places and fits: place by place, newest first. Gs1Error for a malformed code.

    The number of queries is that of the levels of containers; no row of the stock is read before somebody asks for it.
    """
    rows = stock.standing(sites)
    if search.text:
        rows = rows.filter(_named(search.text, sites))
    if search.state:
        rows = rows.filter(_in_state(search.state, sites))
    order = Case(*(When(place=uri, then=Value(rank)) for rank, uri in enumerate(sites)), default=Value(0))
    return rows.order_by(order, "-last_time_ms", "epc")


def _named(text: str, sites: Mapping[str, Site]) -> Q:
    is_digits = text.isascii() and text.isdigit()
    try:
        code = scan.parse(text, today=datetime.fromtimestamp(now_ms() / 1000, UTC).date())
    except Gs1Error:
        if not is_digits:  # digits that are no GTIN may be a lot or serial number
            raise
        code = ScannedCode("unknown", text)
    wanted = _coded(code, sites)
    return wanted | _in_words(text, code, sites) if is_digits or not wanted else wanted


def _coded(code: ScannedCode, sites: Mapping[str, Site]) -> Q:
    if code.kind in {"pack", "nmpa", "sscc"}:
        return stock.with_things([code.epc])
    if code.kind == "gln":
        return Q(place=code.epc)
    if code.kind == "lot":
        return stock.holding(sites, stock.of_lots([(code.gtin or "", code.lot or "")]))
    return stock.holding(sites, Q(gtin=code.gtin)) if code.kind == "gtin" else Q()


def _in_words(text: str, code: ScannedCode, sites: Mapping[str, Site]) -> Q:
    """A lot or serial number alone, with its identifier or without, or a part of a product's name."""
    number, serial, name = code.lot or "", code.serial or "", ""
    if not (number or serial):
        number = serial = name = text
    which = stock.of_lots(lot_stock.lots_numbered(number))
    if name:
        which |= Q(gtin__among=frozenset(products.gtins_named(name)))
    gtins = sorted(lot_stock.products_on_record()) if serial else []
    return stock.holding(sites, which) | stock.with_things([epc for gtin in gtins if (epc := _pack(gtin, serial))])


def _pack(gtin: str, serial: str) -> str:
    try:
        return digital_link.build(gtin=gtin, serial=serial)
    except Gs1Error:  # no serial number could be written so
        return ""


def _in_state(state: str, sites: Mapping[str, Site]) -> Q:
    if state in {"expired", "soon"}:
        return _expiring(state, sites)
    column = {"hold": "held_index", "recalled": "recalled_index", "frozen": "frozen_index"}[state]
    lots, whole = stops.stopped(column)
    wanted = stock.holding(sites, stock.of_lots(lots) | Q(gtin__among=frozenset(whole)))
    if state == "hold":
        wanted |= Q(held_index__isnull=False)
    if state == "frozen":
        wanted |= Q(place__among=frozenset(stops.frozen_places(sites)))
    return wanted


def _expiring(state: str, sites: Mapping[str, Site]) -> Q:
    """By the calendar day at each place; what has no lot on record has no date."""
    lots = {(one.gtin, one.lot) for one in lot_stock.lots_at(sites)}
    days, places = lot_stock.last_days(lots), defaultdict[date, list[str]](list)
    for uri, site in sites.items():
        places[datetime.fromtimestamp(now_ms() / 1000, ZoneInfo(site.time_zone)).date()].append(uri)
    wanted = Q()
    for today, here in places.items():
        end = today + timedelta(SOON_DAYS)
        near = {lot for lot, day in days.items() if (day < today if state == "expired" else today <= day <= end)}
        wanted |= Q(place__among=frozenset(here)) & stock.holding(here, stock.of_lots(near))
    return wanted
