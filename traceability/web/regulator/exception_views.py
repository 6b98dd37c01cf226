"""Exceptions that parties have brought before the regulator: it reads and comments, the party decides on its goods."""

from zoneinfo import ZoneInfo

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from traceability.common.problems import ProblemError
from traceability.exceptions import selectors, services
from traceability.exceptions.models import ExceptionItem
from traceability.parties.models import Member
from traceability.web.shared import exception_rows

from .access import inspector_view

PAGE_SIZE = 50
_UTC = ZoneInfo("UTC")
_FAULTS = {
    "comment": gettext_lazy("Write a comment, up to 500 characters."),
    "changed-meanwhile": gettext_lazy("Someone has acted on this exception meanwhile. Look at it again."),
}


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
    """One that was brought before the regulator; POST comments on the version that was shown, for its party to read."""
    item = selectors.find(item_id, party=member.party)
    if item is None:
        raise Http404
    fault, status = "", 200
    if request.method == "POST":
        version = request.POST.get("version", "")
        if not (version.isascii() and version.isdigit() and len(version) < 9):
            raise Http404
        try:
            services.comment(member, item, text=request.POST.get("comment", ""), version=int(version))
        except ProblemError as problem:
            fault, status = str(_FAULTS.get(problem.code, problem.detail)), problem.status
            item = selectors.find(item_id, party=member.party) or item
        else:
            messages.success(request, _("Recorded. The organisation reads it with the exception."))
            return redirect("regulator:exception", item_id=item.id)
    context = {
        "member": member,
        "section": "exceptions",
        "trace_url": "regulator:trace",
        "may_comment": item.state != ExceptionItem.State.RESOLVED and item.escalated_ms is not None,
        "fault": fault,
        "comment": request.POST.get("comment", ""),
        **exception_rows.one(item, list(item.goods.order_by("id")), _UTC, party=member.party),
    }
    return render(request, "regulator/exception.html", context, status=status)
