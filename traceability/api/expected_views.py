"""Despatch lists and orders over HTTP: given by a party's own system, read, and compared with what is recorded."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import Q
from django.http import HttpResponse, JsonResponse
from rest_framework.request import Request
from rest_framework.views import APIView

from traceability.common.clock import now_ms
from traceability.common.problems import ProblemError
from traceability.exceptions import expected, kept, overview
from traceability.exceptions.comparison import Compared
from traceability.exceptions.models import ExpectedList
from traceability.exceptions.overview import Overview, Subject
from traceability.parties import selectors as parties
from traceability.parties.models import Party
from traceability.queries import paging, values
from traceability.queries.event_query import bad_parameter
from traceability.queries.values import QueryFault

from . import answers, bodies, problems
from .authentication import party_of

PARAMETERS = {"kind", "number", "partner"}
PENDING_SECONDS = 3  # when to ask again for a comparison that is being made


class ExpectedLists(APIView):
    """The caller's lists, the newest first; POST gives one."""

    parser_classes = ()

    def get(self, request: Request) -> HttpResponse:
        party = party_of(request)

        def fetch(after: Any, limit: int, chosen: Mapping[str, str]) -> list[ExpectedList]:
            rows = expected.of_party(party)
            if (kind := chosen.get("kind")) is not None:
                rows = rows.filter(kind=_kind(kind))
            if (number := chosen.get("number")) is not None:
                rows = rows.filter(document=expected.document_of(_number(number)))
            if after is not None:
                rows = rows.filter(Q(stored_ms__lt=after[0]) | Q(stored_ms=after[0], id__lt=after[1]))
            return list(rows.order_by("-stored_ms", "-id")[:limit])

        rows, token = paging.page(
            answers.parameters(request),
            "expected-lists",
            fetch,
            lambda row: [row.stored_ms, row.id],
            holder=party.uri,
            filters=["kind", "number"],
        )
        return answers.with_next(JsonResponse([_shown(row) for row in rows], safe=False), request, token)

    def post(self, request: Request) -> JsonResponse:
        party, given = party_of(request), _single(request)
        content, is_json = bodies.read_json_or_text(request)
        what = expected.Given(
            number=_number(given.get("number", "")),
            kind=_kind(given.get("kind", "")),
            content=content,
            partner=_partner(party, given["partner"]) if "partner" in given else None,
            rows=_rows(content) if is_json else None,
        )
        row, is_new = expected.store(party, what)
        headers = {"Location": f"{request.path}/{row.pk}"}
        return JsonResponse(_shown(row), status=201 if is_new else 200, headers=headers)


class ExpectedListView(APIView):
    """One list of the caller's, without its lines."""

    def get(self, request: Request, list_id: int) -> JsonResponse:
        return JsonResponse(_shown(_found(party_of(request), list_id)))


class Lines(APIView):
    """What a list names: things by EPC, amounts by product and lot."""

    def get(self, request: Request, list_id: int) -> HttpResponse:
        party = party_of(request)
        row = _found(party, list_id)
        rows = [
            *({"epc": epc, "lot": lot, "expiry": expiry} for epc, lot, expiry in row.things),
            *(
                {"gtin": gtin, "lot": lot, "expiry": expiry, "quantity": packs}
                for gtin, lot, expiry, packs in row.amounts
            ),
        ]
        return _page(request, f"expected-lists {list_id} {row.stored_ms} lines", rows)


class Comparison(APIView):
    """The shipment of a list's number beside what is recorded, summed up."""

    def get(self, request: Request, list_id: int) -> JsonResponse:
        subject, found = _compared(party_of(request), list_id)
        row, told, facts = subject.row, subject.told, found.facts
        times = {"shippedAt": row.shipped_ms, "receivedAt": facts.arrived_ms}
        return JsonResponse(
            {
                "document": row.despatch,
                "state": overview.standing(subject, facts, now_ms=now_ms()),
                "sender": row.sender,
                "receiver": row.receiver,
                "advice": told.advice.pk if told.advice else None,
                "order": told.order.pk if told.order else None,
                "asOf": facts.as_of,
                "current": found.is_current,
                "counts": dict(facts.counts),
            }
            | {name: answers.time_text(ms) for name, ms in times.items() if ms is not None}
        )


