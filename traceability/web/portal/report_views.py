"""Reports on the party's own goods and records."""

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.views.decorators.cache import never_cache

from traceability.parties.models import Member
from traceability.web.shared import names
from traceability.web.shared.reports import pages
from traceability.web.shared.reports.frame import PORTAL, Asker

from .access import member_view


@never_cache
@member_view
def reports(request: HttpRequest, member: Member) -> HttpResponseBase:
    """Which reports there are."""
    return pages.index(request, _asker(member))


@never_cache
@member_view
def report(request: HttpRequest, member: Member, report_id: str) -> HttpResponseBase:
    """One report, asked for by its form."""
    return pages.page(request, _asker(member), report_id)


@never_cache
@member_view
def report_csv(request: HttpRequest, member: Member, report_id: str) -> HttpResponseBase:
    """All its rows."""
    return pages.csv(request, _asker(member), report_id)


@never_cache
@member_view
def report_proofs(request: HttpRequest, member: Member, report_id: str) -> HttpResponseBase:
    """The proofs of the records that it shows."""
    return pages.proofs(request, _asker(member), report_id)


def _asker(member: Member) -> Asker:
    return Asker(member, PORTAL, names.zone_of(member))
