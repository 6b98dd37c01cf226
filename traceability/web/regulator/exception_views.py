"""Exceptions that parties have brought before the regulator; it reads, the party decides about its goods."""

from zoneinfo import ZoneInfo

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from traceability.exceptions import selectors
from traceability.parties.models import Member
from traceability.web.shared import exception_rows

from .access import inspector_view

PAGE_SIZE = 50
_UTC = ZoneInfo("UTC")


@inspector_view
def exceptions(request: HttpRequest, member: Member) -> HttpResponse:
    """Those that are not resolved, the one due first first; `?state=all` with the others."""
    given = {name: request.GET.get(name, "") for name in ("state", "kind", "overdue")}
    page = Paginator(selectors.escalated(given), PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "member": member,
        "section": "exceptions",
        "rows": exception_rows.rows(page.object_list, _UTC),
        "page": page,
        "more": "&state=all" if given["state"] == "all" else "",
        "everything": given["state"] == "all",
    }
    return render(request, "regulator/exceptions.html", context)


@inspector_view
def exception(request: HttpRequest, member: Member, item_id: str) -> HttpResponse:
    """One that was brought before the regulator."""
    item = selectors.find(item_id, party=member.party)
    if item is None:
        raise Http404
    shown = exception_rows.one(item, list(item.goods.order_by("id")), _UTC)
    context = {"member": member, "section": "exceptions", "trace_url": "regulator:trace", **shown}
    return render(request, "regulator/exception.html", context)
