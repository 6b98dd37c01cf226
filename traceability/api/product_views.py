"""A party's own products, lots and places: read, made, changed; what others may know of a product (docs/api.md)."""

from collections.abc import Callable
from typing import Any

from django.http import HttpResponse, JsonResponse
from rest_framework.request import Request
from rest_framework.views import APIView

from traceability.common.problems import ProblemError
from traceability.parties import services as places
from traceability.parties.models import Party, Site
from traceability.products import selectors, services
from traceability.products.models import TradeItem
from traceability.queries import paging

from . import answers, problems
from .authentication import party_of
from .product_bodies import (
    ITEM,
    LOT,
    PLACE,
    Body,
    changing,
    day,
    item_body,
    lot_body,
    members,
    place_body,
    require_version,
    unknown_body,
    version_of,
)  # fmt: skip


class MasterDataView(APIView):
    """What the views of a party's own things have in common."""

    parser_classes = ()

    def party(self) -> Party:
        """Whose system calls."""
        return party_of(self.request)

    def listed(self, request: Request, kind: str, rows: Any, body: Callable[[Any], Body]) -> HttpResponse:
        """A page of `rows`, a queryset ordered by its key."""
        found, token = paging.page(
            answers.parameters(request),
            kind,
            lambda after, limit, _chosen: list(rows.filter(pk__gt=after)[:limit] if after else rows[:limit]),
            lambda row: str(row.pk),
            holder=self.party().uri,
        )
        return answers.with_next(JsonResponse([body(row) for row in found], safe=False), request, token)


class Products(MasterDataView):
    """The party's own trade items."""

    def get(self, request: Request) -> HttpResponse:
        return self.listed(request, "products", self.party().trade_items.order_by("id"), item_body)


class Product(MasterDataView):
    """One trade item: to its maker all of it and to change, to others what is public."""

    def get(self, request: Request, id: str) -> HttpResponse:
        return versioned(item_body(item_of(id)))

    def put(self, request: Request, id: str) -> HttpResponse:
        given = members(request, ITEM)
        with changing(self.party()):
            known = TradeItem.objects.select_for_update().filter(id=id).first()
            require_own(known.manufacturer_id if known else None, self.party(), "product")
            require_version(request, item_body(known) if known else None)
            item = services.save_item(
                id=id,
                manufacturer=self.party(),
                gtin=given.get("gtin"),
                nmpa_prefix=given.get("nmpaPrefix"),
                name=given["name"],
                generic_name=given["genericName"],
                strength=given["strength"],
                pack_size=given["packSize"],
                authorisation=given["authorisation"],
                profile_id=given["profile"],
            )
        return versioned(item_body(item), made=known is None)


class Lots(MasterDataView):
    """The lots of one of the party's own products."""

    def get(self, request: Request, item: str) -> HttpResponse:
        return self.listed(request, f"lots {item}", own_item(item, self.party()).lots.order_by("pk"), lot_body)


class LotView(MasterDataView):
    """One lot of the party's own product."""

    def get(self, request: Request, item: str, number: str) -> HttpResponse:
        lot = own_item(item, self.party()).lots.filter(number=number).first()
        if lot is None:
            raise problems.not_found("there is no such lot of yours")
        return versioned(lot_body(lot))

    def put(self, request: Request, item: str, number: str) -> HttpResponse:
        given = members(request, LOT)
        with changing(self.party()):
            of = own_item(item, self.party())
            known = of.lots.select_for_update().filter(number=number).first()
            require_version(request, lot_body(known) if known else None)
            lot = services.save_lot(
                item=of,
                number=number,
                production_date=day(given, "productionDate"),
                expiry_date=day(given, "expiryDate"),
            )
        return versioned(lot_body(lot), made=known is None)


class Places(MasterDataView):
    """The party's own places."""

    def get(self, request: Request) -> HttpResponse:
        return self.listed(request, "places", self.party().sites.order_by("id"), place_body)


class Place(MasterDataView):
    """One of the party's own places."""

    def get(self, request: Request, id: str) -> HttpResponse:
        site = self.party().sites.filter(id=id).first()
        if site is None:
            raise problems.not_found("there is no such place of yours")
        return versioned(place_body(site))

    def put(self, request: Request, id: str) -> HttpResponse:
        given = members(request, PLACE)
        with changing(self.party()):
            known = Site.objects.select_for_update().filter(id=id).first()
            require_own(known.party_id if known else None, self.party(), "place")
            require_version(request, place_body(known) if known else None)
            site = places.save_site(
                id=id,
                party=self.party(),
                name=given["name"],
                gln=given.get("gln"),
                latitude_e6=round(given["latitude"] * 1_000_000),
                longitude_e6=round(given["longitude"] * 1_000_000),
                time_zone=given["timeZone"],
                city=given["city"],
                country=given["country"],
            )
        return versioned(place_body(site), made=known is None)


class Unknown(MasterDataView):
    """Codes met in events that the party reported and that no master data knows by now."""

    def get(self, request: Request) -> HttpResponse:
        rows = selectors.open_unknowns().filter(first_reporter=self.party().uri).order_by("pk")
        return self.listed(request, "unknown", rows, unknown_body)


def item_of(id: str) -> TradeItem:
    """The product; 404 where there is none."""
    item = TradeItem.objects.filter(id=id).first()
    if item is None:
        raise problems.not_found("there is no such product")
    return item


def own_item(id: str, party: Party) -> TradeItem:
    """The party's own product; 404 for another's."""
    item = party.trade_items.filter(id=id).first()
    if item is None:
        raise problems.not_found("there is no such product of yours")
    return item


def require_own(owner: str | None, party: Party, what: str) -> None:
    """ProblemError 403 where the thing is there and another party's."""
    if owner is not None and owner != party.id:
        raise ProblemError(403, "not-yours", f"this {what} is another party's")


def versioned(body: Body, *, made: bool = False) -> HttpResponse:
    """The thing, with the entity tag of this version."""
    return JsonResponse(body, status=201 if made else 200, headers={"ETag": version_of(body)})