class ComparisonPart(APIView):
    """The rows of one part of it."""

    def get(self, request: Request, list_id: int, part: str) -> HttpResponse:
        party = party_of(request)
        if part not in overview.PARTS:
            raise problems.not_found(f"the parts of a comparison are {', '.join(overview.PARTS)}")
        _subject, found = _compared(party, list_id)
        return _page(request, f"expected-lists {list_id} {part}", found.part(part), lambda row: _item(part, row))


def _page(request: Request, of: str, rows: Any, shown: Any = lambda row: row) -> HttpResponse:
    """A page of rows that have no other key than their place."""

    def fetch(after: int | None, limit: int, _chosen: Mapping[str, str]) -> list[tuple[int, Any]]:
        start = 0 if after is None else after + 1
        return list(enumerate(rows[start : start + limit], start))

    found, token = paging.page(answers.parameters(request), of, fetch, lambda one: one[0], holder=party_of(request).uri)
    return answers.with_next(JsonResponse([shown(row) for _, row in found], safe=False), request, token)


_NAMES = {
    "lines": (
        "epc",
        "state",
        "expected",
        "received",
        "missing",
        "surplus",
        "parts",
        "moreParts",
        "absent",
        "moreAbsent",
    ),
    "lots": ("gtin", "lot", "expected", "received"),
    "products": ("gtin", "ordered", "advised", "despatched", "received"),
}


def _item(part: str, row: Any) -> dict[str, Any]:
    """A row of an overview with the names of its columns."""
    if part not in _NAMES:
        return {"epc": row}
    found = dict(zip(_NAMES[part], row, strict=True))
    if part == "products":
        one = Compared(*row)
        found |= {"short": one.short, "over": one.over}
    return found


def _single(request: Request) -> dict[str, str]:
    """The parameters that say whose list it is, each once."""
    found = answers.parameters(request)
    for name in found.keys() - PARAMETERS:
        raise bad_parameter(name, "is not a parameter of this address")
    try:
        return {name: values.single(name, given) for name, given in found.items()}
    except QueryFault as fault:
        raise bad_parameter(fault.parameter, fault.detail) from fault


def _rows(content: bytes) -> Sequence[Any]:
    given = bodies.kept_object(content)
    lines = given.get("lines")
    if set(given) != {"lines"} or not isinstance(lines, list):
        raise ProblemError(400, "lines", "the one member is lines, a list", "ValidationException", pointer="/lines")
    return lines


def _kind(given: str) -> str:
    if given not in ExpectedList.Kind.values:
        raise bad_parameter("kind", f"is {' or '.join(ExpectedList.Kind.values)}")
    return given


def _number(given: str) -> str:
    if not expected.is_number(given):
        raise bad_parameter("number", f"has 1 to {expected.MAX_NUMBER} characters")
    return given


def _partner(party: Party, given: str) -> Party:
    found = parties.party_by_uri(given) or Party.objects.filter(id=given).first()
    if found is None or not found.active or found == party:
        raise bad_parameter("partner", "is not another party that is registered here")
    return found


def _found(party: Party, list_id: int) -> ExpectedList:
    found = expected.of_party(party).filter(pk=list_id).first()
    if found is None:
        raise problems.not_found("there is no list of yours of this id")
    return found


def _compared(party: Party, list_id: int) -> tuple[Subject, Overview]:
    subject = overview.find(party, _found(party, list_id).document)
    found = kept.of(subject) if subject else None
    if subject is None or found is None:
        raise ProblemError(
            503,
            "comparison-pending",
            "this list is large and is being compared: ask again",
            headers={"Retry-After": str(PENDING_SECONDS)},
        )
    return subject, found


def _shown(row: ExpectedList) -> dict[str, Any]:
    return {
        "listID": row.pk,
        "kind": row.kind,
        "document": row.document,
        "partner": row.partner.uri if row.partner else None,
        "lines": row.lines,
        "sha256": row.sha256,
        "storedAt": answers.time_text(row.stored_ms),
    }
