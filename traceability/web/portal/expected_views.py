"""Telling the house what to expect: a supplier's despatch list or one's own order, uploaded or pasted."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache

from traceability.common.problems import ProblemError
from traceability.exceptions import despatch_list, expected
from traceability.exceptions.models import ExpectedList
from traceability.parties.models import Member, Party
from traceability.web.shared import names

from .access import member_view
from .problems import Error, worded

# What kind of fault the codes of `despatch_list` stand for; its own words, in English, stand beside.
_KINDS = {
    "twice": gettext_lazy("Stands twice"),
    "no-serial": gettext_lazy("A product or lot without a quantity"),
    "unknown": gettext_lazy("Not a code of a pack, case or pallet"),
    "columns": gettext_lazy("Columns that are not known"),
    "cells": gettext_lazy("Another number of cells than the header"),
    "quantity": gettext_lazy("Not a possible amount"),
    "date": gettext_lazy("Not a date or time"),
    "check-digit": gettext_lazy("A wrong check digit"),
    "line": gettext_lazy("Too long or too short"),
    "too-large": gettext_lazy("The file is too large"),
    "too-many": gettext_lazy("More lines than a list may have"),
    "encoding": gettext_lazy("The file cannot be read"),
    "csv": gettext_lazy("The file cannot be read"),
    "empty": gettext_lazy("The list is empty"),
    "order-serial": gettext_lazy("An order has no serial numbers"),
}


@never_cache
@member_view
def new(request: HttpRequest, member: Member) -> HttpResponse:
    """The form; POST takes a file or pasted lines and leads to the shipment. `?despatch=` says the number."""
    if request.method != "POST":
        return _form(request, member, {"number": names.document(request.GET.get("despatch", ""))})
    given = request.POST.dict()
    file = request.FILES.get("file")
    if file is not None and (file.size or 0) > despatch_list.MAX_BYTES:
        content = b" " * (despatch_list.MAX_BYTES + 1)  # refused by its size, unread
    else:
        content = file.read() if file is not None else given.get("content", "").encode()
    partner = Party.objects.filter(id=given.get("partner", "")).exclude(id=member.party_id).first()
    what = expected.Given(given.get("number", ""), given.get("kind", ""), content, partner)
    try:
        row, _is_new = expected.store(member.party, what, member=member)
    except ProblemError as problem:
        field = "number" if problem.code == "number" else "kind" if problem.code == "list-kind" else "file"
        said = worded(problem.code, problem.detail, field)
        if problem.errors:
            said = Error(field, _("{count} faults; they are listed below.").format(count=len(problem.errors)))
        return _form(request, member, given, [replace(said, field=field)], problem.errors, problem.status)
    return redirect(f"{reverse('portal:shipment')}?{urlencode({'despatch': row.document})}")


def _form(
    request: HttpRequest,
    member: Member,
    given: Mapping[str, str],
    errors: Sequence[Error] = (),
    faults: Sequence[Mapping[str, Any]] = (),
    status: int = 200,
) -> HttpResponse:
    others = Party.objects.filter(active=True).exclude(id=member.party_id).order_by("name")
    context = {
        "member": member,
        "section": "shipments",
        "given": {"kind": ExpectedList.Kind.ADVICE, **given},
        "partners": [party for party in others if not party.has_role(Party.Role.REGULATOR)],
        "errors": errors,
        "wrong": {error.field: error.text for error in errors},
        "faults": [
            {
                "line": fault["line"],
                "kind": _KINDS.get(fault["code"], gettext_lazy("Not a valid identifier")),
                "message": fault["message"],
            }
            for fault in faults
        ],
        "max_lines": despatch_list.MAX_LINES,
    }
    return render(request, "portal/expected.html", context, status=status)
