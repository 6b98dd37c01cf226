"""The page of a step: codes in, check, then an explicit record."""

import secrets
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from django.db import IntegrityError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from traceability.common.problems import ProblemError
from traceability.parties import services as parties
from traceability.parties.models import Member
from traceability.scans import in_force
from traceability.scans import services as scans
from traceability.scans.models import ScanEvent
from traceability.scans.preflight import ALLOW, STOP, WARN, Preflight, Reason
from traceability.scans.steps import Step
from traceability.web.shared import names

from . import step_form, under_way
from .access import member_view
from .problems import Error, explain, worded
from .step_form import Filled

TONES = {ALLOW: "is-ok", WARN: "is-warn", STOP: "is-danger"}
ICONS = {ALLOW: "check", WARN: "warning", STOP: "danger"}
# Which of preflight's reasons are exceptions, by the kind that they are.
_EXCEPTIONS = {
    "product-no-data": {"unknown", "no-despatch", "over"},
    "data-issue": {"lot-mismatch", "expiry-mismatch", "wrong-recipient"},
}
QUALITY = {Member.Role.QUALITY, Member.Role.ADMIN}


@dataclass(frozen=True)
class Answer:
    """What the check says of one code."""

    shown: str
    tone: str
    icon: str
    reasons: Sequence[Reason]


@never_cache
@member_view
def step(request: HttpRequest, member: Member, step_id: str) -> HttpResponse:
    """One step of the party's roles: GET the empty form, POST action=check or action=record."""
    chosen = in_force.step_for(member.party.roles, step_id)
    if chosen is None:
        raise Http404
    if request.method != "POST":
        return _page(request, member, chosen, None)
    filled = step_form.read(request.POST.dict(), chosen)
    if filled.errors:
        return _page(request, member, chosen, filled, errors=filled.errors, status=400)
    filled = _completed(request, member, chosen, filled)
    nonce = filled.nonce(request.POST.get("nonce", ""), chosen)
    recording = request.POST.get("action") == "record" and chosen.is_recorded
    try:
        verdict = scans.preflight(
            party=member.party, step=chosen.id, codes=filled.codes, place=filled.place, details=filled.details
        )
        # Looked for after the check: what that says of the goods may be the doing of this form, sent before.
        if recording and ScanEvent.objects.filter(party=member.party_id, nonce=nonce).exists():
            return redirect("portal:recorded", nonce=nonce)
        if recording and request.POST.get("checked") == _fingerprint(filled, verdict):
            return _record(request, member, chosen, filled, nonce)
    except ProblemError as problem:
        return _page(request, member, chosen, filled, errors=explain(problem), status=problem.status)
    except parties.ConfirmationError as error:
        errors = [worded(error.code, error.code)]
        return _page(request, member, chosen, filled, verdict=verdict, errors=errors, status=403)
    return _page(request, member, chosen, filled, verdict=verdict, changed=recording)


def _completed(request: HttpRequest, member: Member, chosen: Step, filled: Filled) -> Filled:
    """With the despatch advice that the goods say; who has emptied the field that was filled in so wants none."""
    if request.POST.get("offered") and "despatch" not in filled.details:
        return filled
    details = under_way.completed(chosen, member.party, filled.details, list(filled.scanned))
    return replace(filled, details=details, offered=details.get("despatch", ""))


def _record(request: HttpRequest, member: Member, chosen: Step, filled: Filled, nonce: str) -> HttpResponse:
    """Record what was checked, and show it under its own address, so that reloading records nothing."""
    if chosen.high_risk:
        parties.confirm(member, request.POST.get("password", ""), filled.details.get("reason", ""))
    what: dict[str, Any] = {
        "party": member.party,
        "member": member,
        "step": chosen.id,
        "codes": filled.codes,
        "place": filled.place,
        "details": filled.details,
        "override_reason": request.POST.get("override_reason", "").strip(),
        "nonce": nonce,
    }
    try:
        scans.record(**what)
    except IntegrityError:  # the same form came twice at once: the other one was recorded
        scans.record(**what)
    return redirect("portal:recorded", nonce=nonce)


def _fingerprint(filled: Filled, verdict: Preflight) -> str:
    return step_form.fingerprint(filled, verdict.verdict, [(one.code, one.epc) for one in verdict.reasons])


