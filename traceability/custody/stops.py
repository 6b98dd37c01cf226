"""Reading what stops goods: recalls, holds and freezes of lots and products, freezes of places."""

from collections.abc import Collection

from traceability.common import bulk
from traceability.gs1 import digital_link
from traceability.gs1.epc import without_extension

from .models import LotStatus, PlaceStatus


def lot_status(gtin: str, lot: str) -> LotStatus | None:
    """What class-level events say of a lot, or None; a recall or hold of the whole product counts for its lots."""
    return lot_statuses([(gtin, lot)]).get((gtin, lot))


def product_status(gtin: str) -> LotStatus | None:
    """What class-level events say of the whole product, or None."""
    return LotStatus.objects.filter(lot_class=digital_link.build(gtin=gtin)).first()


def lot_statuses(lots: Collection[tuple[str, str]]) -> dict[tuple[str, str], LotStatus]:
    """`lot_status` for many (gtin, lot) pairs in one query; '' as lot: what nobody recorded the lot of."""
    named = {
        (gtin, lot): (digital_link.lot_class(gtin, lot) if lot else "", digital_link.build(gtin=gtin))
        for gtin, lot in lots
        if gtin
    }
    wanted = {name for names in named.values() for name in names} - {""}
    rows = {row.lot_class: row for row in bulk.among(LotStatus.objects.all(), "lot_class", wanted)}
    found = {pair: _merged(rows.get(own), rows.get(product)) for pair, (own, product) in named.items()}
    return {pair: row for pair, row in found.items() if row is not None}


def stopped(column: str) -> tuple[set[tuple[str, str]], set[str]]:
    """The (GTIN, lot) pairs and the GTINs of whole products with a recalled_index, held_index or frozen_index."""
    names = LotStatus.objects.filter(**{f"{column}__isnull": False}).values_list("lot_class", flat=True)
    found = {lot for name in names if (lot := digital_link.of_class(name))}
    return {lot for lot in found if lot[1]}, {gtin for gtin, number in found if not number}


def frozen_places(places: Collection[str]) -> dict[str, int]:
    """Those of these places that a regulator has frozen, by the event that says so; a part goes with its place."""
    wanted = {key for place in places for key in (place, without_extension(place))}
    frozen = dict(bulk.among(PlaceStatus.objects.values_list("place", "frozen_index"), "place", wanted))
    found = {place: frozen.get(place, frozen.get(without_extension(place))) for place in places}
    return {place: index for place, index in found.items() if index is not None}


def freezes() -> list[tuple[str, int]]:
    """Every lot, product and place that is frozen now, with the event that says so; newest first."""
    lots = LotStatus.objects.exclude(frozen_index=None).values_list("lot_class", "frozen_index")
    places = PlaceStatus.objects.values_list("place", "frozen_index")
    return sorted(((uri, index) for uri, index in (*lots, *places) if index is not None), key=lambda one: -one[1])


def _merged(lot: LotStatus | None, product: LotStatus | None) -> LotStatus | None:
    if product is None or lot is None:
        return lot or product
    recall = lot if lot.recalled_index is not None else product
    return LotStatus(
        lot_class=lot.lot_class,
        recalled_index=recall.recalled_index,
        recalled_ms=recall.recalled_ms,
        recalled_by=recall.recalled_by,
        held_index=lot.held_index if lot.held_index is not None else product.held_index,
        frozen_index=lot.frozen_index if lot.frozen_index is not None else product.frozen_index,
        released_index=lot.released_index,
    )
