"""Recall notices over HTTP, for the systems of those who hold the packs: what there is, the packs, the answer."""

import json
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from django.http import HttpResponse, JsonResponse, StreamingHttpResponse
from rest_framework.request import Request
from rest_framework.views import APIView

from traceability.common.problems import ProblemError
from traceability.parties.models import Party
from traceability.queries import paging
from traceability.recalls import responses, selectors
from traceability.recalls.models import Notice
from traceability.recalls.responses import Answer

from . import answers, bodies, problems
from .authentication import party_of, token_reader

_MEMBERS = {"version", "counts", "reason"}
_ROWS = 500  # packs in a part of a streamed list


class Recalls(APIView):
    """The recall notices to the party, the newest first."""

    def get(self, request: Request) -> HttpResponse:
        party = party_of(request)

        def fetch(after: Any, limit: int, _chosen: Mapping[str, str]) -> list[Notice]:
            return list(selectors.behind(selectors.notices_of(party), after)[:limit])

        rows, token = paging.page(
            answers.parameters(request),
            "recalls",
            fetch,
            lambda row: [row.created_ms, row.id],
            holder=party.uri,
        )
        response = JsonResponse([_shown(row) for row in rows], safe=False)
        return answers.with_next(response, request, token)


class RecallView(APIView):
    """One notice; that a system of the party has read it is its receipt."""

    def get(self, request: Request, notice_id: str) -> JsonResponse:
        found = _found(party_of(request), notice_id)
        responses.fetched(notice=found, actor=_actor(request))
        return JsonResponse(_shown(found))


class Packs(APIView):
    """The very packs of a notice as they stand now; a list of a million goes out as it is read."""

    def get(self, request: Request, notice_id: str) -> StreamingHttpResponse:
        found, actor = _found(party_of(request), notice_id), _actor(request)
        return StreamingHttpResponse(_packs_document(found, actor), content_type="application/json")


def _packs_document(found: Notice, actor: str) -> Iterator[str]:
    """It counts as delivered once every pack has been read out; who breaks off has no list, as its JSON shows."""
    yield f'{{"version": {found.version}, "packs": ['
    rows = (
        json.dumps(
            {
                "epc": one.epc,
                "gtin": one.gtin,
                "lot": one.lot,
                "container": one.container,
                "status": one.status,
                "place": one.place,
            }
        )
        for one in responses.packs_of(found).each
    )
    before = ""
    while part := ", ".join(islice(rows, _ROWS)):
        yield before + part
        before = ", "
    responses.fetched(notice=found, actor=actor)
    yield "]}"


class Acknowledgement(APIView):
    """The party's answer: `{"version", "counts": {…}, "reason"?}`."""

    parser_classes = ()

    def post(self, request: Request, notice_id: str) -> JsonResponse:
        party, given = party_of(request), bodies.read_kept(request)
        found = _found(party, notice_id)
        unknown = sorted(set(given) - _MEMBERS)
        if unknown:
            raise _bad(unknown[0], f"members are {', '.join(sorted(_MEMBERS))}")
        version, counts, reason = given.get("version"), given.get("counts"), given.get("reason", "")
        if type(version) is not int:
            raise _bad("version", "version is that of the notice you read, a whole number")
        if not isinstance(counts, Mapping):
            raise _bad("counts", f"counts is an object of {', '.join(responses.COUNTS)}")
        if not isinstance(reason, str):
            raise _bad("reason", "reason is a text")
        row = responses.acknowledge(notice=found, actor=_actor(request), answer=Answer(version, counts, reason))
        return JsonResponse({**_shown(found), "statementHash": row.statement_hash}, status=201)


def _bad(member: str, detail: str) -> ProblemError:
    return ProblemError(400, "recall-answer", detail, "ValidationException", pointer=f"/{member}")


def _actor(request: Request) -> str:
    return token_reader(request.headers["Authorization"].partition(" ")[2].strip())


def _found(party: Party, notice_id: str) -> Notice:
    found = selectors.notice_of(party, notice_id)
    if found is None:
        raise problems.not_found("there is no recall notice to you of this id")
    return found


def _shown(row: Notice) -> dict[str, Any]:
    content = row.recall.content
    shown = {
        "noticeID": row.id,
        "recallID": row.recall_id,
        "version": row.version,
        "state": row.recall.state,
        "owner": row.recall.owner.uri,
        "class": content["class"],
        "drill": row.recall.is_drill,
        "lots": content["lots"],
        "reason": content["reason"],
        "instruction": content["instruction"],
        "packs": row.packs,
        "supplied": row.supplied,
        "createdAt": answers.time_text(row.created_ms),
        "answerBy": answers.time_text(row.answer_by_ms),
    }
    times = {"deliveredAt": row.delivered_ms, "openedAt": row.opened_ms, "answeredAt": row.answered_ms}
    return shown | {name: answers.time_text(ms) for name, ms in times.items() if ms is not None}