def _page(
    request: HttpRequest,
    member: Member,
    chosen: Step,
    filled: Filled | None,
    *,
    verdict: Preflight | None = None,
    errors: Sequence[Error] = (),
    changed: bool = False,
    status: int = 200,
) -> HttpResponse:
    sites = list(member.party.sites.order_by("name"))
    home = member.site or (sites[0] if sites else None)
    context: dict[str, Any] = {
        "member": member,
        "section": "tasks",
        "step": chosen,
        "icon": f"shared/icons/{chosen.icon}.svg",
        "nonce_value": request.POST.get("nonce") or secrets.token_hex(16),
        "codes": "\n".join(filled.codes if filled else request.GET.getlist("code")),
        "sites": sites,
        "place": filled.place if filled else request.GET.get("place", home.uri if home else ""),
        "fields": step_form.fields(chosen, member, filled, request.GET.dict()),
        "errors": errors,
        "wrong": {error.field: error.text for error in errors},
        "changed": changed,
        "may_decide": member.role in QUALITY,
        "not_allowed": chosen.quality_only and member.role not in QUALITY,
        "lot_step": chosen.shape == "lot",
    }
    if verdict is not None and filled is not None:
        context |= _verdict(request, filled, verdict)
    return render(request, "portal/step.html", context, status=status)


def _verdict(request: HttpRequest, filled: Filled, verdict: Preflight) -> dict[str, Any]:
    words = {
        ALLOW: (_("Nothing speaks against it"), _("From what is recorded now.")),
        WARN: (_("Look before you record"), _("You can record it; read the reasons first.")),
        STOP: (_("Stop"), _("The records speak against it. Set the goods aside.")),
    }
    word, text = words[verdict.verdict]
    answers = _answers(filled, verdict)
    return {
        "verdict": verdict.verdict,
        "tone": TONES[verdict.verdict],
        "verdict_icon": f"shared/icons/{ICONS[verdict.verdict]}.svg",
        "word": word,
        "text": text,
        "problems": [answer for answer in answers if answer.reasons],
        "fine": [answer for answer in answers if not answer.reasons],
        "lots": _lots(filled),
        "tally": verdict.tally,
        "found": filled.offered if filled.offered and not request.POST.get("despatch") else "",
        "offered": filled.offered or request.POST.get("offered", ""),
        "exception": _exception(filled, verdict),
        "checked": _fingerprint(filled, verdict),
    }


def _answers(filled: Filled, verdict: Preflight) -> list[Answer]:
    """One answer per code, the worst first; what the despatch advice lists and nobody scanned comes as well."""
    by_code: dict[str, list[Reason]] = {code.epc or code.raw: [] for code in filled.scanned}
    for reason in verdict.reasons:
        by_code.setdefault(reason.epc, []).append(reason)
    worst = {key: _worst(reasons) for key, reasons in by_code.items()}
    rank = (STOP, WARN, ALLOW)
    ordered = sorted(by_code, key=lambda key: rank.index(worst[key]))
    return [
        Answer(names.goods(key), TONES[worst[key]], f"shared/icons/{ICONS[worst[key]]}.svg", by_code[key])
        for key in ordered
    ]


def _worst(reasons: Sequence[Reason]) -> str:
    found = {reason.verdict for reason in reasons}
    return next((verdict for verdict in (STOP, WARN) if verdict in found), ALLOW)


def _lots(filled: Filled) -> list[tuple[str, int]]:
    """How many packs of which GTIN and lot were scanned, and how many cases or pallets."""
    counts: Counter[str] = Counter()
    for code in filled.scanned:
        if code.kind == "pack":
            counts[f"(01){code.gtin}" + (f"(10){code.lot}" if code.lot else "")] += 1
        elif code.kind == "sscc":
            counts[_("Cases and pallets")] += 1
        else:
            counts[_("Other codes")] += 1
    return sorted(counts.items())


def _exception(filled: Filled, verdict: Preflight) -> str:
    """The query of an exception's form for the goods that do not fit their data; '' when all do."""
    raw = {code.epc: code.raw for code in filled.scanned}
    for kind, codes in _EXCEPTIONS.items():
        found = [raw[reason.epc] for reason in verdict.reasons if reason.code in codes and reason.epc in raw]
        if found:
            given = {name: names.document(filled.details[name]) for name in ("despatch",) if name in filled.details}
            sender = {"partner": filled.details["sender"]} if "sender" in filled.details else {}
            return urlencode([("kind", kind), *given.items(), *sender.items(), *(("code", one) for one in found)])
    return ""
