"""What goes out to partners: the log of deliveries for everybody; channels and webhooks for administrators."""

import secrets
from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from traceability.common.problems import ProblemError
from traceability.exchange import channels, deliveries, subscriptions
from traceability.exchange.models import Channel, Delivery, Subscription
from traceability.exchange.partner_document import EXCEPTION_MESSAGE, MEDIA_TYPES, SUFFIXES
from traceability.parties.models import Member, Party
from traceability.web.shared import delivery_rows, names

from .access import member_view
from .problems import Error, worded

PAGE_SIZE = 50
STATES = {"active": (gettext_lazy("Running"), "is-ok"), "suspended": (gettext_lazy("Suspended"), "is-danger")}
FORMATS = {
    "json-2.0": gettext_lazy("EPCIS 2.0, JSON"),
    "xml-2.0": gettext_lazy("EPCIS 2.0, XML"),
    "xml-1.2": gettext_lazy("EPCIS 1.2, XML"),
}
DOCUMENTS = {**FORMATS, EXCEPTION_MESSAGE: gettext_lazy("Message about an exception, JSON")}
WHICH: dict[str, tuple[Any, dict[str, Any]]] = {
    "all": (gettext_lazy("Everything that both of you may see"), {}),
    "shipping": (gettext_lazy("Shipments only"), {"EQ_bizStep": ["shipping"]}),
}


@never_cache
@member_view
def partners(request: HttpRequest, member: Member) -> HttpResponse:
    """The log of deliveries; administrators POST an `action` to the channels and webhooks beside it."""
    if request.method != "POST":
        return _page(request, member)
    if member.role != Member.Role.ADMIN:
        raise PermissionDenied
    action = _ACTIONS.get(request.POST.get("action", ""))
    if action is None:
        raise Http404
    try:
        action(request, member)
    except ProblemError as problem:
        return _page(request, member, errors=[_worded(problem)], status=problem.status)
    messages.success(request, _("Done."))
    return redirect("portal:partners")


@never_cache
@member_view
def delivery(request: HttpRequest, member: Member, delivery_id: str) -> HttpResponse:
    """One delivery with what became of it."""
    found, zone = _found(member, delivery_id), names.zone_of(member)
    context = {
        "member": member,
        "section": "partners",
        "row": _delivery(found, member, zone),
        "delivery": found,
        "steps": delivery_rows.steps(found, zone),
        "may_resend": found.channel.party == member.party
        and found.channel.state != Channel.State.ENDED
        and member.role == Member.Role.ADMIN,
    }
    return render(request, "portal/delivery.html", context)


@never_cache
@member_view
def delivery_document(request: HttpRequest, member: Member, delivery_id: str) -> HttpResponse:
    """The document as a file; that the partner's member fetched it is recorded."""
    found = _found(member, delivery_id)
    form = found.format
    body = deliveries.fetch(found, member.party, actor=member.pseudonym)
    name = f"{found.channel.party_id}-{found.number}.{SUFFIXES[form]}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(body, content_type=MEDIA_TYPES[form], headers=headers)


@require_POST
@member_view
def resend(request: HttpRequest, member: Member, delivery_id: str) -> HttpResponse:
    """Send the same bytes once more."""
    if member.role != Member.Role.ADMIN:
        raise PermissionDenied
    found = _found(member, delivery_id)
    if found.channel.party != member.party:
        raise Http404
    try:
        deliveries.resend(found, member.party, actor=member.pseudonym)
        messages.success(request, _("It is sent once more, with the same bytes."))
    except ProblemError as problem:  # the channel has ended since the page was shown
        messages.error(request, worded(problem.code, problem.detail).text)
    return redirect("portal:delivery", delivery_id=found.id)


