"""The operations on products, lots, places, and the links that makers register."""

from rest_framework.views import APIView

from traceability.api import link_views, product_bodies, product_views
from traceability.gs1 import linkset

from .build import Schema, answer, many, members, ref, text, words
from .operation import JSON, Answer, Operation
from .parameters import PAGING, header

_TAG = "Master data"
_TEXTS = {"name": 200, "genericName": 200, "strength": 100, "packSize": 100, "authorisation": 100}
_ITEM: dict[str, Schema] = {
    "gtin": {"anyOf": [text("GTIN-14.", format="gtin", pattern="^[0-9]{14}$"), {"type": "null"}]},
    "nmpaPrefix": {"anyOf": [text("Product resource code.", pattern="^[0-9]{7}$"), {"type": "null"}]},
    **{name: text(minLength=1, maxLength=most, format="plain-text") for name, most in _TEXTS.items()},
    "profile": text("Id of a storage profile.", format="profile"),
}
_LOT: dict[str, Schema] = {
    "productionDate": text(format="production-date"),
    "expiryDate": text("Last valid day.", format="date"),
}
_PLACE: dict[str, Schema] = {
    "name": text(minLength=1, maxLength=200, format="plain-text"),
    "gln": {"anyOf": [text("GLN.", format="gln", pattern="^[0-9]{13}$"), {"type": "null"}]},
    "latitude": {"type": "number", "minimum": -90, "maximum": 90},
    "longitude": {"type": "number", "minimum": -180, "maximum": 180},
    "timeZone": text("IANA name.", format="time-zone"),
    "city": text(minLength=1, maxLength=100, format="plain-text"),
    "country": text("ISO 3166-1.", pattern="^[A-Z]{2}$"),
}
_LINK: dict[str, Schema] = {
    "linkType": words(tuple(link_views.PREFIX + name for name in linkset.LINK_TYPES), "GS1 Web Vocabulary."),
    "href": text("Where it leads.", format="https-url", pattern=linkset.HREF, maxLength=linkset.MAX_HREF),
    "title": text(minLength=1, maxLength=linkset.MAX_TITLE, format="plain-text"),
    "hreflang": text("RFC 5646; '' = for everybody.", format="language", pattern=linkset.LANGUAGE),
    "type": text("Media type.", format="media-type", pattern=linkset.MEDIA_TYPE, maxLength=linkset.MAX_TYPE),
    "default": {"type": "boolean", "description": "For readers whose language none of this type is in."},
}


def _needed(table: dict[str, bool]) -> list[str]:
    return [name for name, is_needed in table.items() if is_needed]


COMPONENTS: dict[str, Schema] = {
    "ProductChange": {
        **members(_ITEM, _needed(dict(product_bodies.ITEM)), "A product in one pack size."),
        "anyOf": [
            {"required": [name], "properties": {name: {"not": {"type": "null"}}}} for name in ("gtin", "nmpaPrefix")
        ],
    },
    "Product": answer({"id": text(), "manufacturer": text("Party id."), **_ITEM}),
    "Products": many(ref("Product")),
    "LotChange": members(_LOT, _needed(dict(product_bodies.LOT)), "A production batch."),
    "Lot": answer({"product": text(), "number": text(), **_LOT}),
    "Lots": many(ref("Lot")),
    "PlaceChange": members(_PLACE, _needed(dict(product_bodies.PLACE)), "A place where goods are."),
    "MasterDataPlace": answer({"id": text(), "uri": text("Its name in events."), **_PLACE}),
    "MasterDataPlaces": many(ref("MasterDataPlace")),
    "ProductLinkChange": members(
        _LINK, [name for name, (_, _, needed) in link_views.LINK.items() if needed], "One link."
    ),
    "ProductLinksChange": members(
        {"links": {**many(ref("ProductLinkChange")), "minItems": 1, "maxItems": linkset.MAX_LINKS}},
        ["links"],
        "All links of a product or of a lot; at most one of a type is the default, none stands twice.",
    ),
    "ProductLink": answer(_LINK),
    "ProductLinks": answer(
        {"product": text(), "lot": {"anyOf": [text(), {"type": "null"}]}, "links": many(ref("ProductLink"))},
    ),
    "UnknownCode": answer(
        {"scheme": words(("gln", "gtin", "nmpa")), "value": text(), "eventID": text(), "firstSeen": ref("DateTime")}
    ),
    "UnknownCodes": many(ref("UnknownCode")),
}
_IF_MATCH = header("If-Match", text(format="etag"), "The ETag of the version that is changed.")
_IF_NONE_MATCH = header("If-None-Match", text(format="any"), "`*`: make it, if it is not there yet.")
_ETAG = {"ETag": "ETag"}
_PAGED = {"Link": "Link", "GS1-Next-Page-Token-Expires": "GS1-Next-Page-Token-Expires"}
_CHANGING = (400, 403, 404, 409, 412, 413, 415, 428, 507)


