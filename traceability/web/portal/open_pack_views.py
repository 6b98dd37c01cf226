"""The pool of opened packs: what is left in each, ward by ward, and dispensing from one that was chosen."""

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from traceability.common.clock import now_ms
from traceability.custody import selectors as custody
from traceability.custody.models import ItemState
from traceability.parties.models import Member, Site
from traceability.scans import gather, in_force
from traceability.scans.preflight import Known, open_until
from traceability.web.shared import names

from .access import member_view

PAGE_SIZE = 100
PART, WHOLE = "dispense_part", "dispense"


@dataclass(frozen=True)
class OpenPack:
    """An opened pack of the pool, in the time of its place.

    `left` None: no record says how much, `good_until` None: the profile sets no limit; else the last day.
    """

    epc: str
    product: str
    lot: str
    expiry: str
    left: int | None
    opened: str
    good_until: date | None
    stopped: str  # why nothing may be taken from it, or ''

    @property
    def shown(self) -> str:
        return names.goods(self.epc)


@member_view
def open_packs(request: HttpRequest, member: Member) -> HttpResponse:
    """The opened packs at a place (`?place=`); with `?pack=` and `?given=`: on to the step, filled in."""
    sites = list(member.party.sites.order_by("name"))
    home = member.site or (sites[0] if sites else None)
    chosen = next((site for site in sites if site.uri == request.GET.get("place")), home)
    found = custody.open_packs(chosen.uri) if chosen else []
    if "pack" in request.GET and chosen:
        asked = next((row for row in found if row.epc == request.GET["pack"]), None)
        if asked is not None and (step := _step(asked, request.GET.get("given", ""), chosen.uri)):
            return redirect(step)
        messages.error(request, _("Say how much is given: a whole number, and no more than is left."))
    page = Paginator(found, PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "member": member,
        "section": "stock",
        "sites": sites,
        "chosen": chosen,
        "rows": _rows(list(page.object_list), chosen) if chosen else [],
        "page": page,
        "more": "&" + urlencode({"place": chosen.uri}) if chosen else "",
    }
    return render(request, "portal/open_packs.html", context)


def _step(pack: ItemState, given: str, place: str) -> str:
    """The address of the step that hands out so many units, '' for a number that cannot be."""
    if not (given.isascii() and given.isdigit() and int(given)) or pack.left is None or int(given) > pack.left:
        return ""
    left = pack.left - int(given)
    query = {"code": pack.epc, "place": place} | ({"quantity_left": str(left)} if left else {})
    return f"{reverse('portal:step', args=[PART if left else WHOLE])}?{urlencode(query)}"


def _rows(packs: list[ItemState], place: Site) -> list[OpenPack]:
    """Rows to show; names and what is known of the packs with a fixed number of queries."""
    naming = names.Names().learn(gtins=[pack.gtin for pack in packs])
    known = gather.known([pack.epc for pack in packs])
    zone, limit = ZoneInfo(place.time_zone), in_force.current().rules.open_pack_days
    today = _day(now_ms(), zone)
    rows = []
    for pack in packs:
        until = open_until(_day(pack.opened_ms, zone), limit) if limit and pack.opened_ms is not None else None
        late = until is not None and today > until
        rows.append(
            OpenPack(
                epc=pack.epc,
                product=naming.product(pack.gtin),
                lot=pack.lot,
                expiry=pack.expiry[:10],
                left=pack.left,
                opened=names.moment(pack.opened_ms, zone),
                good_until=until,
                stopped=_stopped(known.get(pack.epc), today, late=late),
            )
        )
    return rows


def _stopped(known: Known | None, today: date, *, late: bool) -> str:
    """The gravest word against the pack."""
    if known is None:
        return ""
    last = known.last_day or known.expiry
    words = (
        (known.recalled, _("Recalled")),
        (known.frozen or known.place_frozen, _("Frozen by the authority")),
        (known.held, _("On hold")),
        (last is not None and today > last, _("Expired")),
        (late, _("Open for too long")),
    )
    return next((str(word) for holds, word in words if holds), "")


def _day(ms: int, zone: ZoneInfo) -> date:
    return datetime.fromtimestamp(ms / 1000, zone).date()
