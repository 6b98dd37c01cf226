"""Who may enter the portal: signed-in members of a party."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render

from traceability.common import log_context
from traceability.parties import selectors as parties
from traceability.parties.models import Member
from traceability.visibility import receipts

View = Callable[Concatenate[HttpRequest, Member, ...], HttpResponseBase]


def member_view(view: View) -> Callable[..., HttpResponseBase]:
    """Pass the signed-in member as second argument; send others to the sign-in page, or say why they cannot enter."""

    @login_required
    @wraps(view)
    def entered(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        member = parties.member_for(request.user)
        if member is None or not member.party.active:
            return render(request, "portal/no_party.html", status=403)
        log_context.bind(party=member.party.uri)  # never the person
        receipts.read_by(member.party, member.pseudonym)
        return view(request, member, *args, **kwargs)

    return entered
