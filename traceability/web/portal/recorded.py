"""What a recorded step became: its codes, its statements, and whether the log has published them."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache

from ledger import api as ledger
from traceability.common.clock import now_ms
from traceability.gs1 import scan
from traceability.gs1.errors import Gs1Error
from traceability.parties.models import Member
from traceability.scans.models import ScanEvent
from traceability.scans.tables import step_for
from traceability.web.shared import names

from .access import member_view


@never_cache
@member_view
def recorded(request: HttpRequest, member: Member, nonce: str) -> HttpResponse:
    """A scan of the member's own party."""
    row = ScanEvent.objects.filter(party=member.party_id, nonce=nonce).first()
    if row is None:
        raise Http404
    positions = ledger.positions(row.statement_hashes)
    statements = [(text[:12], positions[text].index if text in positions else None) for text in row.statement_hashes]
    context = {
        "member": member,
        "section": "tasks",
        "step": step_for(member.party.roles, row.step),
        "codes": [_code(raw) for raw in row.codes],
        "statements": statements,
        "published": len(positions) == len(set(row.statement_hashes)),
        "place": names.Names().place(row.place),
        "at": names.moment(row.scanned_ms, names.zone_of(member)),
        "waiting_s": (now_ms() - row.scanned_ms) // 1000,
        "override_reason": row.override_reason,
    }
    return render(request, "portal/recorded.html", context)


def _code(raw: str) -> tuple[str, str]:
    """The goods as printed, and the path of its page or ''."""
    try:
        epc = scan.parse(raw).epc
    except Gs1Error:
        return raw, ""
    return names.goods(epc), names.pack_path(epc)
