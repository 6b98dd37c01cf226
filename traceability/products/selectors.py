"""Reading products."""

from django.db.models import QuerySet

from traceability.gs1 import nmpa

from .models import Lot, TradeItem, UnknownIdentifier


def item_by_gtin(gtin: str) -> TradeItem | None:
    """The trade item of a GTIN-14, or None."""
    return TradeItem.objects.select_related("manufacturer", "profile").filter(gtin=gtin).first()


def item_by_nmpa(code: str) -> TradeItem | None:
    """The trade item of a Chinese drug trace code, by its product resource code, or None."""
    prefix = nmpa.product_prefix(code)
    return TradeItem.objects.select_related("manufacturer", "profile").filter(nmpa_prefix=prefix).first()


def lot(gtin: str, number: str) -> Lot | None:
    """A lot by GTIN and number, or None."""
    return (
        Lot.objects.select_related("item__manufacturer", "item__profile").filter(item__gtin=gtin, number=number).first()
    )


def open_unknowns() -> QuerySet[UnknownIdentifier]:
    """The steward's work list: identifiers met in events that no master data knows, oldest first."""
    return UnknownIdentifier.objects.filter(resolved_ms=None).order_by("first_seen_ms", "id")
