"""Who read our records: the receipts that a regulator's reads leave, as far as they concern the member's party."""

from datetime import UTC, datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache

from traceability.parties import selectors as parties
from traceability.parties.models import Member
from traceability.visibility import receipts

from .access import member_view

# Addresses by their names; a door that is not here is named as it is.
_DOORS = {
    "epcis": _("Query by a system"),
    "regulator:alert": _("Page of an alert"),
    "regulator:evidence": _("Proofs of an alert"),
    "regulator:readings": _("Temperatures of an alert"),
    "regulator:withdrawn": _("List of withdrawn records"),
    "regulator:trace": _("Trace of a pack, case, lot, shipment or place"),
    "regulator:trace-csv": _("Trace of a pack, case, lot, shipment or place"),
    "scan-api:trace": _("Query by a system"),
    "regulator:report": _("Report"),
    "regulator:report-csv": _("Report as CSV"),
    "regulator:report-proofs": _("Proofs of a report"),
    "regulator:freeze": _("Page of a freeze"),
    "regulator:freezes": _("List of freezes"),
    "regulator:key": _("Page of a key"),
    "regulator:key-csv": _("List of what a key signed"),
    "log-content": _("Copy by a follower"),
}


@never_cache
@member_view
def reads(request: HttpRequest, member: Member) -> HttpResponse:
    """By day and door: how many reads, and of how many of our records."""
    found = receipts.tallies(member.party)
    names = parties.names_of_parties({one.regulator for one in found})
    rows = [_row(one, names) for one in found]
    return render(request, "portal/reads.html", {"member": member, "section": "organisation", "rows": rows})


def _row(one: receipts.Tally, names: dict[str, str]) -> dict[str, Any]:
    area = one.door.partition(":")[0]
    return {
        "day": datetime.fromtimestamp(one.day * receipts.DAY_MS / 1000, UTC).date(),
        "who": names[one.regulator],
        "door": _DOORS.get(one.door) or _DOORS.get(area) or one.door,
        "reads": one.reads,
        "events": one.events,
    }
