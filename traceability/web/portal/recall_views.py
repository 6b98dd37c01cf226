"""Recalls: a maker's own, and the notices that an organisation has to answer."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from traceability.common.clock import now_ms
from traceability.common.csv_export import csv_lines
from traceability.common.problems import ProblemError
from traceability.parties.models import Member
from traceability.recalls import gather, responses, selectors
from traceability.recalls.models import Notice
from traceability.recalls.responses import Answer
from traceability.web.shared import names, recall_pages, recall_words

from .access import member_view

FACE = recall_pages.Face("portal/base.html", "portal")
SPOTS = 20  # on a page of the notice
SHOWN = 300  # packs of these on it, folded up
FEW = 10  # loose packs of a spot that are not folded up
PAGE_SIZE = 100  # packs of one spot shown alone
MAX_PAGES = 100  # a list that is read from its beginning; the CSV has all packs
PACKS = ("epc", "gtin", "lot", "container", "status", "place")


@never_cache
@member_view
def recalls(request: HttpRequest, member: Member) -> HttpResponse:
    """The organisation's own recalls."""
    return recall_pages.listing(request, member, FACE)


@never_cache
@member_view
def new(request: HttpRequest, member: Member) -> HttpResponse:
    """A new draft; `?lot=` fills in the lot."""
    return recall_pages.edit(request, member, FACE)


@never_cache
@member_view
def edit(request: HttpRequest, member: Member, recall_id: str) -> HttpResponse:
    """Change a draft."""
    return recall_pages.edit(request, member, FACE, recall_id)


@never_cache
@member_view
def recall(request: HttpRequest, member: Member, recall_id: str) -> HttpResponse:
    """One recall."""
    return recall_pages.recall(request, member, FACE, recall_id)


@never_cache
@member_view
def calls(request: HttpRequest, member: Member, recall_id: str) -> HttpResponse:
    """Whom to call."""
    return recall_pages.calls(request, member, FACE, recall_id)


@never_cache
@member_view
def csv(request: HttpRequest, member: Member, recall_id: str) -> HttpResponseBase:
    """Who was told, as CSV."""
    return recall_pages.holders_csv(request, member, recall_id)


@never_cache
@member_view
def notices(request: HttpRequest, member: Member) -> HttpResponse:
    """The recall notices to the organisation."""
    naming, zone, now = names.Names(), names.zone_of(member), now_ms()
    rows = []
    for one in selectors.notices_of(member.party):
        word, tone = recall_words.NOTICE_STATES[recall_pages.state_of(one, now)]
        rows.append(
            {
                "notice": one,
                "state": word,
                "tone": tone,
                "lots": recall_pages.lots_shown(one.recall, naming),
                "answer_by": names.moment(one.answer_by_ms, zone),
            }
        )
    return render(request, "portal/recall_notices.html", {"member": member, "section": "recalls", "rows": rows})


@never_cache
@member_view
def notice(request: HttpRequest, member: Member, notice_id: str) -> HttpResponse:
    """One notice with where its packs are; that it was opened is recorded, POST answers it with counts.

    `&show=packs&container=&place=&status=` lists those of one spot alone, page by page.
    """
    found = _own(member, notice_id)
    responses.open_notice(notice=found, member=member)
    if request.method == "GET" and request.GET.get("show") == "packs":
        return _spot_alone(request, found, member)
    context: dict[str, Any] = {"given": {}}
    status = 200
    if request.method == "POST":
        try:
            if found.answered_ms is not None:  # by a colleague, after this form was shown
                raise responses.answered()
            responses.acknowledge(notice=found, actor=member.pseudonym, answer=_answer(request))
        except ProblemError as error:
            errors = recall_words.explain(error)
            status = error.status
            context = {"errors": errors, "wrong": {one.field: one.text for one in errors}, "given": request.POST}
            found = _own(member, notice_id)
        else:
            messages.success(request, _("Answered. The one who recalls sees it."))
            return redirect("portal:recall-notice", notice_id)
    shown = _shown(found, member) | _spots(found, request.GET.get("page"))
    return render(request, "portal/recall_notice.html", context | shown, status=status)


