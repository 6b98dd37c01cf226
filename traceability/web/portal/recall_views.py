"""Recalls: a maker's own, and the notices that an organisation has to answer."""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from django.contrib import messages
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
SHOWN = 300  # packs on the page; all of them in the CSV
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
    """One notice with its packs; that it was opened is recorded, POST answers it with counts."""
    found = _own(member, notice_id)
    responses.open_notice(notice=found, member=member)
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
    return render(request, "portal/recall_notice.html", context | _shown(found, member), status=status)


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
    packs = responses.packs_of(found)
    listed = list(islice(packs.each, SHOWN))
    naming.learn(places={one.place for one in listed})
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
        "groups": _groups(listed, naming),
        "left_out": packs.total - len(listed),
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


def _groups(packs: Sequence[gather.Pack], naming: names.Names) -> list[dict[str, Any]]:
    """Packs by container, place and state, the containers first."""
    found: dict[tuple[str, str, str], list[gather.Pack]] = {}
    for one in packs:
        found.setdefault((one.container, one.place, one.status), []).append(one)
    order = sorted(found, key=lambda key: (not key[0], key))
    return [
        {
            "container": names.goods(container) if container else "",
            "place": naming.place(place),
            "status": names.STATUSES.get(status, status),
            "packs": [names.goods(one.epc) for one in found[container, place, status]],
            "lots": Counter(one.lot for one in found[container, place, status]).most_common(),
        }
        for container, place, status in order
    ]
