"""What was recorded lately; and what one step became: its codes, its statements, whether the log has published them."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache

from ledger import api as ledger
from traceability.common.clock import now_ms
from traceability.common.problems import ProblemError
from traceability.gs1 import scan
from traceability.gs1.errors import Gs1Error
from traceability.parties.models import Member
from traceability.scans import taking_back
from traceability.scans.models import ScanEvent
from traceability.scans.steps import Shape
from traceability.scans.tables import step_for
from traceability.web.shared import names

from .access import member_view
from .problems import Error

PAGE_SIZE = 50
HINDRANCES = {
    "not-taken-back": gettext_lazy("This step is not taken back here."),
    "of-an-exception": gettext_lazy("This belongs to an exception: resolve that."),
    "taken-back": gettext_lazy("This was taken back already."),
    "too-late": gettext_lazy("This was recorded too long ago to be taken back."),
    "elsewhere": gettext_lazy("Only people at the place where it was recorded can take it back, or the quality role."),
    "not-published": gettext_lazy("This is on its way to the log. Try again in a few seconds."),
    "acted-on": gettext_lazy("Something was recorded of these goods since. Take that back first."),
    "acted-on-by-others": gettext_lazy(
        "Another organisation has recorded something of these goods since. Agree with it first."
    ),
    "reason": gettext_lazy("Say why it is taken back."),
}
_WORTH_SAYING = {"of-an-exception", "too-late", "elsewhere", "acted-on", "acted-on-by-others"}


@never_cache
@member_view
def lately(request: HttpRequest, member: Member) -> HttpResponse:
    """What the party has recorded by scanning, the newest first; `?mine=1`: by this person."""
    is_mine = request.GET.get("mine") == "1"
    found = _scans(member)
    if is_mine:
        found = found.filter(member=member.pseudonym)
    page = Paginator(found, PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "member": member,
        "section": "tasks",
        "is_mine": is_mine,
        "rows": _rows(list(page.object_list), member),
        "page": page,
        "more": "&mine=1" if is_mine else "",
    }
    return render(request, "portal/recorded_lately.html", context)


@never_cache
@member_view
def recorded(request: HttpRequest, member: Member, nonce: str) -> HttpResponse:
    """A scan of the member's own party."""
    return _page(request, member, _row(member, nonce))


@never_cache
@member_view
def take_back(request: HttpRequest, member: Member, nonce: str) -> HttpResponse:
    """POST a reason: the step did not happen."""
    row = _row(member, nonce)
    if request.method != "POST":
        return redirect("portal:recorded", nonce=nonce)
    try:
        taking_back.take_back(member, row, reason=request.POST.get("reason", ""))
    except ProblemError as problem:
        text = HINDRANCES.get(problem.code, problem.detail)
        return _page(request, member, row, errors=[Error("reason", str(text))], status=problem.status)
    messages.success(request, _("Taken back. It is void on the log within seconds."))
    return redirect("portal:recorded", nonce=nonce)


def newest(member: Member, number: int) -> list[dict[str, Any]]:
    """The last steps of this person that have a page of their own, to be shown in short."""
    found = _scans(member).filter(member=member.pseudonym).exclude(nonce=None)
    return _rows(list(found[:number]), member)


def _scans(member: Member) -> QuerySet[ScanEvent]:
    """What the party's scans have put on record, the newest first. What took one back is no step of its own."""
    found = ScanEvent.objects.filter(party=member.party_id).exclude(event_ids=[]).exclude(step=taking_back.STEP)
    return found.order_by("-scanned_ms", "-id")


def _rows(found: Sequence[ScanEvent], member: Member) -> list[dict[str, Any]]:
    """Rows to show; a fixed number of queries."""
    void = taking_back.withdrawn(member.party, {event_id for row in found for event_id in row.event_ids})
    published = ledger.positions({name for row in found for name in row.statement_hashes})
    people = Member.objects.filter(party=member.party, pseudonym__in={row.member for row in found})
    by_pseudonym = dict(people.values_list("pseudonym", "user__username"))
    naming, zone = names.Names().learn(places={row.place for row in found}), names.zone_of(member)
    rows = []
    for row in found:
        step = step_for(member.party.roles, row.step)
        is_void = step is not None and step.shape is not Shape.UNDO and bool(void & set(row.event_ids))
        rows.append(
            {
                "at": names.moment(row.scanned_ms, zone),
                "step": step.label if step else row.step,
                # What other systems send may bear a nonce that is no part of a path, or none.
                "nonce": row.nonce if step and row.nonce and "/" not in row.nonce else "",
                "first": _code(row.codes[0])[0] if row.codes else "",
                "more": len(row.codes) - 1,
                "place": naming.place(row.place),
                "who": by_pseudonym.get(row.member, ""),
                "is_void": is_void,
                "published": set(row.statement_hashes) <= published.keys(),
            }
        )
    return rows


def _row(member: Member, nonce: str) -> ScanEvent:
    row = ScanEvent.objects.filter(party=member.party_id, nonce=nonce).first()
    if row is None or step_for(member.party.roles, row.step) is None:
        raise Http404
    return row


def _page(
    request: HttpRequest, member: Member, row: ScanEvent, *, errors: Sequence[Error] = (), status: int = 200
) -> HttpResponse:
    hindrance = taking_back.hindrance(row, member)
    positions = ledger.positions(row.statement_hashes)
    statements = [(text[:12], positions[text].index if text in positions else None) for text in row.statement_hashes]
    context = {
        "member": member,
        "section": "tasks",
        "nonce": row.nonce,
        "step": step_for(member.party.roles, row.step),
        "codes": [_code(raw) for raw in row.codes],
        "statements": statements,
        "published": len(positions) == len(set(row.statement_hashes)),
        "place": names.Names().place(row.place),
        "at": names.moment(row.scanned_ms, names.zone_of(member)),
        "waiting_s": (now_ms() - row.scanned_ms) // 1000,
        "override_reason": row.override_reason,
        "is_taken_back": hindrance == "taken-back",
        "may_take_back": not hindrance,
        "why_not": HINDRANCES.get(hindrance, "") if hindrance in _WORTH_SAYING else "",
        "hours": settings.TAKE_BACK_HOURS,
        "errors": errors,
        "wrong": {error.field: error.text for error in errors},
    }
    return render(request, "portal/recorded.html", context, status=status)


def _code(raw: str) -> tuple[str, str]:
    """The goods as printed, and the path of its page or ''."""
    try:
        epc = scan.parse(raw).epc
    except Gs1Error:
        return raw, ""
    return names.goods(epc), names.pack_path(epc)
