"""Printing labels: a sheet for any printer, ZPL for a label printer."""

import secrets
from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from traceability.epcis import times
from traceability.gs1 import digital_link
from traceability.gs1.errors import Gs1Error
from traceability.gs1.scan import ScannedCode
from traceability.parties.models import Member
from traceability.products import selectors as products

from . import labels as printing
from .access import member_view
from .problems import Error
from .step_form import WHITESPACE

MAX_LABELS = 500
SERIAL_LETTERS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"  # none that people mistake for another
SERIAL_LENGTH = 12


class _Wrong(Exception):
    def __init__(self, field: str, text: str) -> None:
        super().__init__(text)
        self.error = Error(field, text)


@member_view
def labels(request: HttpRequest, member: Member) -> HttpResponse:
    """The form; POST shows the sheet, or downloads ZPL with format=zpl."""
    context: dict[str, Any] = {"member": member, "section": "labels", "given": {"kind": "pack", "count": "10"}}
    if request.method != "POST":
        return render(request, "portal/labels.html", context)
    given = request.POST.dict()
    context["given"] = given
    try:
        made = _made(given, request.build_absolute_uri("/").rstrip("/"))
    except _Wrong as wrong:
        context |= {"errors": [wrong.error], "wrong": {wrong.error.field: wrong.error.text}}
        return render(request, "portal/labels.html", context, status=400)
    if given.get("format") == "zpl":
        response = HttpResponse(printing.zpl(made), content_type="text/plain; charset=utf-8")
        response["Content-Disposition"] = 'attachment; filename="labels.zpl"'
        return response
    context |= {"sheet": printing.sheet(made), "made": len(made)}
    return render(request, "portal/labels.html", context)


def _made(given: Mapping[str, str], base_url: str) -> list[printing.Label]:
    if given.get("kind") == "sscc":
        return _units(given)
    return _packs(given, base_url)


def _packs(given: Mapping[str, str], base_url: str) -> list[printing.Label]:
    gtin = given.get("gtin", "").strip().zfill(14)
    try:
        digital_link.build(gtin=gtin)
    except Gs1Error as error:
        raise _Wrong("gtin", _("The GTIN is not right: {why}").format(why=error.detail)) from error
    try:
        expiry = times.day(given.get("expiry", ""))
    except ValueError as error:
        raise _Wrong("expiry", _("Give the expiry date as year-month-day, such as 2028-12-31.")) from error
    item = products.item_by_gtin(gtin)
    lot, name = given.get("lot", "").strip(), item.name if item else ""
    made = []
    for serial in _serials(given):
        code = ScannedCode("pack", serial, gtin=gtin, serial=serial, lot=lot, expiry=expiry)
        try:
            made.append(printing.pack_label(code, base_url=base_url, name=name))
        except Gs1Error as error:
            raise _Wrong(
                _field(error, lot), _("This label cannot be printed: {why}").format(why=error.detail)
            ) from error
    return made


def _field(error: Gs1Error, lot: str) -> str:
    """Where the fault is likely to be mended."""
    if error.code == "date":
        return "expiry"
    return "lot" if not lot or "(10)" in error.detail or "AI 10" in error.detail else "serials"


def _serials(given: Mapping[str, str]) -> list[str]:
    """The serial numbers typed, one per line; none typed = as many random ones as asked for."""
    typed = [line.strip(WHITESPACE) for line in given.get("serials", "").split("\n")]
    typed = list(dict.fromkeys(line for line in typed if line))
    if len(typed) > MAX_LABELS:
        raise _Wrong("serials", _("Print at most {most} labels at a time.").format(most=MAX_LABELS))
    if typed:
        return typed
    count = given.get("count", "")
    if not count.isdecimal() or not 1 <= int(count) <= MAX_LABELS:
        raise _Wrong("count", _("Say how many labels: 1 to {most}.").format(most=MAX_LABELS))
    return ["".join(secrets.choice(SERIAL_LETTERS) for _place in range(SERIAL_LENGTH)) for _one in range(int(count))]


def _units(given: Mapping[str, str]) -> list[printing.Label]:
    typed = [line.strip(WHITESPACE).removeprefix("(00)") for line in given.get("ssccs", "").split("\n")]
    typed = list(dict.fromkeys(line for line in typed if line))
    if not 1 <= len(typed) <= MAX_LABELS:
        raise _Wrong("ssccs", _("Give 1 to {most} SSCCs, one per line.").format(most=MAX_LABELS))
    made = []
    for sscc in typed:
        try:
            made.append(printing.sscc_label(sscc))
        except Gs1Error as error:
            raise _Wrong(
                "ssccs", _("“{code}” cannot be printed: {why}").format(code=sscc[:40], why=error.detail)
            ) from error
    return made
