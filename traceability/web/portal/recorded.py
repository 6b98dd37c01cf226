"""What a recorded step became: its codes, its statements, and whether the log has published them."""

from collections.abc import Sequence

from django.conf import settings
from django.contrib import messages
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
from traceability.scans.tables import step_for
from traceability.web.shared import names

from .access import member_view
from .problems import Error

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
