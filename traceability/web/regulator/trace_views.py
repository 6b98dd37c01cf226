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
from traceability.parties.models import Member
from traceability.web.shared import names

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
    naming = names.Names()
    rows = []
    for status in LotStatus.objects.filter(recalled_index__isnull=False).order_by("-recalled_ms"):
        gtin, _slash, lot = status.lot_class.removeprefix("https://id.gs1.org/01/").partition("/10/")
        rows.append(
            {
                "lot": wording.short(status.lot_class),
                "product": naming.product(gtin),
                "at": words.moment(status.recalled_ms or 0),
                "by": naming.party(status.recalled_by),
                "index": status.recalled_index,
                "holders": _holders(gtin, lot, naming),
            }
        )
    return render(request, "regulator/recalls.html", {"member": member, "section": "recalls", "rows": rows})


def _found(code: str) -> dict[str, Any]:
    try:
        read = scan.parse(code, today=datetime.fromtimestamp(now_ms() / 1000, UTC).date())
    except Gs1Error as error:
        return {"error": _("This code cannot be read."), "hint": names.code_fault(error.code)}
    if not read.epc:
        return {"error": _("This is no code of a pack, case or lot.")}
    if read.kind == "lot" and read.gtin and read.lot:
        naming = names.Names()
        holders = _holders(read.gtin, read.lot, naming)
        return {"shown": names.goods(read.epc), "product": naming.product(read.gtin), "holders": holders}
    located = custody.state(read.epc)
    past = custody.past(read.epc)
    if located is None:
        return {
            "disowned": past.disowned,
            "error": _("Nothing is recorded of this code."),
            "hint": _(
                "It may be misread, of a product that is not traced here, or not yet reported. Look at the pack."
            ),
        }
    steps = past.steps
    rows = PublishedEvent.objects.in_bulk([step.index for step in steps])
    naming = names.Names().of_events(rows.values())
    return {
        "shown": names.goods(read.epc),
        "product": naming.product(located.item.gtin),
        "located": located,
        "disowned": past.disowned,
        "status": words.status(located.status),
        "party": naming.party(located.party),
        "place": naming.place(located.place),
        "containers": [names.goods(parent) for parent in located.path],
        "steps": [words.event_row(rows[step.index], naming, step.relation, step.container) for step in steps],
        "findings": [
            (wording.title(one.code), wording.explain(one.code, one.params, subject=one.subject))
            for one in contracts.open_findings_for({read.epc, *located.path}, [step.index for step in steps])
        ],
        "contents": len(custody.all_contents([read.epc])),
    }


def _holders(gtin: str, lot: str, naming: names.Names) -> list[dict[str, Any]]:
    found = custody.trace_down(gtin, lot)
    naming.learn(parties_of=[one.party for one in found], places=[one.place for one in found])
    return [
        {
            "party": naming.party(one.party),
            "status": words.status(one.status),
            "place": naming.place(one.place),
            "packs": one.packs,
        }
        for one in found
    ]
