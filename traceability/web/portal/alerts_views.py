"""The party's own alert desk: what concerns it, and its account of what happened."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache

from traceability.alerts import rules, selectors, services
from traceability.alerts.models import Alert
from traceability.contracts import key_reports
from traceability.parties.models import Member
from traceability.web.shared import chart, key_pages, names

from .access import member_view
from .problems import worded

PAGE_SIZE = 50
STATES = {
    "new": (gettext_lazy("New"), "is-warn"),
    "acknowledged": (gettext_lazy("Acknowledged"), "is-unknown"),
    "answered": (gettext_lazy("Answered"), "is-unknown"),
    "resolved": (gettext_lazy("Closed"), "is-ok"),
    "retracted": (gettext_lazy("Withdrawn"), "is-unknown"),
}
SEVERITIES = {
    "S1": (gettext_lazy("Critical"), "is-danger"),
    "S2": (gettext_lazy("Serious"), "is-danger"),
    "S3": (gettext_lazy("Moderate"), "is-warn"),
    "S4": (gettext_lazy("Minor"), "is-unknown"),
}
STEPS = {"acknowledge": services.acknowledge, "answer": services.answer}


@never_cache
@member_view
def alerts(request: HttpRequest, member: Member) -> HttpResponse:
    """The alerts that concern the party; ?all=1 with the closed ones."""
    everything = bool(request.GET.get("all"))
    found = selectors.for_party(member.party, {} if everything else {"open": True})
    page = Paginator(found, PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "member": member,
        "section": "alerts",
        "rows": [_row(alert, member) for alert in page.object_list],
        "page": page,
        "everything": everything,
    }
    return render(request, "portal/alerts.html", context)


@never_cache
@member_view
def alert(request: HttpRequest, member: Member, alert_id: str) -> HttpResponse:
    """One alert with what it rests on; POST action=acknowledge or answer, with a comment."""
    found = selectors.get(alert_id, party=member.party)
    if found is None:
        raise Http404
    if request.method != "POST":
        return _page(request, member, found)
    act = STEPS.get(request.POST.get("action", ""))
    version = request.POST.get("version", "")
    if act is None or not version.isdecimal():
        raise Http404
    try:
        act(member=member, alert_id=found.id, comment=request.POST.get("comment", ""), version=int(version))
    except services.AlertError as error:
        return _page(request, member, found, errors=[worded(error.code, error.detail, "comment")], status=error.status)
    messages.success(request, _("Recorded. It becomes part of the log within seconds."))
    return redirect("portal:alert", alert_id=found.id)


@never_cache
@member_view
def withdrawn(request: HttpRequest, member: Member, alert_id: str) -> StreamingHttpResponse:
    """The records behind an alert on a key, one line for each record and thing that it names, as CSV."""
    found = selectors.get(alert_id, party=member.party)
    if found is None:
        raise Http404
    return key_pages.withdrawn_csv(found, member)


def _row(one: Alert, member: Member) -> dict[str, Any]:
    state, _version = selectors.standing(one)
    shown = Alert.State.RETRACTED.value if one.state == Alert.State.RETRACTED else state
    state_text, state_tone = STATES[shown]
    severity_text, severity_tone = SEVERITIES.get(one.severity, (one.severity, "is-unknown"))
    return {
        "alert": one,
        "title": selectors.title(one),
        "subject": names.goods(one.subject),
        "at": names.moment(one.at_ms, names.zone_of(member)),
        "state": state_text,
        "state_tone": state_tone,
        "severity": severity_text,
        "severity_tone": severity_tone,
    }


def _page(request: HttpRequest, member: Member, one: Alert, *, errors: Any = (), status: int = 200) -> HttpResponse:
    evidence = selectors.evidence(one, party=member.party)
    zone, naming = names.zone_of(member), names.Names().of_events(evidence.events)
    state, version = selectors.standing(one)
    retracted = one.state == Alert.State.RETRACTED
    context: dict[str, Any] = {
        "member": member,
        "section": "alerts",
        "row": _row(one, member),
        "explanation": selectors.explanation(one),
        "evidence": [
            {
                "at": names.moment(event.event_time_ms, zone),
                "step": names.step(event),
                "place": naming.place(names.place_of(event)),
                "reporter": naming.party(event.reporter),
                "index": event.index,
            }
            for event in evidence.events
        ],
        "hidden": evidence.hidden,
        "packs": [(names.goods(epc), names.pack_path(epc)) for epc in evidence.packs[:50]],
        "chart": chart.draw(list(evidence.readings), limits=selectors.limits(one), zone=zone),
        "transitions": [
            {
                "at": names.moment(step.time_ms, zone),
                "to": STATES[step.to_state][0],
                "party": naming.party(step.party),
                "comment": step.comment,
            }
            for step in selectors.transitions(one)
        ],
        "version": version,
        "may_acknowledge": not retracted and rules.is_allowed(state, "acknowledged"),
        "may_answer": not retracted and rules.is_allowed(state, "answered"),
        "errors": errors,
        "wrong": {error.field: error.text for error in errors},
        "comment": request.POST.get("comment", ""),
    }
    if one.rule == key_reports.RULE:
        context |= key_pages.withdrawn(request, one.params["kid"], member, zone)
        is_admin = member.role == Member.Role.ADMIN and member.party.keys.filter(kid=one.params["kid"]).exists()
        context |= {"withdrawn_csv": "portal:withdrawn", "key_page": "portal:key" if is_admin else ""}
    return render(request, "portal/alert.html", context, status=status)