def _list(name: str, summary: str, component: str, *more: int) -> Operation:
    page = {200: Answer("A page.", {JSON: ref(component)}, _PAGED)}
    return Operation(name, _TAG, summary, page, refusals=(400, *more), parameters=PAGING)


def _get(name: str, summary: str, component: str) -> Operation:
    return Operation(name, _TAG, summary, {200: Answer("It.", {JSON: ref(component)}, _ETAG)}, refusals=(404,))


def _put(name: str, summary: str, component: str) -> Operation:
    content = {JSON: ref(component)}
    return Operation(
        name,
        _TAG,
        summary,
        {200: Answer("Changed.", content, _ETAG), 201: Answer("Made.", content, _ETAG)},
        "Each change is a version on the log, signed by the caller. Takes a whole thing: what is left out is emptied.",
        _CHANGING,
        (_IF_MATCH, _IF_NONE_MATCH),
        {JSON: ref(f"{component.removeprefix('MasterData')}Change")},
    )


def _delete(name: str, summary: str) -> Operation:
    gone = {204: Answer("Removed; the log has a version without links.")}
    return Operation(name, _TAG, summary, gone, refusals=(403, 404, 409, 412, 428, 507), parameters=(_IF_MATCH,))


OPERATIONS: dict[tuple[type[APIView], str], Operation] = {
    (product_views.Products, "GET"): _list("listProducts", "The caller's products", "Products"),
    (product_views.Product, "GET"): _get("getProduct", "A product, anybody's", "Product"),
    (product_views.Product, "PUT"): _put("putProduct", "Make or change a product of one's own", "Product"),
    (product_views.Lots, "GET"): _list("listLots", "The lots of a product of one's own", "Lots", 404),
    (product_views.LotView, "GET"): _get("getLot", "A lot of a product of one's own", "Lot"),
    (product_views.LotView, "PUT"): _put("putLot", "Make or change a lot of a product of one's own", "Lot"),
    (product_views.Places, "GET"): _list("listPlaces", "The caller's places", "MasterDataPlaces"),
    (product_views.Place, "GET"): _get("getPlace", "A place of one's own", "MasterDataPlace"),
    (product_views.Place, "PUT"): _put("putPlace", "Make or change a place of one's own", "MasterDataPlace"),
    (link_views.ProductLinks, "GET"): _get("getProductLinks", "The links of a product, anybody's", "ProductLinks"),
    (link_views.ProductLinks, "PUT"): _put(
        "putProductLinks", "Register all links of a product of one's own", "ProductLinks"
    ),
    (link_views.ProductLinks, "DELETE"): _delete("deleteProductLinks", "Remove a product's links"),
    (link_views.LotLinks, "GET"): _get("getLotLinks", "The links of a lot of one's own", "ProductLinks"),
    (link_views.LotLinks, "PUT"): _put("putLotLinks", "Register a lot's links", "ProductLinks"),
    (link_views.LotLinks, "DELETE"): _delete("deleteLotLinks", "Remove a lot's links"),
    (product_views.Unknown, "GET"): _list(
        "listUnknownCodes", "Codes that the caller's events named and nobody registered", "UnknownCodes"
    ),
}
