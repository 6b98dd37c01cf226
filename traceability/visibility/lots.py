"""Where a maker's lot is: counts per city and status that tell nothing of single customers; if recalled, the holders.

Counts rest on what custody says, so a false record moves a pack here as well.
"""

from collections import defaultdict
from dataclasses import dataclass

from traceability.custody import lot_packs, stops
from traceability.custody.lot_packs import LotHolder
from traceability.parties import selectors as parties
from traceability.parties.models import Party
from traceability.products.models import Lot

# A count is shown when it is of so many packs, at so many other parties; smaller ones are only part of the rest.
MIN_PACKS = 10
MIN_PARTIES = 3


@dataclass(frozen=True)
class Count:
    """Packs of a lot in one status in a city; `city` '' = at places that are not registered."""

    city: str
    country: str
    status: str
    packs: int


@dataclass(frozen=True)
class Whereabouts:
    """`own` at the maker itself, exactly; `counts` elsewhere; `rest` = packs in counts too small to be shown."""

    own: list[Count]
    counts: list[Count]
    rest: int
    holders: list[LotHolder]  # all others by name, while the lot is recalled


def whereabouts(lot: Lot, *, maker: Party) -> Whereabouts | None:
    """What the maker of a lot may know of its packs; None for anybody else."""
    if lot.item.manufacturer_id != maker.pk or not lot.item.gtin:
        return None
    rows = lot_packs.trace_down(lot.item.gtin, lot.number)
    sites = parties.sites_by_uri({row.place for row in rows})
    cells: dict[tuple[bool, str, str, str], list[LotHolder]] = defaultdict(list)
    for row in rows:
        site = sites.get(row.place)
        cells[row.party == maker.uri, site.city if site else "", site.country if site else "", row.status].append(row)
    own, counts, rest = [], [], 0
    for (is_own, city, country, status), found in sorted(cells.items()):
        packs = sum(row.packs for row in found)
        if is_own:
            own.append(Count(city, country, status, packs))
        elif packs >= MIN_PACKS and len({row.party for row in found}) >= MIN_PARTIES:
            counts.append(Count(city, country, status, packs))
        else:
            rest += packs
    standing = stops.lot_status(lot.item.gtin, lot.number)
    recalled = standing is not None and standing.recalled_index is not None
    return Whereabouts(own, counts, rest, [row for row in rows if row.party != maker.uri] if recalled else [])


def recorded_last_by(party: Party, gtin: str, lot: str) -> list[LotHolder]:
    """The packs of a lot of which the party itself told last: at its places, on the way from it, sold by it."""
    return [row for row in lot_packs.trace_down(gtin, lot) if row.party == party.uri]
