"""Where goods are and have been: a pack, a case, a lot."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from traceability.common.clock import now_ms
from traceability.common.csv_export import csv_lines
from traceability.contracts import selectors as contracts
from traceability.contracts import wording
from traceability.custody import lot_packs, shipments
from traceability.custody import selectors as custody
from traceability.custody.trace import TraceError
from traceability.gs1 import scan
from traceability.parties.models import Member
from traceability.web.shared import names, tracing

from . import words
from .access import inspector_view

_GOODS = {"pack", "container", "lot"}  # subjects of a trace that are somewhere now; a number need not be a code at all


@inspector_view
def trace(request: HttpRequest, member: Member) -> HttpResponse:
    """Trace a code as scanned, typed or linked, a place or a shipment; now, or as of a log entry."""
    question = tracing.Question.read(request.GET.dict())
    context: dict[str, Any] = {"member": member, "section": "trace", "question": question, "query": question.query}
    if question.code:
        context |= _traced(question, member)
        if not question.as_of and "answer" in context and context["answer"].subject.kind in _GOODS:
            context |= _found(question.code)
    return render(request, "regulator/trace.html", context)


@inspector_view
def trace_csv(request: HttpRequest, member: Member) -> StreamingHttpResponse:
    """Every step of a trace."""
    try:
        answer = tracing.ask(tracing.Question.read(request.GET.dict()), party=member.party, zone=ZoneInfo("UTC"))
    except TraceError as error:
        raise Http404 from error
    return StreamingHttpResponse(
        csv_lines(tracing.CSV, tracing.csv_rows(answer)),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="trace.csv"'},
    )


def _traced(question: tracing.Question, member: Member) -> dict[str, Any]:
    zone = ZoneInfo("UTC")
    try:
        answer = tracing.ask(question, party=member.party, zone=zone)
    except TraceError as error:
        title, hint = tracing.fault(error)
        return {"error": title, "hint": hint}
    if not answer.trace.steps and question.as_of:
        return {"error": _("At that entry nothing was recorded of this yet."), "hint": ""}
    if not answer.trace.steps:
        return {
            "disowned": _disowned(answer.subject.uri),
            "error": _("Nothing is recorded of this code."),
            "hint": _(
                "It may be misread, of a product that is not traced here, or not yet reported. Look at the pack."
            ),
        }
    return {"csv_url": reverse("regulator:trace-csv"), **tracing.context(answer, zone=zone)}


def _disowned(epc: str) -> Sequence[int]:
    return custody.past(epc).disowned


def _found(code: str) -> dict[str, Any]:
    """What stands of a pack, case or lot now."""
    read = scan.parse(code, today=datetime.fromtimestamp(now_ms() / 1000, UTC).date())
    if read.kind == "lot" and read.gtin and read.lot:
        naming = names.Names()
        holders = _holders(read.gtin, read.lot, naming)
        return {"shown": names.goods(read.epc), "product": naming.product(read.gtin), "holders": holders}
    located = custody.state(read.epc) if read.epc else None
    if located is None:
        return {}
    past = custody.past(read.epc)
    naming = names.Names()
    return {
        "shown": names.goods(read.epc),
        "product": naming.product(located.item.gtin),
        "located": located,
        "disowned": past.disowned,
        "status": words.status(located.status),
        "party": naming.party(located.party),
        "place": naming.place(located.place),
        "containers": [names.goods(parent) for parent in located.path],
        "findings": [
            (wording.title(one.code), wording.explain(one.code, one.params, subject=one.subject))
            for one in contracts.open_findings_for({read.epc, *located.path}, [step.index for step in past.steps])
        ],
        "contents": sum(shipments.packs_in([read.epc])[read.epc].values()) if not located.item.gtin else 0,
    }


def _holders(gtin: str, lot: str, naming: names.Names) -> list[dict[str, Any]]:
    found = lot_packs.trace_down(gtin, lot)
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