@never_cache
@member_view
def packs_csv(request: HttpRequest, member: Member, notice_id: str) -> HttpResponseBase:
    """Every pack of a notice as it stands now."""
    found = _own(member, notice_id)
    response = StreamingHttpResponse(csv_lines(PACKS, _rows(found)), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="recall-notice-{found.id}.csv"'
    return response


def _rows(found: Notice) -> Iterator[Sequence[Any]]:
    for one in responses.packs_of(found).each:
        yield one.epc, one.gtin, one.lot, one.container, one.status, one.place


def _own(member: Member, notice_id: str) -> Notice:
    found = selectors.notice_of(member.party, notice_id)
    if found is None:
        raise Http404
    return found


def _answer(request: HttpRequest) -> Answer:
    def whole(text: str) -> Any:
        return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else text or 0

    counts = {name: whole(request.POST.get(name, "").strip()) for name in responses.COUNTS}
    version = request.POST.get("version", "")
    shown = int(version) if version.isascii() and version.isdigit() and len(version) < 10 else 0
    return Answer(shown, counts, request.POST.get("reason", ""))


def _shown(found: Notice, member: Member) -> dict[str, Any]:
    naming, zone = names.Names(), names.zone_of(member)
    word, tone = recall_words.NOTICE_STATES[recall_pages.state_of(found, now_ms())]
    answer = found.acknowledgements.order_by("-at_ms").first()
    return {
        "member": member,
        "section": "recalls",
        "notice": found,
        "recall": found.recall,
        "content": found.recall.content,
        "level": recall_words.CLASSES.get(found.recall.content["class"], ""),
        "state": word,
        "tone": tone,
        "lots": recall_pages.lots_shown(found.recall, naming),
        "deliver_by": names.moment(found.deliver_by_ms, zone),
        "answer_by": names.moment(found.answer_by_ms, zone),
        "zone": zone.key,
        "counts": [(name, text) for name, text in recall_words.COUNTS.items()],
        "may_answer": found.recall.state == "published" and found.answered_ms is None,
        "answer": answer,
        "answered": names.moment(answer.at_ms, zone) if answer else "",
        "answer_counts": [(recall_words.COUNTS[name], answer.counts[name]) for name in responses.COUNTS]
        if answer
        else [],
    }


def _spots(found: Notice, page: Any) -> dict[str, Any]:
    """Where the packs are, counted, with the first of them: a page of what has to be done first."""
    counted = responses.spots_of(found)
    # What can still be set aside first, then place by place, what is in a container first.
    order = sorted(counted, key=lambda spot: (spot[2] == "dispensed", spot[1], not spot[0], spot))
    shown = Paginator(order, SPOTS).get_page(page)
    listed: dict[gather.Spot, list[str]] = defaultdict(list)
    for one in islice(responses.packs_of(found, set(shown)).each, SHOWN):
        listed[one.container, one.place, one.status].append(names.goods(one.epc))
    naming = names.Names().learn(places={place for _container, place, _status in shown})
    return {
        "spots": [_spot(spot, counted[spot], naming) | _folded(spot, listed[spot]) for spot in shown],
        "page": shown,
        "total": sum(lots.total() for lots in counted.values()),
    }


def _spot(spot: gather.Spot, lots: Counter[str], naming: names.Names) -> dict[str, Any]:
    container, place, status = spot
    return {
        "container": names.goods(container) if container else "",
        "place": naming.place(place),
        "status": names.STATUSES.get(status, status),
        "lots": ", ".join(sorted(lots)),
        "packs": lots.total(),
        "query": urlencode({"show": "packs", "container": container, "place": place, "status": status}),
    }


def _folded(spot: gather.Spot, listed: Sequence[str]) -> dict[str, Any]:
    """Who looks for loose packs needs their numbers at once; of a container its own will do."""
    at_once = 0 if spot[0] else FEW
    return {"first": listed[:at_once], "rest": listed[at_once:], "listed": len(listed)}


def _spot_alone(request: HttpRequest, found: Notice, member: Member) -> HttpResponse:
    spot = (request.GET.get("container", ""), request.GET.get("place", ""), request.GET.get("status", ""))
    lots = responses.spots_of(found).get(spot)
    if lots is None:  # it has moved since the page was made
        return redirect("portal:recall-notice", found.id)
    packs = lots.total()
    page = Paginator(range(min(packs, PAGE_SIZE * MAX_PAGES)), PAGE_SIZE).get_page(request.GET.get("page"))
    start = (page.number - 1) * PAGE_SIZE
    shown = _spot(spot, lots, names.Names())
    context = {
        "member": member,
        "section": "recalls",
        "notice": found,
        "recall": found.recall,
        "spot": shown,
        "listed": [
            (names.goods(one.epc), one.lot)
            for one in islice(responses.packs_of(found, {spot}).each, start, start + PAGE_SIZE)
        ],
        "page": page,
        "left_out": packs - page.paginator.count,
        "more": f"&{shown['query']}",
    }
    return render(request, "portal/recall_packs.html", context)
