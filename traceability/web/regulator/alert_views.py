"""The inbox: alerts that update themselves, and one alert with all it rests on."""

import json
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from ledger import api as ledger
from traceability.alerts import rules, selectors, services
from traceability.alerts.models import Alert, AlertTransition
from traceability.coldchain import selectors as coldchain
from traceability.common.csv_export import csv_lines
from traceability.contracts import key_reports, wording
from traceability.parties import selectors as parties
from traceability.parties.models import Member, Party
from traceability.recalls import selectors as recalls
from traceability.web.shared import chart, key_pages, names

from . import words
from .access import inspector_view

PAGE_SIZE = 50
SHOWN_PACKS = 200


@inspector_view
def alerts(request: HttpRequest, member: Member) -> HttpResponse:
    """The list, filtered by what stands in the address; htmx-free: the page's script fetches the same address anew."""
    chosen = {name: request.GET.get(name, "") for name in ("severity", "state", "rule", "party")}
    filters: dict[str, Any] = {name: chosen[name] for name in ("severity", "state", "rule") if chosen[name]}
    if not chosen["state"]:
        filters["open"] = True
    found = selectors.for_regulator(filters)
    concerned = parties.party_by_uri(f"urn:dosetrail:party:{chosen['party']}") if chosen["party"] else None
    if chosen["party"]:
        found = found & selectors.for_party(concerned) if concerned else found.none()
    page = Paginator(found, PAGE_SIZE).get_page(request.GET.get("page"))
    now = ledger.ledger_time_ms()
    context = {
        "member": member,
        "section": "alerts",
        "rows": words.rows(list(page.object_list), ledger_time_ms=now),
        "page": page,
        "query": urlencode({name: value for name, value in chosen.items() if value}),
        "chosen": chosen,
        "severities": [(key, word) for key, (word, _tone, _icon) in words.SEVERITIES.items()],
        "states": words.STATES.items(),
        "rules": words.RULES.items(),
        "parties": Party.objects.order_by("name").values_list("id", "name"),
        "recalls_to_sign": recalls.waiting_for(member),
        "stream_url": settings.EVENT_STREAM_URL,
        "stream_port": settings.EVENT_STREAM_PORT,
    }
    return render(request, "regulator/alerts.html", context)


@inspector_view
def alert(request: HttpRequest, member: Member, alert_id: str) -> HttpResponse:
    """One alert; POST action=acknowledge|answer|resolve with comment, version and cause."""
    found = _get(alert_id, member)
    error = _act(request, member, found) if request.method == "POST" else None
    if request.method == "POST" and error is None:
        messages.success(request, _("Recorded on the log."))
        return redirect("regulator:alert", alert_id=alert_id)
    evidence = selectors.evidence(found, party=member.party)
    state, version = selectors.standing(found)
    steps = selectors.transitions(found)
    naming = names.Names().of_events(evidence.events).learn(parties_of=[step.party for step in steps])
    context = {
        "member": member,
        "section": "alerts",
        "row": words.row(found, naming, ledger_time_ms=ledger.ledger_time_ms()),
        "explanation": selectors.explanation(found),
        "chart": chart.draw(evidence.readings, limits=selectors.limits(found), zone=ZoneInfo("UTC")),
        "table": [(words.moment(ms), wording.celsius(value)) for ms, value in evidence.readings],
        "events": [words.event_row(event, naming) for event in evidence.events],
        "hidden": evidence.hidden,
        "packs": [names.goods(epc) for epc in evidence.packs[:SHOWN_PACKS]],
        "pack_count": len(evidence.packs),
        "transitions": [_transition(step, naming) for step in steps],
        "may": {to for to in rules.ALLOWED if rules.is_allowed(state, to) and found.state != Alert.State.RETRACTED},
        "causes": words.CAUSES.items(),
        "version": version,
        "error": error,
        "comment": request.POST.get("comment", ""),
        "vkey": ledger.vkey(),
        "checkpoint": ledger.latest_checkpoint(),
        "final": ledger.final_size() > max(found.evidence, default=0),
    }
    if found.rule == key_reports.RULE:
        context |= key_pages.withdrawn(request, found.params["kid"], member, ZoneInfo("UTC"))
        known = parties.key_by_kid(bytes.fromhex(found.params["kid"])) is not None
        context |= {"withdrawn_csv": "regulator:withdrawn", "key_page": "regulator:key" if known else ""}
    return render(request, "regulator/alert.html", context, status=error.status if error else 200)


@inspector_view
def evidence_bundle(request: HttpRequest, member: Member, alert_id: str) -> HttpResponse:
    """The events behind an alert with all their claims and proofs, for `python -m ledger.verify`."""
    bundle = selectors.proofs(_get(alert_id, member), party=member.party)
    return HttpResponse(
        json.dumps(bundle, ensure_ascii=False, indent=1),
        content_type="application/json",
        headers={"Content-Disposition": f'attachment; filename="evidence-{alert_id}.json"'},
    )


@inspector_view
def withdrawn(request: HttpRequest, member: Member, alert_id: str) -> StreamingHttpResponse:
    """The records behind an alert on a key, one line for each record and thing that it names, as CSV."""
    return key_pages.withdrawn_csv(_get(alert_id, member), member)


@inspector_view
def readings(request: HttpRequest, member: Member, alert_id: str) -> StreamingHttpResponse:
    """Every reading of the holder, as CSV."""
    found = _get(alert_id, member)
    rows = (
        (device, words.moment(ms), f"{value / 1000:.1f}")
        for device, series in coldchain.series(found.subject).items()
        for ms, value in series
    )
    return StreamingHttpResponse(
        csv_lines(["device", "time_utc", "temperature_c"], rows),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="readings-{alert_id}.csv"'},
    )


def _get(alert_id: str, member: Member) -> Alert:
    found = selectors.get(alert_id, party=member.party)
    if found is None:
        raise Http404
    return found


def _act(request: HttpRequest, member: Member, found: Alert) -> services.AlertError | None:
    """Take the step that the form asks for; the error when it cannot be taken."""
    action, version = request.POST.get("action", ""), request.POST.get("version", "")
    call: dict[str, Any] = {
        "member": member,
        "alert_id": found.id,
        "comment": request.POST.get("comment", ""),
        "version": int(version) if version.isascii() and version.isdigit() else -1,
    }
    try:
        if action == "acknowledge":
            services.acknowledge(**call)
        elif action == "answer":
            services.answer(**call)
        elif action == "resolve":
            services.resolve(**call, cause=request.POST.get("cause", ""))
        else:
            return services.AlertError(400, "action", "the step is acknowledge, answer or resolve")
    except services.AlertError as error:
        return error
    return None


def _transition(step: AlertTransition, naming: names.Names) -> dict[str, Any]:
    return {
        "to": words.STATES[step.to_state],
        "party": naming.party(step.party),
        "actor": step.actor,
        "at": words.moment(step.time_ms),
        "comment": step.comment,
        "cause": words.CAUSES.get(step.cause, ""),
    }
