"""One shipment: both sides line by line, where it stands, its events with proofs, what can be done."""

import json
from collections.abc import Collection, Sequence
from typing import Any
from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache

from ledger import api as ledger
from traceability.capture.models import PublishedEvent
from traceability.common.clock import now_ms
from traceability.common.models import Document
from traceability.custody import shipments
from traceability.custody.sides import Standing
from traceability.exceptions import expected, kept, overview
from traceability.exceptions.overview import Facts, Overview, Subject
from traceability.parties import selectors as parties
from traceability.parties.models import Member
from traceability.scans.tables import step_for
from traceability.visibility import receipts
from traceability.web.shared import names
from traceability.web.shared.names import lasted

from . import shipment_rows
from .access import member_view

PAGE_SIZE = 100
MAX_EVENTS = 200
STANDINGS = {
    Standing.TRANSIT: (gettext_lazy("On the way"), "is-unknown"),
    Standing.PARTIAL: (gettext_lazy("Partly received"), "is-warn"),
    Standing.SHORT: (gettext_lazy("Goods are missing"), "is-danger"),
    Standing.OVER: (gettext_lazy("More than was despatched"), "is-warn"),
    Standing.RECEIVED: (gettext_lazy("Received"), "is-ok"),
    Standing.VOID: (gettext_lazy("Called back before it was received"), "is-unknown"),
    Standing.VOID_RECEIVED: (gettext_lazy("Called back after goods had been received"), "is-danger"),
    Standing.UNSENT: (gettext_lazy("Received without a recorded despatch"), "is-warn"),
    Standing.EXPECTED: (gettext_lazy("Expected, nothing received yet"), "is-unknown"),
}
_UNDER_WAY = {Standing.EXPECTED, Standing.TRANSIT, Standing.PARTIAL, Standing.SHORT}


@never_cache
@member_view
def shipment(request: HttpRequest, member: Member) -> HttpResponse:
    """The shipment of `?despatch=`, sent by or to the party; `&show=` one of its longer tables alone, page by page."""
    subject, naming = _subject(request, member), names.Names()
    found = kept.of(subject)
    show = request.GET.get("show", "")
    if found is not None and show in shipment_rows.TITLES:
        return _table(request, member, found, show)
    zone, row = names.zone_of(member), subject.row
    by_content = set(found.facts.by_content) if found else set()
    events = overview.events(subject, by_content)
    receipts.shown((event.index, event.reporter) for event in events)
    told = expected.with_order(member.party, subject.told, {event.index for event in events})
    naming.learn(parties_of=[row.sender, row.receiver, row.receiver_party]).of_events(events)
    context = {
        "member": member,
        "section": "shipments",
        "despatch": row.despatch,
        "number": names.document(row.despatch),
        "shown": names.short_document(row.despatch),
        "incoming": subject.incoming,
        "sender": naming.party(row.sender),
        "receiver": naming.party(row.receiver or row.receiver_party),
        "sent": names.moment(row.shipped_ms, zone),
        "by_content": bool(by_content),
        "events": [_event(event, by_content, naming, zone) for event in events[:MAX_EVENTS]],
        "lists": shipment_rows.lists(told, zone),
        **(_compared(request, member, subject, found) if found else {"waits": True}),
    }
    return render(request, "portal/shipment.html", context)


def _compared(request: HttpRequest, member: Member, subject: Subject, found: Overview) -> dict[str, Any]:
    """What the overview says, as far as the page shows it: the first rows of each table, the lines page by page."""
    facts, naming, zone = found.facts, names.Names(), names.zone_of(member)
    standing = overview.standing(subject, facts, now_ms=now_ms())
    text, tone = STANDINGS[standing]
    page = Paginator(found.part("lines"), PAGE_SIZE).get_page(request.GET.get("page"))
    by_amount = subject.by_list and not facts.names_things
    lots, products = found.part("lots"), found.part("products")
    return {
        "state": text,
        "tone": tone,
        "arrived": names.moment(facts.arrived_ms, zone),
        "dwell": _dwell(subject, facts),
        "sources": [(one, names.short_document(one)) for one in facts.sources],
        "lots": shipment_rows.lots(lots[:PAGE_SIZE], naming),
        "more_lots": len(lots) if len(lots) > PAGE_SIZE else 0,
        "lines": shipment_rows.lines(list(page.object_list)),
        "page": page,
        "more": f"&{urlencode({'despatch': subject.row.despatch})}",
        "compared": shipment_rows.products(products[:PAGE_SIZE], naming),
        "more_products": len(products) if len(products) > PAGE_SIZE else 0,
        "against": shipment_rows.differences(found),
        "tasks": _tasks(subject, standing, member),
        "exceptions": [] if by_amount else _exceptions(subject, facts),
        "void_received": subject.incoming and standing == Standing.VOID_RECEIVED and "receive" in _can(member),
        "behind": not found.is_current,
        "as_of": facts.as_of,
    }


