"""Exceptions that partners ask the caller about, over HTTP: for a supplier's system to read and answer them."""

from collections.abc import Mapping
from typing import Any

from django.db.models import Q
from django.http import HttpResponse, JsonResponse
from rest_framework.request import Request
from rest_framework.views import APIView

from traceability.common.problems import ProblemError
from traceability.epcis.documents import document_uri
from traceability.exceptions import selectors, services, wording
from traceability.exceptions.models import ExceptionItem, ExceptionStep
from traceability.parties.models import Party
from traceability.queries import paging

from . import answers, bodies, problems
from .authentication import party_of, token_reader

_MEMBERS = {"version", "comment"}


class Exceptions(APIView):
    """What partners ask the caller about, resolved ones too, the one asked last first."""

    def get(self, request: Request) -> HttpResponse:
        party = party_of(request)

        def fetch(after: Any, limit: int, _chosen: Mapping[str, str]) -> list[ExceptionItem]:
            rows = selectors.asked_of(party, {"state": "all"})
            if after is not None:
                rows = rows.filter(Q(asked_ms__lt=after[0]) | Q(asked_ms=after[0], id__lt=after[1]))
            return list(rows.prefetch_related("goods").order_by("-asked_ms", "-id")[:limit])

        rows, token = paging.page(
            answers.parameters(request), "exceptions", fetch, lambda row: [row.asked_ms, row.id], holder=party.uri
        )
        return answers.with_next(JsonResponse([_shown(row) for row in rows], safe=False), request, token)


class ExceptionView(APIView):
    """One of them, with what was done."""

    def get(self, request: Request, exception_id: str) -> JsonResponse:
        party = party_of(request)
        return JsonResponse(_whole(_found(party, exception_id), party))


class ExceptionAnswer(APIView):
    """The caller's answer, `{"version", "comment"}`; the party that asks decides."""

    parser_classes = ()

    def post(self, request: Request, exception_id: str) -> JsonResponse:
        party, given = party_of(request), bodies.read_kept(request)
        found = _found(party, exception_id)
        unknown = sorted(set(given) - _MEMBERS)
        if unknown:
            raise _bad(unknown[0], f"members are {', '.join(sorted(_MEMBERS))}")
        version, comment = given.get("version"), given.get("comment")
        if type(version) is not int or not 0 <= version < 2**31:
            raise _bad("version", "version is that of the exception you read, a whole number")
        if not isinstance(comment, str):
            raise _bad("comment", f"comment is a text of 1 to {services.MAX_COMMENT} characters")
        actor = token_reader(request.headers["Authorization"].partition(" ")[2].strip())
        services.answer_for(party, found, actor=actor, comment=comment, version=version)
        return JsonResponse(_whole(_found(party, exception_id), party), status=201)


def _bad(member: str, detail: str) -> ProblemError:
    return ProblemError(400, "exception-answer", detail, "ValidationException", pointer=f"/{member}")


def _found(party: Party, exception_id: str) -> ExceptionItem:
    found = selectors.asked_one(exception_id, party=party)
    if found is None:
        raise problems.not_found("no partner asks you about an exception of this id")
    return found


def _whole(item: ExceptionItem, party: Party) -> dict[str, Any]:
    return _shown(item) | {"steps": [_step(item, step) for step in selectors.steps(item, party=party)]}


def _shown(item: ExceptionItem) -> dict[str, Any]:
    """In the words of the message about an exception (docs/formats.md)."""
    goods = sorted(item.goods.all(), key=lambda row: row.pk)
    shown = {
        "exceptionID": item.id,
        "reference": wording.reference(item),
        "version": item.version,
        "state": item.state,
        "kind": item.kind,
        "party": item.party.uri,
        "place": item.place,
        "despatch": document_uri(item.despatch) if item.despatch else "",
        "note": item.note,
        "goods": [{"epc": row.epc, "lot": row.lot, "expiry": row.expiry, "onHold": row.held} for row in goods],
        "openedAt": answers.time_text(item.opened_ms),
        "answerBy": answers.time_text(item.due_ms),
    }
    times = {"askedAt": item.asked_ms, "resolvedAt": item.closed_ms}
    return shown | {name: answers.time_text(ms) for name, ms in times.items() if ms is not None}


def _step(item: ExceptionItem, step: ExceptionStep) -> dict[str, Any]:
    is_partner = step.state == ExceptionItem.State.ANSWERED and item.partner is not None
    who = item.partner if is_partner and item.partner else item.party
    return {
        "at": answers.time_text(step.at_ms),
        "state": step.state,
        "by": who.uri if step.actor else "",
        "comment": step.comment,
    }