def _add_channel(request: HttpRequest, member: Member) -> None:
    given = {name: request.POST.get(name, "").strip() for name in ("partner", "way", "format", "which", "dest")}
    partner = Party.objects.filter(id=given["partner"], active=True).first()
    if partner is None or given["which"] not in WHICH:
        raise ProblemError(400, "partner", "choose a partner", pointer="/partner")
    plan = channels.Plan(
        partner=partner,
        way=given["way"],
        format=given["format"],
        query=WHICH[given["which"]][1],
        dest=given["dest"],
        token=request.POST.get("token", ""),
        statement=request.POST.get("statement", "").strip(),
        since_ever=bool(request.POST.get("since_ever")),
        nonce=request.POST.get("nonce", ""),
    )
    channels.create(member.party, plan)


def _resume_channel(request: HttpRequest, member: Member) -> None:
    channels.resume(_channel(request, member))


def _end_channel(request: HttpRequest, member: Member) -> None:
    channels.end(_channel(request, member))


def _resume_subscription(request: HttpRequest, member: Member) -> None:
    found = Subscription.objects.filter(query__party=member.party, id=request.POST.get("subscription", "")).first()
    if found is None:
        raise Http404
    subscriptions.resume(found)


_ACTIONS: dict[str, Callable[[HttpRequest, Member], None]] = {
    "add-channel": _add_channel,
    "resume-channel": _resume_channel,
    "end-channel": _end_channel,
    "resume-subscription": _resume_subscription,
}


def _channel(request: HttpRequest, member: Member) -> Channel:
    found = channels.find(member.party, request.POST.get("channel", ""))
    if found is None:
        raise Http404
    return found


def _found(member: Member, delivery_id: str) -> Delivery:
    found = deliveries.find(member.party, delivery_id)
    if found is None:
        raise Http404
    return found


def _worded(problem: ProblemError) -> Error:
    field = problem.pointer.lstrip("/") or "partner"
    return worded("dest-refused" if problem.code.startswith("dest-") else problem.code, problem.detail, field)


def _page(request: HttpRequest, member: Member, *, errors: Any = (), status: int = 200) -> HttpResponse:
    zone, is_admin = names.zone_of(member), member.role == Member.Role.ADMIN
    page = Paginator(deliveries.of_party(member.party), PAGE_SIZE).get_page(request.GET.get("page"))
    context: dict[str, Any] = {
        "member": member,
        "section": "partners",
        "is_admin": is_admin,
        "rows": [_delivery(row, member, zone) for row in page.object_list],
        "page": page,
        "errors": errors,
        "wrong": {error.field: error.text for error in errors},
        "given": request.POST,
    }
    if is_admin:
        context |= {
            "channels": [_channel_row(row, zone) for row in channels.of_party(member.party)],
            "subscriptions": [_subscription_row(row, zone) for row in subscriptions.of_party(member.party)],
            "choices": Party.objects.filter(active=True).exclude(id=member.party_id).order_by("name"),
            "ways": delivery_rows.WAYS.items(),
            "formats": FORMATS.items(),
            "nonce_value": secrets.token_hex(16),
            "which": [(key, text) for key, (text, _query) in WHICH.items()],
        }
    return render(request, "portal/partners.html", context, status=status)


def _delivery(row: Delivery, member: Member, zone: ZoneInfo) -> dict[str, Any]:
    is_incoming = row.channel.partner == member.party
    state, tone = delivery_rows.STATES[row.state]
    return {
        "id": row.id,
        "number": row.number,
        "incoming": is_incoming,
        "other": row.channel.party.name if is_incoming else row.channel.partner.name,
        "format": DOCUMENTS[row.format],
        "events": row.events,
        "made": names.moment(row.created_ms, zone),
        "state": state,
        "tone": tone,
    }


def _channel_row(row: Channel, zone: ZoneInfo) -> dict[str, Any]:
    state, tone = STATES[row.state]
    return {
        "row": row,
        "way": delivery_rows.WAYS[row.way],
        "format": FORMATS[row.format],
        "state": state,
        "tone": tone,
        "sent": names.moment(row.sent_ms, zone),
    }


def _subscription_row(row: Subscription, zone: ZoneInfo) -> dict[str, Any]:
    state, tone = STATES[row.state]
    return {"row": row, "state": state, "tone": tone, "sent": names.moment(row.sent_ms, zone)}
