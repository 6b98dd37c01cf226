"""Temperature loggers: upload a file, see what is in it, find it again."""

from typing import Any
from zoneinfo import ZoneInfo

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from ledger import api as ledger
from traceability.coldchain import charts
from traceability.coldchain import selectors as coldchain
from traceability.coldchain import services as coldchain_services
from traceability.coldchain.models import LoggerFile
from traceability.common.problems import ProblemError
from traceability.contracts import wording
from traceability.custody import selectors as custody
from traceability.parties.models import Member
from traceability.products import selectors as products
from traceability.web.shared import chart, names

from .access import member_view
from .problems import Error, explain

SHOWN_FILES = 100
CHART_POINTS = 400
_FIELDS = {"file": "file", "holder": "holder", "time_zone": "time_zone", "start_ms": "file"}


@never_cache
@member_view
def logger(request: HttpRequest, member: Member) -> HttpResponse:
    """The upload form above the party's own files; POST takes a file."""
    if request.method == "POST":
        return _upload(request, member)
    return _page(request, member)


@never_cache
@member_view
def logger_file(request: HttpRequest, member: Member, file_id: int) -> HttpResponse:
    """One file of the party, with its curve once the log has published it."""
    file = LoggerFile.objects.filter(pk=file_id, party=member.party).exclude(statement_hash="").first()
    if file is None:
        raise Http404
    zone = ZoneInfo(file.time_zone)
    readings = coldchain.series(file.holder, file.first_ms, file.last_ms).get(file.device, [])
    limits = _limits(file.holder)
    context = {
        "member": member,
        "section": "logger",
        "file": file,
        "holder": _holder(file),
        "chart": chart.draw(charts.thin(readings, CHART_POINTS), limits=limits, zone=zone),
        "outside": sum(1 for _ms, value in readings if limits and not limits[0] <= value <= limits[1]),
        "limits": [wording.celsius(value) for value in limits],
        "first": names.moment(file.first_ms, zone),
        "last": names.moment(file.last_ms, zone),
        "published": bool(ledger.positions([file.statement_hash])),
        "statement": file.statement_hash[:12],
    }
    return render(request, "portal/logger_file.html", context)


def _upload(request: HttpRequest, member: Member) -> HttpResponse:
    given = request.FILES.get("file")
    if given is None:
        return _page(request, member, [Error("file", _("Choose the logger's file."))], status=400)
    holder = request.POST.get("holder", "").strip(" \t\r\n")
    site = member.party.sites.filter(id=request.POST.get("site", "")).first()
    try:
        file = coldchain_services.upload(
            content=given.read(),
            filename=given.name or "",
            party=member.party,
            holder_epc=holder or None,
            site=site,
            time_zone=request.POST.get("time_zone", "").strip() or None,
            member_pseudonym=member.pseudonym,
        )
    except ProblemError as problem:
        errors = [Error(_FIELDS.get(error.field, "file"), error.text) for error in explain(problem)]
        return _page(request, member, errors, status=problem.status)
    return redirect("portal:logger-file", file_id=file.pk)


def _page(request: HttpRequest, member: Member, errors: list[Error] | None = None, status: int = 200) -> HttpResponse:
    zone = names.zone_of(member)
    files = coldchain.files(member.party).filter(party=member.party)[:SHOWN_FILES]
    home = member.site or member.party.sites.order_by("name").first()
    context: dict[str, Any] = {
        "member": member,
        "section": "logger",
        "errors": errors or [],
        "wrong": {error.field: error.text for error in errors or []},
        "sites": member.party.sites.order_by("name"),
        "given": request.POST.dict() or {"site": home.id if home else ""},
        "files": [
            {
                "file": file,
                "holder": _holder(file),
                "first": names.moment(file.first_ms, zone),
                "last": names.moment(file.last_ms, zone),
            }
            for file in files
        ],
    }
    return render(request, "portal/logger.html", context, status=status)


def _holder(file: LoggerFile) -> str:
    """What the readings belong to: goods, or the place where the logger hung."""
    return file.site.name if file.site and file.holder == file.site.uri else names.goods(file.holder)


def _limits(holder: str) -> list[int]:
    """Lowest and highest allowed (milli-°C) for what the logger rode with; empty when the goods are not known."""
    located = custody.states([holder, *list(custody.contents(holder))[:50]])
    for one in located.values():
        item = products.item_by_gtin(one.item.gtin) if one.item.gtin else None
        if item is not None:
            return [item.profile.low_mc, item.profile.high_mc]
    return []
