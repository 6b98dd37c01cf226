"""The house itself: contracts in force, identifiers without master data, the log's health."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from ledger import api as ledger
from traceability.common.clock import now_ms
from traceability.common.models import Cursor
from traceability.contracts import selectors as rule_contracts
from traceability.contracts.models import Contract
from traceability.parties import selectors as parties
from traceability.parties.models import Member
from traceability.products import selectors as products

from . import words
from .access import inspector_view


@inspector_view
def contracts(request: HttpRequest, member: Member) -> HttpResponse:
    """Every contract version with its parameters and approvals."""
    rows = [_contract(one) for one in rule_contracts.contracts()]
    return render(request, "regulator/contracts.html", {"member": member, "section": "contracts", "rows": rows})


@inspector_view
def unknown(request: HttpRequest, member: Member) -> HttpResponse:
    """Identifiers met in events that no master data knows."""
    rows = [
        {
            "scheme": row.get_scheme_display() if hasattr(row, "get_scheme_display") else row.scheme.upper(),
            "value": row.value,
            "reporter": _name(row.first_reporter),
            "at": words.moment(row.first_seen_ms),
        }
        for row in products.open_unknowns()[:200]
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
        "folds": [
            (cursor.projection, cursor.position, size - cursor.position)
            for cursor in Cursor.objects.order_by("projection")
        ],
    }
    return render(request, "regulator/health.html", context)


def _contract(one: Contract) -> dict[str, Any]:
    return {
        "name": one.contract,
        "version": one.version,
        "template": words.TEMPLATES.get(one.template, one.template),
        "state": one.state,
        "parameters": [words.parameter(*pair) for pair in sorted(one.parameters.items())],
        "items": one.items,
        "proposed_by": _name(one.proposed_by),
        "approved": [(_name(uri), index) for uri, index in one.approved_by.items()],
        "since": one.active_index,
    }


def _name(uri: str) -> str:
    party = parties.party_by_uri(uri)
    return party.name if party else uri
