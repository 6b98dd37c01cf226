"""A maker's own products, and the links that their codes lead to: listed, added, changed, removed."""

from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache

from traceability.common.problems import ProblemError
from traceability.gs1 import linkset
from traceability.gs1.linkset import Links, TargetLink
from traceability.parties.models import Member, Party
from traceability.parties.selectors import NoSignerError
from traceability.products import links, proposals
from traceability.products.models import Lot, TradeItem
from traceability.web.shared import link_words

from .access import member_view
from .problems import Error, worded

PAGE_SIZE = 50
_SHOWN_LOTS = 500
NEW = "new"  # stands for the number of a link that is not there yet
MEDIA_TYPES = {
    linkset.HTML: gettext_lazy("Web page"),
    "application/pdf": gettext_lazy("PDF document"),
    "application/json": gettext_lazy("Data (JSON)"),
    "application/xml": gettext_lazy("Data (XML)"),
    "video/mp4": gettext_lazy("Video"),
}
LANGUAGES = ("en", "zh-Hans", "zh-Hant", "ar", "de", "es", "fr", "ja", "ko", "pt", "ru")


@never_cache
@member_view
def products(request: HttpRequest, member: Member) -> HttpResponse:
    """The maker's products, and how many links each has, those of its lots included."""
    _require_maker(member)
    rows = member.party.trade_items.order_by("name", "id").prefetch_related("link_sets")
    page = Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page"))
    listed = [{"item": item, "links": sum(len(one.links) for one in item.link_sets.all())} for item in page.object_list]
    context = {"member": member, "section": "products", "rows": listed, "page": page}
    return render(request, "portal/products.html", context)


@never_cache
@member_view
def product(request: HttpRequest, member: Member, item_id: str) -> HttpResponse:
    """The links of one product, or with ?lot= of one of its lots; each form POSTs an `action` on one of them."""
    _require_maker(member)
    item = member.party.trade_items.filter(id=item_id).first()
    if item is None:
        raise Http404
    lot = _lot(item, request.GET.get("lot", ""))
    if request.method != "POST":
        return _page(request, member, item, lot)
    if not proposals.is_steward(member):
        raise PermissionDenied
    try:
        links.change(item=item, lot=lot, edit=lambda standing: _edited(request, standing))
    except links.LinksRefusedError as refused:
        errors = [worded(fault.code, fault.detail, fault.field) for fault in refused.faults]
        return _page(request, member, item, lot, errors=errors, status=400)
    except NoSignerError as error:
        return _page(request, member, item, lot, errors=[worded("no-signing-key", str(error))], status=409)
    except ProblemError as problem:
        said = replace(worded(problem.code, problem.detail), field="href")
        return _page(request, member, item, lot, errors=[said], status=problem.status)
    messages.success(request, _("Done."))
    return redirect(_address(item, lot))


def _edited(request: HttpRequest, standing: Links) -> Links:
    """The links after what the form says; ProblemError where they are others by now than those that the page showed."""
    if request.POST.get("version") != links.digest(standing):
        raise ProblemError(409, "changed-meanwhile", "the links are others by now")
    action, key = request.POST.get("action", ""), request.POST.get("link", "")
    if action == "add":
        return _placed(standing, len(standing), _given(request))
    if action not in {"change", "remove"} or key not in {str(index) for index in range(len(standing))}:
        raise Http404
    if action == "remove":
        return (*standing[: int(key)], *standing[int(key) + 1 :])
    return _placed(standing, int(key), _given(request))


def _placed(standing: Links, index: int, link: TargetLink) -> Links:
    """The links with this one at its place; a new default of a type takes the place of the one before."""
    others = [
        replace(one, is_default=one.is_default and not (link.is_default and one.kind == link.kind)) for one in standing
    ]
    return (*others[:index], link, *others[index + 1 :])


def _given(request: HttpRequest) -> TargetLink:
    given = {name: request.POST.get(name, "").strip() for name in ("kind", "href", "title", "language", "media_type")}
    return TargetLink(**given, is_default=bool(request.POST.get("is_default")))


def _page(
    request: HttpRequest,
    member: Member,
    item: TradeItem,
    lot: Lot | None,
    *,
    errors: list[Error] | None = None,
    status: int = 200,
) -> HttpResponse:
    standing = links.of(item, lot)
    tried = request.POST.get("link", "") if errors else ""  # which form comes back with what was written
    rows = [_row(str(index), link) for index, link in enumerate(standing)]
    for row in rows:
        if row["key"] == tried:
            row |= {"form": _given(request), "is_tried": True}
    context = {
        "member": member,
        "section": "products",
        "item": item,
        "lot": lot,
        "lots": item.lots.order_by("-production_date", "number")[:_SHOWN_LOTS],
        "rows": rows,
        "added": {
            "key": NEW,
            "form": _given(request) if tried == NEW else TargetLink("", "", ""),
            "is_tried": tried == NEW,
        },
        "version": links.digest(standing),
        "may_change": proposals.is_steward(member),
        "is_full": len(standing) >= linkset.MAX_LINKS,
        "kinds": link_words.KINDS.items(),
        "media_types": MEDIA_TYPES.items(),
        "languages": [(tag, link_words.language(tag)) for tag in LANGUAGES],
        "errors": [replace(error, field=f"{error.field}_{tried}") for error in errors or ()],
        "wrong": {error.field: error.text for error in errors or ()},
    }
    return render(request, "portal/product.html", context, status=status)


def _blank(request: HttpRequest, is_tried: bool) -> dict[str, Any]:
    return {"key": NEW, "form": _given(request) if is_tried else TargetLink("", "", ""), "is_tried": is_tried}


def _row(key: str, link: TargetLink) -> dict[str, Any]:
    return {
        "key": key,
        "link": link,
        "label": link_words.KINDS[link.kind],
        "language": link_words.language(link.language),
        "media_type": MEDIA_TYPES.get(link.media_type, link.media_type),
        "form": link,
        "is_tried": False,
    }


def _require_maker(member: Member) -> None:
    if not member.party.has_role(Party.Role.MANUFACTURER):
        raise PermissionDenied


def _lot(item: TradeItem, number: str) -> Lot | None:
    if not number:
        return None
    found = item.lots.filter(number=number).first()
    if found is None:
        raise Http404
    return found


def _address(item: TradeItem, lot: Lot | None) -> str:
    query = {"lot": lot.number} if lot else None
    return reverse("portal:product", args=[item.id], query=query)
