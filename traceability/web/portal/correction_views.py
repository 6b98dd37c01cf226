"""A wrong lot or expiry date mended by its maker: what would be corrected first, then signed with the password."""

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache

from traceability.common.problems import ProblemError
from traceability.exceptions import correction, selectors
from traceability.exceptions.correction import Plan, Wanted
from traceability.parties import services as parties
from traceability.parties.models import Member, Party
from traceability.scans.reading import is_quality
from traceability.web.shared import names

from .access import member_view
from .problems import Error, explain, worded
from .step_form import WHITESPACE

_WORDS = {
    "lot": ("lot", gettext_lazy("Give the lot number as it is printed: 1 to 20 characters.")),
    "expiry": ("expiry", gettext_lazy("Give the expiry date as year, month and day.")),
    "reason": ("reason", gettext_lazy("Write a comment of 1 to 500 characters.")),
    "not-packs": ("codes", gettext_lazy("Give codes of packs, or of cases and pallets with packs in them.")),
    "empty-case": ("codes", gettext_lazy("Nothing is recorded as inside these cases.")),
    "too-many-packs": ("codes", gettext_lazy("Too many packs at once: correct case by case.")),
    "one-product": ("codes", gettext_lazy("All packs have to be recorded, and of one product.")),
    "lot-unregistered": ("lot", gettext_lazy("This lot of the product is not registered. Register it first.")),
    "expiry-of-lot": ("expiry", gettext_lazy("This lot is registered with another expiry date.")),
    "nothing-to-correct": ("codes", gettext_lazy("All of these packs are recorded so already.")),
    "lot-recalled": ("codes", gettext_lazy("A pack of a recalled lot keeps it. Speak with the regulator.")),
    "lot-frozen": ("codes", gettext_lazy("A pack of a frozen lot keeps it. Speak with the regulator.")),
    "not-commissioned": (
        "codes",
        gettext_lazy("The making of one of these packs is not recorded pack by pack. Correct it by EPCIS events."),
    ),
    "not-your-making": (
        "codes",
        gettext_lazy(
            "The making of one of these packs is not on record as yours. Where another organisation made it, open an"
            " exception (wrong data): the goods are held, and it is asked to correct its record."
        ),
    ),
    "correction-waiting": (
        "codes",
        gettext_lazy("A correction of these packs is on its way to the log. Try again in a few seconds."),
    ),
}


@never_cache
@member_view
def correct(request: HttpRequest, member: Member) -> HttpResponse:
    """For manufacturers. POST action=check shows what would be done, action=record does it; GET may say codes."""
    if not member.party.has_role(Party.Role.MANUFACTURER):
        raise Http404
    if request.method != "POST":
        return _form(request, member, _asked(request, member))
    given = request.POST.dict()
    lines = (line.strip(WHITESPACE) for line in given.get("codes", "").split("\n"))
    wanted = Wanted(
        list(dict.fromkeys(line for line in lines if line)), given.get("lot", ""), given.get("expiry", "")
    )  # fmt: skip
    try:
        plan = correction.plan(member.party, wanted)
        if given.get("action") != "record":
            return _form(request, member, given, plan=plan)
        parties.confirm(member, given.get("password", ""), given.get("reason", ""))
        correction.correct(member, wanted, reason=given.get("reason", ""))
    except ProblemError as problem:
        return _form(request, member, given, errors=_explained(problem), status=problem.status)
    except parties.ConfirmationError as error:
        return _form(request, member, given, plan=plan, errors=[worded(error.code, error.code)], status=403)
    messages.success(request, _("Recorded. Packs are shown with the right lot within seconds, wherever they are."))
    return redirect("portal:exceptions")


def _asked(request: HttpRequest, member: Member) -> dict[str, str]:
    """What an exception that asks the party, or the address, says beforehand: codes, lot and expiry as printed."""
    item = selectors.find(request.GET.get("exception", "")[:24], party=member.party)
    if item is None:
        return {"codes": "\n".join(request.GET.getlist("code"))}
    goods = list(item.goods.order_by("id"))
    printed = {(row.lot, row.expiry) for row in goods if row.lot}
    lot, expiry = printed.pop() if len(printed) == 1 else ("", "")
    return {"codes": "\n".join(row.code for row in goods), "lot": lot, "expiry": expiry, "reason": item.note}


def _explained(problem: ProblemError) -> list[Error]:
    if problem.code in _WORDS:
        field, text = _WORDS[problem.code]
        return [Error(field, str(text))]
    return explain(problem)


def _form(
    request: HttpRequest,
    member: Member,
    given: dict[str, str],
    *,
    plan: Plan | None = None,
    errors: Sequence[Error] = (),
    status: int = 200,
) -> HttpResponse:
    context: dict[str, Any] = {
        "member": member,
        "section": "exceptions",
        "given": given,
        "may": is_quality(member),
        "errors": errors,
        "wrong": {error.field: error.text for error in errors},
    }
    if plan is not None:
        naming = names.Names().learn(gtins=[plan.gtin])
        context |= {
            "plan": plan,
            "product": naming.product(plan.gtin) or plan.gtin,
            "recorded": [(lot, expiry, packs) for (lot, expiry), packs in sorted(plan.recorded.items())],
            "events": len(plan.events),
        }
    return render(request, "portal/correct.html", context, status=status)
