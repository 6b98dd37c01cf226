"""The exceptions desk: goods that do not fit their data, by age, with what can be done about each."""

import secrets
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlencode

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache

from traceability.common.problems import ProblemError
from traceability.exceptions import arrival, gather, selectors, services, wording
from traceability.exceptions import messages as messages_about
from traceability.exceptions.models import ExceptionGoods, ExceptionItem
from traceability.exchange import channels
from traceability.parties import services as parties
from traceability.parties.models import Member, Party
from traceability.scans import services as scans
from traceability.scans.preflight import STOP
from traceability.scans.reading import is_quality
from traceability.web.shared import delivery_rows, exception_rows, names
from traceability.web.shared.names import lasted

from .access import member_view
from .problems import Error, explain, worded
from .step_form import WHITESPACE

PAGE_SIZE = 50
CHOICES = {
    "": gettext_lazy("Not resolved"),
    **{state: text for state, (text, _tone) in exception_rows.STATES.items()},
    "all": gettext_lazy("All"),
}


@never_cache
@member_view
def exceptions(request: HttpRequest, member: Member) -> HttpResponse:
    """The desk: one's own, `?side=asked` what partners ask; filters state, kind, overdue stand in the address."""
    given = {name: request.GET.get(name, "") for name in ("side", "state", "kind", "overdue")}
    is_asked = given["side"] == "asked"
    found = (selectors.asked_of if is_asked else selectors.of_party)(member.party, given)
    page = Paginator(found, PAGE_SIZE).get_page(request.GET.get("page"))
    zone = names.zone_of(member)
    chosen = {name: value for name, value in given.items() if value}
    context = {
        "member": member,
        "section": "exceptions",
        "rows": exception_rows.rows(page.object_list, zone),
        "page": page,
        "more": f"&{urlencode(chosen)}" if chosen else "",
        "given": given,
        "is_asked": is_asked,
        "own_open": selectors.of_party(member.party, {}).count(),
        "asked_open": selectors.asked_of(member.party, {}).count(),
        "is_maker": member.party.has_role(Party.Role.MANUFACTURER),
        "states": CHOICES.items(),
        "kinds": wording.KINDS.items(),
    }
    return render(request, "portal/exceptions.html", context)


@never_cache
@member_view
def new(request: HttpRequest, member: Member) -> HttpResponse:
    """Open an exception; the address may say code, despatch, kind and partner beforehand."""
    if request.method != "POST":
        return _form(request, member, request.GET.dict() | {"codes": "\n".join(request.GET.getlist("code"))})
    given = request.POST.dict()
    lines = (line.strip(WHITESPACE) for line in given.get("codes", "").split("\n"))
    partner = Party.objects.filter(id=given.get("partner", "")).first()
    what = services.Opening(
        kind=given.get("kind", ""),
        codes=list(dict.fromkeys(line for line in lines if line)),
        place=given.get("place", ""),
        note=given.get("comment", ""),
        partner=partner if partner != member.party else None,
        despatch=given.get("despatch", "").strip()[:500],
        nonce=given.get("nonce", ""),
    )
    try:
        item = services.open_item(member, what)
    except ProblemError as problem:
        return _form(request, member, given, errors=explain(problem), status=problem.status)
    held = item.kind != ExceptionItem.Kind.DATA_NO_PRODUCT
    messages.success(
        request, _("Recorded. The goods are set aside on the record within seconds.") if held else _("Recorded.")
    )
    return redirect("portal:exception", item_id=item.id)


@never_cache
@member_view
def exception(request: HttpRequest, member: Member, item_id: str) -> HttpResponse:
    """One exception; its party POSTs action=ask, send, resend, escalate or resolve with the version that was shown, the
    partner that it asks action=answer.
    """
    item = selectors.find(item_id, party=member.party)
    if item is None:
        raise Http404
    if request.method != "POST":
        return _page(request, member, item)
    acts = _ACTS if item.party == member.party else _PARTNER_ACTS if item.partner == member.party else {}
    act, version = acts.get(request.POST.get("action", "")), request.POST.get("version", "")
    if act is None or not (version.isascii() and version.isdigit() and len(version) < 9):
        raise Http404
    try:
        act(request, member, item, int(version))
    except ProblemError as problem:
        fresh = selectors.find(item_id, party=member.party) or item
        return _page(request, member, fresh, errors=explain(problem), status=problem.status)
    except parties.ConfirmationError as error:
        return _page(request, member, item, errors=[worded(error.code, error.code)], status=403)
    messages.success(request, _("Recorded."))
    return redirect("portal:exception", item_id=item.id)


def _ask(request: HttpRequest, member: Member, item: ExceptionItem, version: int) -> None:
    services.ask(member, item, version=version)


def _send(request: HttpRequest, member: Member, item: ExceptionItem, version: int) -> None:
    services.send(member, item, channel_id=request.POST.get("channel", ""), version=version)


