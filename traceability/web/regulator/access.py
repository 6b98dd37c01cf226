"""Who may enter: signed-in members of a party with the role regulator."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.cache import never_cache

from traceability.common import log_context
from traceability.parties import selectors as parties
from traceability.parties.models import Member, Party
from traceability.visibility import receipts

View = Callable[Concatenate[HttpRequest, Member, ...], HttpResponseBase]


def inspector_view(view: View) -> Callable[..., HttpResponseBase]:
    """Pass the signed-in inspector as second argument; others go to the sign-in page or are told why not."""

    @never_cache
    @login_required
    @wraps(view)
    def entered(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        member = parties.member_for(request.user)
        if member is None or not member.party.has_role(Party.Role.REGULATOR):
            return render(request, "regulator/not_a_regulator.html", status=403)
        log_context.bind(party=member.party.uri)  # never the person
        receipts.read_by(member.party, member.pseudonym)
        return view(request, member, *args, **kwargs)

    return entered
