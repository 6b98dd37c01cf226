"""The steward's queue as both faces show it: partners' master data beside ours, and the decision on it."""

import json
from collections.abc import Callable
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from traceability.parties.models import Member
from traceability.products import proposals, stewardship
from traceability.products.accepted import CHILDREN
from traceability.products.models import MasterDataDecision, MasterDataProposal

from . import names

PAGE_SIZE = 20
SHOWN = 400  # characters of a value
KINDS = {
    proposals.Kind.NEW: (gettext_lazy("New"), "is-ok"),
    proposals.Kind.CHANGED: (gettext_lazy("Changed"), "is-warn"),
    proposals.Kind.CONFLICTING: (gettext_lazy("Contradiction"), "is-danger"),
}
STATES = {
    "open": gettext_lazy("Open"),
    "accepted": gettext_lazy("Accepted"),
    "rejected": gettext_lazy("Rejected"),
    "settled": gettext_lazy("Settled by another decision"),
}
ATTRIBUTES = {
    CHILDREN: gettext_lazy("Contains"),
    "name": gettext_lazy("Name"),
    "city": gettext_lazy("City"),
    "state": gettext_lazy("State or province"),
    "countryCode": gettext_lazy("Country"),
    "postalCode": gettext_lazy("Postal code"),
    "streetAddressOne": gettext_lazy("Street"),
    "latitude": gettext_lazy("Latitude"),
    "longitude": gettext_lazy("Longitude"),
    "regulatedProductName": gettext_lazy("Product name"),
    "manufacturerOfTradeItemPartyName": gettext_lazy("Maker"),
    "dosageFormType": gettext_lazy("Dosage form"),
    "strengthDescription": gettext_lazy("Strength"),
    "netContentDescription": gettext_lazy("Pack size"),
    "lotNumber": gettext_lazy("Lot number"),
    "itemExpirationDate": gettext_lazy("Expiry date"),
}
_ERRORS = {
    "reason-missing": gettext_lazy("Say why it is rejected."),
    "reason-too-long": gettext_lazy("The reason is too long."),
    "nothing-chosen": gettext_lazy("Choose what to accept, or reject it with a reason."),
    "changed-meanwhile": gettext_lazy("What is recorded has changed meanwhile. Look at it again before you decide."),
    "decided": gettext_lazy("This was decided meanwhile. Look at it again."),
    "does-not-fit": gettext_lazy("A value does not fit our record, so nothing was changed:"),
    "no-signing-key": gettext_lazy("Your organisation has no signing key in force here, and each version is signed."),
}


def queue(request: HttpRequest, member: Member, *, template: str, here: str, zone: ZoneInfo) -> HttpResponse:
    """The open proposals by partner, or with `?decided=1` those that were decided; POST decides."""
    if not proposals.is_steward(member):
        raise PermissionDenied
    error = _act(request, member) if request.method == "POST" else None
    if request.method == "POST" and error is None:
        return redirect(here)
    decided = request.GET.get("decided") == "1"
    found = proposals.queue_of(member.party)
    found = found.exclude(state="open").order_by("-id") if decided else found.filter(state="open")
    found = found if decided else found.order_by("reporter", "first_seen_ms", "id")
    page = Paginator(found, PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "member": member,
        "section": "master-data",
        "groups": _groups(list(page.object_list), zone, reopened=request.POST if error else {}),
        "page": page,
        "decided": decided,
        "more": "&decided=1" if decided else "",
        "error": error,
        "at_once": stewardship.MAX_AT_ONCE,
    }
    return render(request, template, context, status=error.status if error else 200)


def _act(request: HttpRequest, member: Member) -> Any:
    """Take the decision that the form asks for; why not, when it cannot be taken."""
    action = _ACTIONS.get(request.POST.get("action", ""))
    if action is None:
        raise Http404
    try:
        action(request, member)
    except stewardship.StewardError as error:
        if error.status in (403, 404):
            raise Http404 from error
        text = str(_ERRORS[error.code])
        return _Refused(text=f"{text} {error.detail}" if error.code == "does-not-fit" else text, status=error.status)
    return None