def _resend(request: HttpRequest, member: Member, item: ExceptionItem, _version: int) -> None:
    services.resend(member, item, delivery_id=request.POST.get("delivery", ""))


def _answer(request: HttpRequest, member: Member, item: ExceptionItem, version: int) -> None:
    services.answer(member, item, comment=request.POST.get("comment", ""), version=version)


def _escalate(request: HttpRequest, member: Member, item: ExceptionItem, version: int) -> None:
    services.escalate(member, item, comment=request.POST.get("comment", ""), version=version)


def _resolve(request: HttpRequest, member: Member, item: ExceptionItem, version: int) -> None:
    """Releasing goods from hold is signed with the password, as the step of that name is."""
    release, comment = bool(request.POST.get("release")), request.POST.get("comment", "")
    if release:
        parties.confirm(member, request.POST.get("password", ""), comment)
    services.resolve(member, item, comment=comment, release=release, version=version)


_Act = Callable[[HttpRequest, Member, ExceptionItem, int], None]
_PARTNER_ACTS: dict[str, _Act] = {"answer": _answer}
_ACTS: dict[str, _Act] = {
    "ask": _ask,
    "send": _send,
    "resend": _resend,
    "escalate": _escalate,
    "resolve": _resolve,
}


def _form(
    request: HttpRequest, member: Member, given: dict[str, str], *, errors: Any = (), status: int = 200
) -> HttpResponse:
    sites = list(member.party.sites.order_by("name"))
    others = Party.objects.filter(active=True).exclude(id=member.party_id).order_by("name")
    home = member.site or (sites[0] if sites else None)
    context = {
        "member": member,
        "section": "exceptions",
        "given": given,
        "nonce_value": given.get("nonce") or secrets.token_hex(16),
        "sites": sites,
        "place": given.get("place") or (home.uri if home else ""),
        "partners": [party for party in others if not party.has_role(Party.Role.REGULATOR)],
        "kinds": [(kind, text, wording.HINTS[kind]) for kind, text in wording.KINDS.items()],
        "days": lasted(settings.EXCEPTION_HOURS * 3_600_000),
        "errors": errors,
        "wrong": {error.field: error.text for error in errors},
    }
    return render(request, "portal/exception_new.html", context, status=status)


def _blocked(member: Member, item: ExceptionItem, goods: list[ExceptionGoods]) -> list[str]:
    """Why goods stay on hold although what they waited for has arrived."""
    held = [row.code for row in goods if row.held]
    if not held or not arrival.has_arrived(item.kind, gather.goods_of([item], goods)[item.id]):
        return []
    given = {"reason": item.note}
    verdict = scans.preflight(party=member.party, step="release_hold", codes=held, place=item.place, details=given)
    return list(dict.fromkeys(str(reason.text) for reason in verdict.reasons if reason.verdict == STOP))


def _channels(item: ExceptionItem) -> list[tuple[str, Any]]:
    """The channels over which the message can be sent: (id, way in words)."""
    found = channels.to_partner(item.party, item.partner) if item.partner else []
    return [(one.id, delivery_rows.WAYS[one.way]) for one in found]


def _page(
    request: HttpRequest,
    member: Member,
    item: ExceptionItem,
    *,
    errors: list[Error] | tuple[()] = (),
    status: int = 200,
) -> HttpResponse:
    zone, goods = names.zone_of(member), list(item.goods.order_by("id"))
    is_own, is_open = item.party == member.party, item.state != ExceptionItem.State.RESOLVED
    texts = [
        {"code": one.language, "language": dict(settings.LANGUAGES)[one.language], "body": one.body,
         "mail": f"mailto:?subject={quote(one.subject)}&body={quote(one.body)}"}
        for one in (messages_about.texts(item, goods) if is_own else ())
    ]  # fmt: skip
    context = {
        "member": member,
        "section": "exceptions",
        "links_to_documents": True,
        **exception_rows.one(item, goods, zone, party=member.party),
        "trace_url": "portal:trace",
        "texts": texts,
        "channels": _channels(item) if is_own and is_open else [],
        "is_own": is_own,
        "may_act": is_own and is_open,
        "blocked": _blocked(member, item, goods) if is_own and item.waits else [],
        "may_answer": item.partner == member.party and is_open,
        "is_admin": member.role == Member.Role.ADMIN,
        "may_resolve": is_quality(member),
        "may_correct": is_open
        and item.kind == ExceptionItem.Kind.DATA_ISSUE
        and member.party.has_role(Party.Role.MANUFACTURER),
        "has_held": any(row.held for row in goods),
        "partner_works_here": item.partner is not None
        and item.partner.active
        and item.partner.members.filter(user__is_active=True).exists(),
        "closed_partner": item.partner is not None and not item.partner.active,
        "take_over": urlencode([("code", row.code) for row in goods]),
        "errors": errors,
        "wrong": {error.field: error.text for error in errors},
        "comment": request.POST.get("comment", ""),
    }
    return render(request, "portal/exception.html", context, status=status)
