"""Links that a maker registers for the Digital Link resolver, of its product or a lot of it (docs/api.md)."""

from collections.abc import Callable
from typing import Any

from django.http import HttpResponse
from rest_framework.request import Request

from traceability.common.problems import ProblemError
from traceability.products import links
from traceability.products.links import Links, LinksRefusedError, TargetLink
from traceability.products.models import Lot, TradeItem

from . import bodies, problems
from .product_bodies import Body, changing, refused, require_version
from .product_views import MasterDataView, item_of, own_item, require_own, versioned

# member of a link -> (field of TargetLink, its type, whether it must be there)
LINK: dict[str, tuple[str, type, bool]] = {
    "linkType": ("kind", str, True),
    "href": ("href", str, True),
    "title": ("title", str, True),
    "hreflang": ("language", str, False),
    "type": ("media_type", str, False),
    "default": ("is_default", bool, False),
}
PREFIX = "gs1:"
_MEMBERS = {field: name for name, (field, _, _) in LINK.items()}
_NONE = "no links are registered here"


class LinksView(MasterDataView):
    """A product's links, anybody's to read; with a `number`, those of a lot, which is there for its maker only."""

    def get(self, request: Request, id: str, number: str | None = None) -> HttpResponse:
        item = item_of(id) if number is None else own_item(id, self.party())
        lot = _lot(item, number)
        found = links.of(item, lot)
        if not found:
            raise problems.not_found(_NONE)
        return versioned(_body(item, lot, found))

    def put(self, request: Request, id: str, number: str | None = None) -> HttpResponse:
        given = _read(request)
        body, before = self._changed(request, id, number, lambda _: given)
        return versioned(body, made=not before)

    def delete(self, request: Request, id: str, number: str | None = None) -> HttpResponse:
        def emptied(standing: Links) -> Links:
            if not standing:
                raise problems.not_found(_NONE)
            return ()

        self._changed(request, id, number, emptied)
        return HttpResponse(status=204)

    def _changed(self, request: Request, id: str, number: str | None, make: Callable[[Links], Links]) -> Any:
        """(what stands then, what stood before), if that is the version that the caller read."""
        before: list[Links] = []

        def edit(standing: Links) -> Links:
            before.append(standing)
            new = make(standing)
            require_version(request, _body(item, lot, standing) if standing else None)
            return new

        with changing(self.party()):
            item = item_of(id)
            require_own(item.manufacturer_id, self.party(), "product")
            lot = _lot(item, number)
            try:
                return _body(item, lot, links.change(item=item, lot=lot, edit=edit)), before[0]
            except LinksRefusedError as error:
                raise _problem(error) from error


class ProductLinks(LinksView):
    """The links of a product."""


class LotLinks(LinksView):
    """The links of a lot."""


def _lot(item: TradeItem, number: str | None) -> Lot | None:
    if number is None:
        return None
    lot = item.lots.filter(number=number).first()
    if lot is None:
        raise problems.not_found("there is no such lot of yours")
    return lot


def _body(item: TradeItem, lot: Lot | None, found: Links) -> Body:
    return {"product": item.id, "lot": lot.number if lot else None, "links": [_link(one) for one in found]}


def _link(link: TargetLink) -> Body:
    return {name: getattr(link, field) for name, (field, _, _) in LINK.items()} | {"linkType": PREFIX + link.kind}


def _read(request: Request) -> Links:
    """The links in the body; ProblemError names each member that is not as it should be."""
    body = bodies.read_object(request)
    if errors := [
        _error(name, "unknown-member", "is not a member of this") for name in sorted(body.keys() - {"links"})
    ]:
        raise refused(400, errors)
    given = body.get("links")
    if not isinstance(given, list) or not given:
        raise refused(400, [_error("links", "list", "must be a list of one link or more; DELETE removes all")])
    if errors := [error for index, one in enumerate(given) for error in _wrong(f"links/{index}", one)]:
        raise refused(400, errors)
    return tuple(_target(one) for one in given)


def _target(given: Body) -> TargetLink:
    values = {LINK[name][0]: value for name, value in given.items()}
    if values["kind"].startswith(PREFIX):
        values["kind"] = values["kind"].removeprefix(PREFIX)
    else:
        values["kind"] = ""  # a bare name is no link type: the rules refuse it
    return TargetLink(**values)


def _wrong(where: str, given: Any) -> list[dict[str, str]]:
    if not isinstance(given, dict):
        return [_error(where, "object", "must be a link, an object")]
    unknown = sorted(given.keys() - LINK.keys())
    found = [_error(f"{where}/{name}", "unknown-member", "is not a member of a link") for name in unknown]
    for name, (_, type_, needed) in LINK.items():
        if name not in given and needed:
            found.append(_error(f"{where}/{name}", "missing", "must be there"))
        elif name in given and not isinstance(given[name], type_):
            words = "must be true or false" if type_ is bool else "must be a text"
            found.append(_error(f"{where}/{name}", "type", words))
    return found


def _problem(error: LinksRefusedError) -> ProblemError:
    errors = []
    for fault in error.faults:
        field = f"links/{fault.index}/{_MEMBERS[fault.field]}" if fault.field else "links"
        errors.append({"field": field, "code": fault.code, "message": fault.detail})
    return refused(400, errors)


def _error(field: str, code: str, words: str) -> dict[str, str]:
    return {"field": field, "code": code, "message": f"{field[:60]} {words}"}
