"""One of the organisation's signing keys, for its administrators: what it signed, its next one, its end."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from traceability.parties import services as parties
from traceability.parties.models import Member, PartyKey
from traceability.web.shared import key_pages, names

from .access import member_view
from .problems import worded


@never_cache
@member_view
def key(request: HttpRequest, member: Member, kid: str) -> HttpResponse:
    """POST action=revoke (since, reason, password) or action=rotate (public, overlap, reason, password)."""
    found, zone = _own(member, kid), names.zone_of(member)
    context = {"member": member, "section": "organisation", "base": "portal/base.html", "back": "portal:organisation",
               "csv": "portal:key-csv"}  # fmt: skip
    status = 200
    if request.method == "POST":
        try:
            if request.POST.get("action") == "revoke":
                key_pages.revoke(request, found, member, zone)
            elif request.POST.get("action") == "rotate":
                key_pages.rotate(request, found, member)
            else:
                raise Http404
        except (parties.ConfirmationError, parties.KeyActError) as error:
            status = 403 if isinstance(error, parties.ConfirmationError) else 400
            problem = worded(error.code, str(error), "reason")
            context |= {"errors": [problem], "wrong": {problem.field: problem.text}, "given": request.POST}
        else:
            messages.success(request, _("Done."))
            return redirect("portal:key", kid=kid)
    return render(request, "shared/key.html", context | key_pages.context(request, found, zone), status=status)


@never_cache
@member_view
def key_csv(request: HttpRequest, member: Member, kid: str) -> HttpResponseBase:
    """What the key signed since `?since=`, as CSV."""
    return key_pages.csv(request, _own(member, kid), names.zone_of(member))


def _own(member: Member, kid: str) -> PartyKey:
    if member.role != Member.Role.ADMIN:
        raise PermissionDenied
    return get_object_or_404(PartyKey, kid=kid, party=member.party)
