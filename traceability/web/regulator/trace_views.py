"""Where goods are and have been: a pack, a case, a lot; which lots are recalled."""

from datetime import UTC, datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from traceability.capture.models import PublishedEvent
from traceability.common.clock import now_ms
from traceability.contracts import selectors as contracts
from traceability.contracts import wording
from traceability.custody import selectors as custody
from traceability.custody.models import LotStatus
from traceability.gs1 import scan
from traceability.gs1.errors import Gs1Error
from traceability.parties import selectors as parties
from traceability.parties.models import Member

from . import words
from .access import inspector_view


@inspector_view
def trace(request: HttpRequest, member: Member) -> HttpResponse:
    """Look up a code as scanned, typed or linked."""
    code = request.GET.get("code", "").strip()
    context: dict[str, Any] = {"member": member, "section": "trace", "code": code}
    if code:
        context |= _found(code)
    return render(request, "regulator/trace.html", context)


@inspector_view
def recalls(request: HttpRequest, member: Member) -> HttpResponse:
    """Recalled lots with where their packs are."""
    rows = []
    for status in LotStatus.objects.filter(recalled_index__isnull=False).order_by("-recalled_ms"):
        gtin, lot = status.lot_class.removeprefix("https://id.gs1.org/01/").split("/10/")
        by = parties.party_by_uri(status.recalled_by)
        rows.append(
            {
                "lot": wording.short(status.lot_class),
                "at": words.moment(status.recalled_ms or 0),
                "by": by.name if by else status.recalled_by,
                "index": status.recalled_index,
                "holders": _holders(gtin, lot),
            }
        )
    return render(request, "regulator/recalls.html", {"member": member, "section": "recalls", "rows": rows})


def _found(code: str) -> dict[str, Any]:
    try:
        read = scan.parse(code, today=datetime.fromtimestamp(now_ms() / 1000, UTC).date())
    except Gs1Error as error:
        return {"error": error.detail}
    if not read.epc:
        return {"error": _("This is no code of a pack, case or lot.")}
    if read.kind == "lot" and read.gtin and read.lot:
        return {"shown": words.goods(read.epc), "holders": _holders(read.gtin, read.lot)}
    located = custody.state(read.epc)
    if located is None:
        return {"error": _("No event names this code.")}
    steps = custody.history(read.epc)
    rows = PublishedEvent.objects.in_bulk([step.index for step in steps])
    party = parties.party_by_uri(located.party)
    site = parties.site_by_uri(located.place) if located.place else None
    return {
        "shown": words.goods(read.epc),
        "located": located,
        "status": words.status(located.status),
        "party": party.name if party else located.party,
        "place": site.name if site else located.place,
        "containers": [words.goods(parent) for parent in located.path],
        "steps": [words.event_row(rows[step.index], step.relation, step.container) for step in steps],
        "findings": [
            (wording.title(one.code), wording.explain(one.code, one.params, subject=one.subject))
            for one in contracts.open_findings_for({read.epc, *located.path}, [step.index for step in steps])
        ],
        "contents": len(custody.all_contents([read.epc])),
    }


def _holders(gtin: str, lot: str) -> list[dict[str, Any]]:
    found = []
    for holder in custody.trace_down(gtin, lot):
        party = parties.party_by_uri(holder.party)
        found.append(
            {
                "party": party.name if party else holder.party,
                "status": words.status(holder.status),
                "place": words.place(holder.place),
                "packs": holder.packs,
            }
        )
    return found
