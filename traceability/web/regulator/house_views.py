"""The house itself: contracts in force, identifiers without master data, the log's health."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from ledger import api as ledger
from traceability.common.clock import now_ms
from traceability.common.models import Cursor
from traceability.contracts import selectors as rule_contracts
from traceability.contracts import wording as contract_words
from traceability.contracts.models import Contract
from traceability.parties.models import Member
from traceability.products import selectors as products
from traceability.web.shared import names

from . import words
from .access import inspector_view

SHOWN_REPORTS = 50


@inspector_view
def contracts(request: HttpRequest, member: Member) -> HttpResponse:
    """Every contract version with its parameters and approvals."""
    naming = names.Names()
    rows = [_contract(one, naming) for one in rule_contracts.contracts()]
    return render(request, "regulator/contracts.html", {"member": member, "section": "contracts", "rows": rows})


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
def health(request: HttpRequest, member: Member) -> HttpResponse:
    """Size, newest checkpoint and its age, what waits, how far each fold has read."""
    checkpoint = ledger.latest_checkpoint()
    size = ledger.published_size()
    context = {
        "member": member,
        "section": "health",
        "checkpoint": checkpoint,
        "checkpoint_at": words.moment(checkpoint.time_ms) if checkpoint else "",
        "age_s": (now_ms() - checkpoint.time_ms) // 1000 if checkpoint else None,
        "backlog": ledger.backlog(),
        "final_size": ledger.final_size(),
        "witnesses": [(one, words.moment(one.cosigned_ms) if one.cosigned_ms else "") for one in ledger.witnesses()],
        "reports": [
            (one, contract_words.title(f"log-{one.kind}"), words.moment(one.received_ms))
            for one in ledger.monitor_reports(SHOWN_REPORTS)
        ],
        "folds": [
            (words.FOLDS.get(cursor.projection, cursor.projection), cursor.position, size - cursor.position)
            for cursor in Cursor.objects.order_by("projection")
        ],
    }
    return render(request, "regulator/health.html", context)


@inspector_view
def report(request: HttpRequest, member: Member, digest: str) -> HttpResponse:
    """What a witness reported about the log, as it signed it, evidence included."""
    signed = ledger.monitor_report(digest)
    if signed is None:
        raise Http404
    return HttpResponse(signed, content_type="text/plain; charset=utf-8")


def _contract(one: Contract, naming: names.Names) -> dict[str, Any]:
    return {
        "name": one.contract,
        "version": one.version,
        "template": words.TEMPLATES.get(one.template, one.template),
        "state": words.CONTRACT_STATES.get(one.state, one.state),
        "parameters": [words.parameter(*pair) for pair in sorted(one.parameters.items())],
        "items": one.items,
        "proposed_by": naming.party(one.proposed_by),
        "approved": [(naming.party(uri), index) for uri, index in one.approved_by.items()],
        "since": one.active_index,
    }
