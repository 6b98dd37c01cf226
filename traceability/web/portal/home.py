"""The portal's first page: what people of this role do."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from traceability.alerts import selectors as alerts
from traceability.exceptions import selectors as exceptions
from traceability.parties.models import Member
from traceability.products import proposals
from traceability.recalls import selectors as recalls
from traceability.scans.tables import steps_for

from . import recorded
from .access import member_view

LATELY = 3


@member_view
def home(request: HttpRequest, member: Member) -> HttpResponse:
    """The tasks of the party's roles, and how many alerts concern it."""
    context = {
        "member": member,
        "section": "tasks",
        "steps": steps_for(member.party.roles),
        "lately": recorded.newest(member, LATELY),
        "is_steward": proposals.is_steward(member),
        "open_proposals": proposals.open_count(member),
        "may_recall": recalls.is_signer(member.party, member.role),
        "open_recalls": recalls.open_count(member.party),
        "recalls_to_sign": recalls.waiting_for(member),
        "open_exceptions": exceptions.of_party(member.party, {}).count(),
        "asked_exceptions": exceptions.unanswered_count(member.party),
        "open_alerts": alerts.for_party(member.party, {"open": True}).count(),
    }
    return render(request, "portal/home.html", context)
