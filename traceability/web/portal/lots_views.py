"""Where the packs of one's lots are, for makers."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache

from traceability.gs1 import digital_link
from traceability.parties.models import Member, Party
from traceability.products.models import Lot
from traceability.visibility import lots
from traceability.web.shared import names

from .access import member_view

_SHOWN = 500


@never_cache
@member_view
def where(request: HttpRequest, member: Member) -> HttpResponse:
    """Choose one of one's lots, ?lot=<number of the row>: counts, and the holders while it is recalled."""
    if not member.party.has_role(Party.Role.MANUFACTURER):
        raise PermissionDenied
    mine = Lot.objects.filter(item__manufacturer=member.party).exclude(item__gtin=None).select_related("item")
    chosen = request.GET.get("lot", "")
    context: dict[str, Any] = {
        "member": member,
        "section": "stock",
        "lots": list(mine.order_by("-production_date", "number")[:_SHOWN]),
        "chosen": chosen,
        "min_packs": lots.MIN_PACKS,
        "min_parties": lots.MIN_PARTIES,
    }
    if chosen:
        lot = (
            mine.filter(pk=int(chosen)).first() if chosen.isascii() and chosen.isdigit() and len(chosen) < 19 else None
        )
        found = lots.whereabouts(lot, maker=member.party) if lot else None
        if lot is None or found is None:
            raise Http404
        context |= {"lot": lot, "rest": found.rest, "own": _rows(found.own), "counts": _rows(found.counts)}
        context |= {"holders": _holders(found), "lot_code": digital_link.lot_class(lot.item.gtin or "", lot.number)}
    return render(request, "portal/lots.html", context)


def _rows(counts: list[lots.Count]) -> list[dict[str, Any]]:
    return [
        {
            "city": one.city,
            "country": one.country,
            "status": names.STATUSES.get(one.status, one.status),
            "packs": one.packs,
        }
        for one in counts
    ]


def _holders(found: lots.Whereabouts) -> list[dict[str, Any]]:
    naming = names.Names().learn(
        parties_of=[one.party for one in found.holders], places=[one.place for one in found.holders]
    )
    return [
        {
            "party": naming.party(one.party),
            "place": naming.place(one.place),
            "status": names.STATUSES.get(one.status, one.status),
            "packs": one.packs,
        }
        for one in found.holders
    ]
