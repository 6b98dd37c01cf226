"""Everybody's signing keys: what each signed since when, and its revocation."""

from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from traceability.parties import services as parties
from traceability.parties.models import Member, PartyKey
from traceability.web.shared import key_pages

from .access import inspector_view

PAGE_SIZE = 50
UTC = ZoneInfo("UTC")
_ERRORS = {
    "reason-missing": gettext_lazy("Say why."),
    "password-wrong": gettext_lazy("The password is not right. Nothing was recorded."),
    "password-wait": gettext_lazy("Too many wrong passwords. Try again in a quarter of an hour."),
    "bad-since": gettext_lazy("A key is bad since now, or since a moment in the past."),
}
_FIELDS = {"reason-missing": "reason", "bad-since": "since"}


@inspector_view
def keys(request: HttpRequest, member: Member) -> HttpResponse:
    """All keys, newest first; `?q=` looks for a party or the beginning of a key's id."""
    asked = request.GET.get("q", "").strip()
    found = PartyKey.objects.select_related("party").order_by("-created_ms", "kid")
    if asked:
        found = found.filter(
            Q(party__name__icontains=asked) | Q(party_id=asked) | Q(kid__startswith=asked.rstrip("…").lower())
        )
    page = Paginator(found, PAGE_SIZE).get_page(request.GET.get("page"))
    context: dict[str, Any] = {
        "member": member,
        "section": "keys",
        "asked": asked,
        "page": page,
        "rows": [(one, key_pages.state(one, UTC)) for one in page.object_list],
    }
    return render(request, "regulator/keys.html", context)


@inspector_view
def key(request: HttpRequest, member: Member, kid: str) -> HttpResponse:
    """One key; POST since, reason and password revokes it."""
    found = get_object_or_404(PartyKey.objects.select_related("party"), kid=kid)
    context: dict[str, Any] = {"member": member, "section": "keys", "base": "regulator/base.html",
                               "back": "regulator:keys", "csv": "regulator:key-csv"}  # fmt: skip
    status = 200
    if request.method == "POST":
        try:
            key_pages.revoke(request, found, member, UTC)
        except (parties.ConfirmationError, parties.KeyActError) as error:
            status = 403 if isinstance(error, parties.ConfirmationError) else 400
            problem = {"field": _FIELDS.get(error.code, "password"), "text": _ERRORS.get(error.code, str(error))}
            context |= {"errors": [problem], "wrong": {problem["field"]: problem["text"]}, "given": request.POST}
        else:
            messages.success(request, _("Recorded on the log."))
            return redirect("regulator:key", kid=kid)
    shown = key_pages.context(request, found, UTC) | {"may_rotate": False}
    return render(request, "shared/key.html", context | shown, status=status)


@inspector_view
def key_csv(request: HttpRequest, member: Member, kid: str) -> HttpResponseBase:
    """What the key signed since `?since=`, as CSV."""
    return key_pages.csv(request, get_object_or_404(PartyKey, kid=kid), UTC)