def _table(request: HttpRequest, member: Member, found: Overview, show: str) -> HttpResponse:
    """One table of the overview, page by page."""
    page, naming = Paginator(found.part(show), PAGE_SIZE).get_page(request.GET.get("page")), names.Names()
    despatch = request.GET["despatch"]
    rows = list(page.object_list)
    context = {
        "member": member,
        "section": "shipments",
        "despatch": despatch,
        "shown": names.short_document(despatch),
        "title": shipment_rows.TITLES[show],
        "show": show,
        "lots": shipment_rows.lots(rows, naming) if show == "lots" else [],
        "compared": shipment_rows.products(rows, naming) if show == "products" else [],
        "goods": [(names.goods(epc), names.pack_path(epc)) for epc in rows]
        if show in shipment_rows.DIFFERENCES
        else [],
        "page": page,
        "more": f"&{urlencode({'despatch': despatch, 'show': show})}",
        "total": len(found.part(show)),
    }
    return render(request, "portal/shipment_table.html", context)


@never_cache
@member_view
def proofs(request: HttpRequest, member: Member) -> HttpResponse:
    """The shipment's events with their claims and proofs, for `python -m ledger.verify` (docs/formats.md)."""
    subject = _subject(request, member)
    found = kept.of(subject)
    events = overview.events(subject, found.facts.by_content if found else ())
    receipts.shown((event.index, event.reporter) for event in events)
    held = Document.objects.in_bulk([event.statement_hash for event in events])
    bundle = ledger.evidence(
        [
            ledger.EvidenceRequest(name, json.loads(bytes(one.body)), bytes(one.secret), lambda _name: True)
            for name, one in sorted(held.items())
        ]
    )
    headers = {"Content-Disposition": 'attachment; filename="shipment.json"'}
    return HttpResponse(
        json.dumps(bundle, ensure_ascii=False, indent=1), content_type="application/json", headers=headers
    )


def _subject(request: HttpRequest, member: Member) -> Subject:
    """A stranger's despatch does not exist."""
    found = overview.find(member.party, request.GET.get("despatch", ""))
    if found is None:
        raise Http404
    return found


def _dwell(subject: Subject, facts: Facts) -> str:
    """How long it was or has been under way, and how long that takes on this lane."""
    row = subject.row
    if row.shipped_ms is None or row.status == "void":
        return ""
    lane = shipments.lane(row)
    took_ms = max((facts.arrived_ms if facts.arrived_ms is not None else now_ms()) - row.shipped_ms, 0)
    text = lasted(took_ms)
    if lane is None:
        return text
    usual = _("usually {time} on this lane, over the last {n}").format(time=lasted(lane.median_ms), n=lane.shipments)
    if took_ms > lane.longest_ms:
        return _("{time}: longer than each of these ({usual})").format(time=text, usual=usual)
    return f"{text} ({usual})"


def _event(event: PublishedEvent, by_content: Collection[int], naming: names.Names, zone: Any) -> dict[str, Any]:
    return {
        "at": names.moment(event.event_time_ms, zone),
        "step": names.step(event),
        "place": naming.place(names.place_of(event)),
        "reporter": naming.party(event.reporter),
        "index": event.index,
        "by_content": event.index in by_content,
        "void": event.voided_by is not None or event.declaration_ms is not None,
    }


def _tasks(subject: Subject, standing: Standing, member: Member) -> list[tuple[str, str]]:
    """The steps that fit where the shipment stands: (step id, label)."""
    can = _can(member)
    wanted = "receive" if subject.incoming else "void_shipping"
    return [(wanted, can[wanted])] if standing in _UNDER_WAY and wanted in can else []


def _exceptions(subject: Subject, facts: Facts) -> list[tuple[Any, str]]:
    """The queries of an exception's form for what is missing of goods that came in, and for what came besides."""
    if not subject.incoming:
        return []
    sender = parties.party_by_uri(subject.row.sender)
    given = [("despatch", names.document(subject.row.despatch)), ("partner", sender.id if sender else "")]
    kinds = [
        (gettext_lazy("missing goods"), "data-no-product", facts.missing),
        (gettext_lazy("surplus goods"), "product-no-data", facts.surplus),
    ]
    return [
        (text, urlencode([("kind", kind), *given, *(("code", names.goods(epc)) for epc in epcs)]))
        for text, kind, epcs in kinds
        if epcs
    ]


def _can(member: Member) -> dict[str, str]:
    found: Sequence[Any] = [step_for(member.party.roles, name) for name in ("receive", "void_shipping")]
    return {step.id: str(step.label) for step in found if step is not None}
