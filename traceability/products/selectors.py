"""Reading products."""

from collections.abc import Collection
from datetime import date

from django.db.models import Exists, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Concat

from traceability.gs1 import nmpa
from traceability.parties.models import PartyIdentifier, Site

from .models import Lot, StorageProfile, TradeItem, UnknownIdentifier, VocabularyElement

_GS1 = "https://id.gs1.org/"


def item_by_gtin(gtin: str) -> TradeItem | None:
    """The trade item of a GTIN-14, or None."""
    return TradeItem.objects.select_related("manufacturer", "profile").filter(gtin=gtin).first()


def titles_of(gtins: Collection[str]) -> dict[str, str]:
    """Name and strength of the products with these GTINs; unknown ones are left out."""
    rows = TradeItem.objects.filter(gtin__among=frozenset(gtins)).values_list("gtin", "name", "strength")
    return {gtin: f"{name} {strength}" for gtin, name, strength in rows if gtin}


def item_by_nmpa(code: str) -> TradeItem | None:
    """The trade item of a Chinese drug trace code, by its product resource code, or None."""
    prefix = nmpa.product_prefix(code)
    return TradeItem.objects.select_related("manufacturer", "profile").filter(nmpa_prefix=prefix).first()


def names_of_items(ids: Collection[str]) -> dict[str, str]:
    """Product names by item id; ids that are not registered are left out."""
    return dict(TradeItem.objects.filter(id__in=ids).values_list("id", "name")) if ids else {}


def names_of(gtins: Collection[str]) -> dict[str, str]:
    """The names of the products with these GTINs; unknown ones are left out."""
    rows = TradeItem.objects.filter(gtin__in=gtins).values_list("gtin", "name") if gtins else []
    return {gtin: name for gtin, name in rows if gtin}


def gtins_named(text: str) -> list[str]:
    """The GTINs of products in whose name, generic name or strength this text stands, in any case of letters."""
    named = Q(name__icontains=text) | Q(generic_name__icontains=text) | Q(strength__icontains=text)
    return [gtin for gtin in TradeItem.objects.filter(named).values_list("gtin", flat=True) if gtin]


def profile_of(item_id: str) -> StorageProfile | None:
    """How an item must be stored, or None for an unknown one."""
    item = TradeItem.objects.select_related("profile").filter(id=item_id).first()
    return item.profile if item else None


def lot(gtin: str, number: str) -> Lot | None:
    """A lot by GTIN and number, or None."""
    return (
        Lot.objects.select_related("item__manufacturer", "item__profile").filter(item__gtin=gtin, number=number).first()
    )


def expiries(lots: Collection[tuple[str, str]]) -> dict[tuple[str, str], date]:
    """The last valid day of each registered (GTIN, lot), as its maker says it now; one query."""
    gtins, numbers = (frozenset(pair[side] for pair in lots) for side in (0, 1))
    rows = Lot.objects.filter(item__gtin__among=gtins, number__among=numbers)
    found = {(gtin, number): day for gtin, number, day in rows.values_list("item__gtin", "number", "expiry_date")}
    return {pair: found[pair] for pair in lots if pair in found}


def open_unknowns() -> QuerySet[UnknownIdentifier]:
    """The steward's work list: identifiers met in events that no master data knows by now, oldest first."""
    value = OuterRef("value")
    known = (
        Q(Exists(TradeItem.objects.filter(gtin=value)), scheme="gtin")
        | Q(Exists(TradeItem.objects.filter(nmpa_prefix=value)), scheme="nmpa")
        | Q(Exists(Site.objects.filter(gln=value)), scheme="gln")
        | Q(Exists(PartyIdentifier.objects.filter(scheme="gln", value=value)), scheme="gln")
        | Q(_accepted(f"{_GS1}01/"), scheme="gtin")
        | Q(_accepted(f"{_GS1}414/") | _accepted(f"{_GS1}417/"), scheme="gln")
    )
    return UnknownIdentifier.objects.exclude(known).order_by("first_seen_ms", "id")


def _accepted(prefix: str) -> Exists:
    """Whether a steward accepted what a partner says of the thing whose URI is `prefix` and the value."""
    return Exists(VocabularyElement.objects.filter(uri=Concat(Value(prefix), OuterRef("value"))))