class _Refused:
    """Why a decision was not taken: words for people, and the status of the answer."""

    def __init__(self, *, text: str, status: int) -> None:
        self.text, self.status = text, status


def _accept(request: HttpRequest, member: Member) -> None:
    stewardship.accept(
        member=member,
        proposal_id=_proposal_id(request),
        names=request.POST.getlist("name"),
        reason=request.POST.get("reason", ""),
        seen=request.POST.get("seen", ""),
    )
    messages.success(request, _("Accepted. The new version is logged."))


def _reject(request: HttpRequest, member: Member) -> None:
    stewardship.reject(member=member, proposal_id=_proposal_id(request), reason=request.POST.get("reason", ""))
    messages.success(request, _("Rejected. What is recorded stays as it is."))


def _accept_new(request: HttpRequest, member: Member) -> None:
    done = stewardship.accept_new(member=member, reporter=request.POST.get("reporter", ""))
    messages.success(request, _("New entries accepted and logged: %(n)s.") % {"n": done})


_ACTIONS: dict[str, Callable[[HttpRequest, Member], None]] = {
    "accept": _accept,
    "reject": _reject,
    "accept-new": _accept_new,
}


def _proposal_id(request: HttpRequest) -> int:
    text = request.POST.get("proposal", "")
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise Http404
    return int(text)


def _groups(found: list[MasterDataProposal], zone: ZoneInfo, *, reopened: Any) -> list[dict[str, Any]]:
    """The proposals of a page by partner, in their order."""
    naming = names.Names().learn(parties_of=[row.reporter for row in found])
    decisions = _last_decisions(found)
    rows = proposals.with_kinds(found)
    return [
        {
            "reporter": reporter,
            "name": naming.party(reporter),
            "rows": [_shown(row, zone, decisions, reopened) for row in group],
        }
        for reporter, group in groupby(rows, key=lambda row: row.proposal.reporter)
    ]


def _shown(
    row: proposals.Row, zone: ZoneInfo, decisions: dict[int, MasterDataDecision], reopened: Any
) -> dict[str, Any]:
    proposal, decision = row.proposal, decisions.get(row.proposal.pk)
    word, tone = KINDS[row.kind]
    mine = str(proposal.pk) == reopened.get("proposal")
    return {
        "id": proposal.pk,
        "uri": proposal.uri,
        "goods": names.goods(proposal.uri),
        "word": word,
        "tone": tone,
        "owner": row.owner.name if row.owner else "",
        "at": names.moment(proposal.first_seen_ms, zone),
        "job": proposal.job,
        "seen": row.standing.digest,
        "lines": [_line(line, reopened.getlist("name") if mine else None) for line in row.lines],
        "reason": reopened.get("reason", "") if mine else "",
        "state": STATES[proposal.state],
        "decided": decision and names.moment(decision.at_ms, zone),
        "actor": decision.actor if decision else "",
        "why": decision.reason if decision else "",
        "can_accept": proposal.state in ("open", "rejected") and any(line.differs for line in row.lines),
    }


def _line(line: proposals.Line, chosen: list[str] | None) -> dict[str, Any]:
    return {
        "name": line.name,
        "label": ATTRIBUTES.get(line.name, line.name),
        "old": _words(line.old),
        "new": _words(line.new),
        "differs": line.differs,
        "is_added": line.old is None,
        "chosen": chosen is None or line.name in chosen,
    }


def _words(value: Any) -> str:
    """A value in one text, cut where it is very long."""
    if value is None:
        return ""
    listed = value if isinstance(value, list) else [value]
    text = "; ".join(one if isinstance(one, str) else json.dumps(one, ensure_ascii=False) for one in listed)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"


def _last_decisions(found: list[MasterDataProposal]) -> dict[int, MasterDataDecision]:
    rows = MasterDataDecision.objects.filter(proposal__in=found).order_by("id")
    return {row.proposal_id: row for row in rows}
