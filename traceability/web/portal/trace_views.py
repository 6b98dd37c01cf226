"""Where goods came from and went, as far as the member's party may see it."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from traceability.common.csv_export import csv_lines
from traceability.custody.trace import TraceError
from traceability.parties.models import Member
from traceability.web.shared import names, tracing

from .access import member_view


@never_cache
@member_view
def trace(request: HttpRequest, member: Member) -> HttpResponse:
    """Trace a code as scanned, typed or linked, a place or a shipment; now, or as of a log entry."""
    question = tracing.Question.read(request.GET.dict())
    context: dict[str, Any] = {"member": member, "section": "trace", "question": question, "query": question.query}
    if question.code:
        context |= _traced(question, member)
    return render(request, "portal/trace.html", context)


@never_cache
@member_view
def trace_csv(request: HttpRequest, member: Member) -> StreamingHttpResponse:
    """Every step of a trace that the party may see."""
    question = tracing.Question.read(request.GET.dict())
    try:
        answer = tracing.ask(question, party=member.party, zone=names.zone_of(member))
    except TraceError as error:
        raise Http404 from error
    return StreamingHttpResponse(
        csv_lines(tracing.CSV, tracing.csv_rows(answer)),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="trace.csv"'},
    )


def _traced(question: tracing.Question, member: Member) -> dict[str, Any]:
    zone = names.zone_of(member)
    try:
        answer = tracing.ask(question, party=member.party, zone=zone)
    except TraceError as error:
        title, hint = tracing.fault(error)
        return {"error": title, "hint": hint}
    if not answer.trace.steps and question.as_of:
        return {"error": _("At that entry nothing was recorded of this yet."), "hint": ""}
    if not answer.trace.steps:
        return {
            "error": _("Nothing is recorded of this that you may see."),
            "hint": _("You see what you recorded, what names you, and where goods came from that were handed to you."),
        }
    return {"csv_url": reverse("portal:trace-csv"), **tracing.context(answer, zone=zone)}
