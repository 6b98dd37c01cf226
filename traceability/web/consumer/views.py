"""The consumer's pages: parse, call one selector, render."""

import time
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Any

from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.utils.cache import patch_cache_control
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from ledger import api as ledger
from traceability.common import clock

from . import codes, makers, selectors
from .codes import CodeError, OnPack, PackCode
from .selectors import Answer
from .verdict import Outcome
from .words import OUTCOMES

# The answer that nothing is recorded takes at least this long, so that its time does not tell an unknown serial number
# from one that has not left its maker. Long enough for either look-up on an idle machine.
STEADY_SECONDS = 0.04


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """What Dosetrail is, and a place to type a code."""
    return render(request, "consumer/home.html")


@require_safe
def look_up(request: HttpRequest) -> HttpResponse:
    """From what was typed or scanned to the pack's own address."""
    try:
        return HttpResponseRedirect(codes.path(*_typed(request)))
    except CodeError as error:
        return refuse(request, error, status=400)


def pack_page(request: HttpRequest, code: PackCode, lot: str) -> HttpResponse:
    """A pack's page; `lot` as its address carries it."""
    started, given = time.monotonic(), _given(request, lot)
    try:
        answer = selectors.look_up(code, given, now_ms=clock.now_ms())
        of_maker = makers.of_pack(request, code, given)
        response = render(request, "consumer/look_up.html", {**_context(answer, given), "makers": of_maker})
    except DatabaseError:
        context = {"answer": Answer(Outcome.CANNOT_CHECK, None), "words": OUTCOMES[Outcome.CANNOT_CHECK]}
        return render(request, "consumer/look_up.html", context, status=503)
    return _private(response) if answer.has_evidence else _steady(started, _private(response))


def pack_data(
    request: HttpRequest, code: PackCode, lot: str, describe: Callable[[], Mapping[str, Any]]
) -> HttpResponse:
    """A pack as data: what `describe` says of its product, and the verdict of its page and no more."""
    started = time.monotonic()
    try:
        answer = selectors.look_up(code, _given(request, lot), now_ms=clock.now_ms())
        body = {**describe(), "dosetrail:outcome": answer.outcome.value}
    except DatabaseError:
        return problem("cannot-check", "Cannot check now", _("Try again in a few minutes."), status=503)
    response = _private(JsonResponse(body, content_type="application/ld+json"))
    return response if answer.has_evidence else _steady(started, response)


@require_safe
def digital_link_evidence(request: HttpRequest, gtin: str, serial: str, lot: str = "") -> HttpResponse:
    """The evidence bundle of a pack at its Digital Link."""
    return _evidence(request, lambda: codes.pack(gtin, serial), lot)


@require_safe
def trace_code_evidence(request: HttpRequest, code: str) -> HttpResponse:
    """The evidence bundle of a pack at its drug trace code."""
    return _evidence(request, lambda: codes.nmpa(code), "")


def _context(answer: Answer, given: OnPack) -> dict[str, object]:
    context: dict[str, object] = {"answer": answer, "words": OUTCOMES[answer.outcome]}
    if answer.has_evidence and answer.code:
        shown = given if answer.details else OnPack()
        context |= {"evidence_url": f"/evidence{codes.path(answer.code, shown)}", "vkey": ledger.vkey()}
        context["policy"] = ledger.policy_text()
    return context


def _evidence(request: HttpRequest, parse: Callable[[], PackCode], lot: str) -> HttpResponse:
    started = time.monotonic()
    try:
        bundle = selectors.evidence(parse(), _given(request, lot))
    except CodeError as error:
        return problem(error.code, "Not a pack", _explain(error), status=404)
    except (DatabaseError, ledger.NotPublishedError):
        return problem("cannot-check", "Cannot check now", _("Try again in a few minutes."), status=503)
    if bundle is None:
        detail = _("There is nothing to prove for this code yet. Look again in two days.")
        return _steady(started, problem("nothing-to-prove", "Nothing to prove", detail, status=404))
    return _private(JsonResponse(bundle))


def _given(request: HttpRequest, lot: str) -> OnPack:
    """Lot and expiry as the address carries them; an unreadable expiry is one that does not fit."""
    try:
        expiry = codes.expiry(request.GET["17"], today=_today()) if "17" in request.GET else None
    except CodeError:
        expiry = date.min
    return OnPack(lot or request.GET.get("10", ""), expiry)


def _typed(request: HttpRequest) -> tuple[PackCode, OnPack]:
    """The form's fields, and the lot and expiry typed beside a code that carries none."""
    typed = {name: request.GET.get(name, "").strip() for name in ("code", "gtin", "serial", "lot", "expiry")}
    if typed["code"]:
        code, given = codes.read(typed["code"], today=_today())
    else:
        code, given = codes.pack(typed["gtin"], typed["serial"]), OnPack()
    expiry = codes.expiry(typed["expiry"], today=_today()) if typed["expiry"] else given.expiry
    return code, OnPack(typed["lot"] or given.lot, expiry)


def refuse(request: HttpRequest, error: CodeError, *, status: int) -> HttpResponse:
    """The landing page, saying what is wrong with the code."""
    return render(request, "consumer/home.html", {"error": _explain(error), "typed": request.GET}, status=status)


def _explain(error: CodeError) -> str:
    if error.code == "bad_expiry":
        return _("The expiry is not a date. Write it as 2027-03-31, 2027-03 or 270331.")
    if error.code == "not_a_pack":
        return _("This code names a product or a shipping unit, not a single pack. A pack's code has a serial number.")
    return _("This code is not complete or has a typing error. Check each character against the pack.")


def problem(code: str, title: str, detail: str, *, status: int) -> HttpResponse:
    """A problem document (RFC 7807)."""
    body = {"type": f"urn:dosetrail:problem:{code}", "title": title, "status": status, "code": code, "detail": detail}
    return JsonResponse(body, status=status, content_type="application/problem+json")


def _today() -> date:
    return datetime.fromtimestamp(clock.now_ms() / 1000, UTC).date()


def _private(response: HttpResponse) -> HttpResponse:
    patch_cache_control(response, private=True, no_cache=True)
    return response


def _steady(started: float, response: HttpResponse) -> HttpResponse:
    time.sleep(max(0.0, STEADY_SECONDS - (time.monotonic() - started)))
    return response
