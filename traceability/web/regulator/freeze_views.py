"""Freezes: what the authority has stopped, stopping more, and letting it go again."""

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from traceability.capture import selectors as captured
from traceability.capture.models import EventClass, EventEpc, PublishedEvent
from traceability.common.clock import now_ms
from traceability.common.problems import ProblemError
from traceability.custody import lot_packs, stock, stops
from traceability.custody.opening import NAMESPACE
from traceability.epcis import event as epcis_event
from traceability.gs1.epc import is_place
from traceability.parties import selectors as parties
from traceability.parties.models import Member, Party, Site
from traceability.parties.services import ConfirmationError
from traceability.scans import freezing
from traceability.web.shared import confirmation, names, recall_words

from . import words
from .access import inspector_view

PAGE_SIZE = 50
MAX_PLACES = 20
WAIT_MS = 60_000


@inspector_view
def freezes(request: HttpRequest, member: Member) -> HttpResponse:
    """What is frozen now, newest first; `?q=` looks for what to freeze."""
    asked = request.GET.get("q", "").strip()
    page = Paginator(stops.freezes(), PAGE_SIZE).get_page(request.GET.get("page"))
    events = PublishedEvent.objects.in_bulk([index for _, index in page.object_list])
    naming = names.Names().of_events(events.values())
    context: dict[str, Any] = {
        "member": member,
        "section": "freezes",
        "asked": asked,
        "page": page,
        "rows": [_row(uri, events[index], naming) for uri, index in page.object_list if index in events],
    }
    if asked:
        context |= _found(asked)
    return render(request, "regulator/freezes.html", context)


@inspector_view
def freeze(request: HttpRequest, member: Member) -> HttpResponse:
    """One lot, product or place (`?of=`); POST action=freeze|unfreeze with reason and password."""
    try:
        of = freezing.subject(request.GET.get("of", ""))
    except ProblemError:
        return redirect(f"{reverse('regulator:freezes')}?{urlencode({'q': request.GET.get('of', '')})}")
    context: dict[str, Any] = {"member": member, "section": "freezes"}
    status = 200
    if request.method == "POST":
        status, problem = _act(request, member, of)
        if problem is None:
            messages.success(request, _("Recorded. It holds once the log has published it."))
            query = {"of": of.uri, "asked": request.POST["action"], "at": str(now_ms())}
            return redirect(f"{request.path}?{urlencode(query)}")
        context |= {"errors": [problem], "wrong": {problem["field"]: problem["text"]}, "given": request.POST}
    shown = _shown(of)
    context["waiting"] = _is_waiting(request, is_frozen=shown["index"] is not None)
    return render(request, "regulator/freeze.html", context | shown, status=status)


def _is_waiting(request: HttpRequest, *, is_frozen: bool) -> bool:
    """Whether what was asked moments ago (`?asked=&at=`) is not on the log yet."""
    asked, at = request.GET.get("asked", ""), request.GET.get("at", "")
    is_recent = at.isascii() and at.isdigit() and len(at) < 16 and 0 <= now_ms() - int(at) < WAIT_MS
    return is_recent and asked == ("unfreeze" if is_frozen else "freeze")


def _found(asked: str) -> dict[str, Any]:
    """What the words name: a lot, product or place by its code, else places by name, organisation or GLN."""
    try:
        of = freezing.subject(asked)
    except ProblemError:
        said = Q(name__icontains=asked) | Q(party__name__icontains=asked) | Q(gln__startswith=asked)
        sites = Site.objects.select_related("party").filter(said).order_by("name", "id")[:MAX_PLACES]
        found = [(site.uri, f"{site.name} · {site.party.name} · {site.city}") for site in sites]
    else:
        found = [(of.uri, _title(of.uri, names.Names()))]
    return {"found": found, "most": MAX_PLACES if len(found) == MAX_PLACES else 0}


def _title(uri: str, naming: names.Names) -> str:
    name = naming.place(uri) if is_place(uri) else naming.product(uri.rpartition("/01/")[2][:14])
    return " · ".join(part for part in (names.goods(uri), name) if part and part != uri)


def _row(uri: str, event: PublishedEvent, naming: names.Names) -> dict[str, Any]:
    return {
        "uri": uri,
        "title": _title(uri, naming),
        "is_place": is_place(uri),
        "at": words.moment(event.event_time_ms),
        "by": naming.party(event.reporter),
        "index": event.index,
    }


def _shown(of: freezing.Subject) -> dict[str, Any]:
    naming = names.Names()
    index = freezing.frozen_index(of)
    above = stops.product_status(of.gtin) if of.kind == "lot" else None
    return {
        "of": of,
        "title": _title(of.uri, naming),
        "index": index,
        "product_frozen": above is not None and above.frozen_index is not None,
        "goods": stock.standing([of.uri]).count() if of.kind == "place" else None,
        **(_balance(of) if of.kind == "lot" else {}),
        "acts": _acts(of, naming),
    }


def _balance(of: freezing.Subject) -> dict[str, Any]:
    """All packs of the lot by where they are, so that the figures add up."""
    balance = lot_packs.lot_balance(of.gtin, of.lot)
    parts = [(word, getattr(balance, name)) for name, word in recall_words.BALANCE.items()]
    return {"made": balance.commissioned + balance.opening, "parts": parts}


def _acts(of: freezing.Subject, naming: names.Names) -> list[dict[str, Any]]:
    """Freezes and holds of this, and their ends, newest first, in words; with the reason that the event gives."""
    named = (
        EventEpc.objects.filter(epc=of.uri, role="epc").values_list("event_index", flat=True)
        if of.kind == "place"
        else EventClass.objects.filter(epc_class=of.uri).values_list("event_index", flat=True)
    )
    found = PublishedEvent.objects.filter(
        Q(biz_step="holding") | Q(biz_step="inspecting", disposition="conformant"),
        index__in=named,
        declaration_ms=None,
        voided_by=None,
    )
    rows = list(found.order_by("-index")[:PAGE_SIZE])
    bodies = captured.bodies([row.index for row in rows])
    who = parties.parties_by_own_uri({row.reporter for row in rows})
    return [
        words.event_row(row, naming)
        | {"what": _what(row, who.get(row.reporter)), "reason": _reason(bodies.get(row.index, {}))}
        for row in rows
    ]


def _reason(event: Mapping[str, Any]) -> str:
    reason = epcis_event.own(event, NAMESPACE + "reason")
    return reason[:500] if isinstance(reason, str) else ""


def _what(event: PublishedEvent, by: Party | None) -> str:
    if by is None or not by.has_role(Party.Role.REGULATOR):
        return names.step(event)
    return _("Frozen by the authority") if event.biz_step == "holding" else _("Freeze ended")


def _act(request: HttpRequest, member: Member, of: freezing.Subject) -> tuple[int, dict[str, str] | None]:
    """Freeze or unfreeze as the form says: the status, and what is wrong if anything is."""
    act = freezing.freeze if request.POST.get("action") == "freeze" else freezing.unfreeze
    try:
        act(
            member=member,
            password=request.POST.get("password", ""),
            reason=request.POST.get("reason", ""),
            of=of,
        )
    except ConfirmationError as error:
        field, text = confirmation.FAULTS[error.code]
        return 403, {"field": field, "text": str(text)}
    except ProblemError as error:
        text = {
            "frozen-already": _("It is frozen already."),
            "not-frozen": _("It is not frozen, or not any more."),
        }.get(error.code, error.detail)
        return error.status, {"field": "reason", "text": text}
    return 200, None
