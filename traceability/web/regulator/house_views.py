"""The house itself: contracts in force, identifiers without master data, the log's health."""

from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from ledger import api as ledger
from traceability.contracts import selectors as rule_contracts
from traceability.contracts import services as contract_services
from traceability.contracts import wording as contract_words
from traceability.contracts.lifecycle import LifecycleError, State
from traceability.contracts.models import Contract
from traceability.operations import facts as house_facts
from traceability.operations import health as house_health
from traceability.parties.models import Member
from traceability.parties.services import ConfirmationError
from traceability.products import selectors as products
from traceability.web.shared import confirmation, names, steward_pages

from . import words
from .access import inspector_view

SHOWN_REPORTS = 50


@inspector_view
def contracts(request: HttpRequest, member: Member) -> HttpResponse:
    """Every contract version with its numbers and approvals; POST approves one, with password and reason."""
    error = _approve(request, member) if request.method == "POST" else None
    if request.method == "POST" and error is None:
        messages.success(request, _("Approved. It is in force once the log has published it."))
        return redirect("regulator:contracts")
    naming = names.Names()
    found = list(rule_contracts.contracts())
    items = products.names_of_items({item for one in found for item in one.items})
    rows = [_contract(one, naming, member) | {"items": [items.get(id_, id_) for id_ in one.items]} for one in found]
    context = {"member": member, "section": "contracts", "rows": rows, "error": error, "given": request.POST}
    return render(request, "regulator/contracts.html", context, status=error.status if error else 200)


@inspector_view
def unknown(request: HttpRequest, member: Member) -> HttpResponse:
    """Identifiers met in events that no master data knows."""
    unknowns = list(products.open_unknowns()[:200])
    naming = names.Names().learn(parties_of=[row.first_reporter for row in unknowns])
    rows = [
        {
            "scheme": row.scheme.upper(),
            "value": row.value,
            "reporter": naming.party(row.first_reporter),
            "at": words.moment(row.first_seen_ms),
        }
        for row in unknowns
    ]
    return render(request, "regulator/unknown.html", {"member": member, "section": "unknown", "rows": rows})


@inspector_view
def master_data(request: HttpRequest, member: Member) -> HttpResponse:
    """Master data of partners' documents on parties, and on what is nobody's; POST action=accept|reject|accept-new."""
    return steward_pages.queue(
        request, member, template="regulator/master_data.html", here="regulator:master-data", zone=ZoneInfo("UTC")
    )


@inspector_view
def health(request: HttpRequest, member: Member) -> HttpResponse:
    """What is watched and whether it is fine, how far each fold has read, the witnesses and what they reported."""
    facts = house_facts.gather()
    log = facts.log.log if facts.log else None
    context = {
        "member": member,
        "section": "health",
        "log": log,
        "age_s": facts.age_s(log.checkpoint_ms) if log else None,
        "checks": [_check(one) for one in house_health.judge(facts)],
        "witnesses": [(one, words.moment(one.cosigned_ms) if one.cosigned_ms else "") for one in log.witnesses]
        if log
        else [],
        "log_keys": ledger.vkeys() if log else [],
        "reports": [
            (one, contract_words.title(f"log-{one.kind}"), words.moment(one.received_ms))
            for one in ledger.monitor_reports(SHOWN_REPORTS)
        ],
        "folds": [(words.FOLDS.get(fold.name, fold.name), fold.position, fold.behind) for fold in facts.log.folds]
        if facts.log
        else [],
    }
    return render(request, "regulator/health.html", context)


@inspector_view
def witness_report(request: HttpRequest, member: Member, digest: str) -> HttpResponse:
    """What a witness reported about the log, as it signed it, evidence included."""
    signed = ledger.monitor_report(digest)
    if signed is None:
        raise Http404
    return HttpResponse(signed, content_type="text/plain; charset=utf-8")


def _check(one: house_health.Check) -> dict[str, Any]:
    word, tone = words.CHECK_STATES[one.state]
    value = words.CHECK_VALUES.get(str(one.value), one.value)
    return {
        "title": words.CHECKS[one.name],
        "word": word,
        "tone": tone,
        "found": words.measured(value, one.unit),
        "limit": words.measured(one.limit, one.unit),
    }


@dataclass(frozen=True)
class Refused:
    """Why a proposal was not approved: the contract's key, the field that mends it, and words for people."""

    key: str
    field: str
    text: str
    status: int


def _approve(request: HttpRequest, member: Member) -> Refused | None:
    """Approve what the form names; why not, when it cannot be done."""
    found = Contract.objects.filter(key=request.POST.get("contract", "")).first()
    if found is None:
        raise Http404
    try:
        contract_services.approve_as_member(
            member=member,
            password=request.POST.get("password", ""),
            reason=request.POST.get("reason", ""),
            contract=found.contract,
            version=found.version,
        )
    except ConfirmationError as error:
        field, text = confirmation.FAULTS[error.code]
        return Refused(found.key, field, str(text), 403)
    except LifecycleError:
        return Refused(found.key, "", _("This version can no longer be approved by you. Look at it again."), 409)
    return None


def _contract(one: Contract, naming: names.Names, member: Member) -> dict[str, Any]:
    uri = member.party.uri
    return {
        "key": one.key,
        "may_approve": one.state == State.PROPOSED and uri in one.parties and uri not in one.approved_by,
        "name": one.contract,
        "version": one.version,
        "template": words.TEMPLATES.get(one.template, one.template),
        "state": words.CONTRACT_STATES.get(one.state, one.state),
        "parameters": [words.parameter(*pair) for pair in sorted(one.parameters.items())],
        "proposed_by": naming.party(one.proposed_by),
        "approved": [(naming.party(uri), index) for uri, index in one.approved_by.items()],
        "since": one.active_index,
    }
