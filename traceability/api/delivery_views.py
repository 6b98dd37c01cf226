"""Deliveries between partners over HTTP: what there is, the documents, acknowledgement and resending."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpResponse, JsonResponse
from rest_framework.request import Request
from rest_framework.views import APIView

from traceability.common.problems import ProblemError
from traceability.exchange import deliveries
from traceability.exchange.models import Delivery
from traceability.exchange.partner_document import MEDIA_TYPES, SUFFIXES
from traceability.parties.models import Party
from traceability.queries import paging
from traceability.queries.event_query import bad_parameter

from . import answers, bodies, problems
from .authentication import party_of

MAX_DETAIL = 300
_DIRECTIONS = {"in": "channel__partner", "out": "channel__party"}


class Deliveries(APIView):
    """The deliveries from the party and to it, the newest first."""

    def get(self, request: Request) -> HttpResponse:
        party = party_of(request)

        def fetch(after: Any, limit: int, chosen: Mapping[str, str]) -> list[Delivery]:
            found = deliveries.of_party(party)
            if (direction := chosen.get("direction")) is not None:
                if direction not in _DIRECTIONS:
                    raise bad_parameter("direction", "is in or out")
                found = found.filter(**{_DIRECTIONS[direction]: party})
            return list(deliveries.behind(found, after)[:limit])

        rows, token = paging.page(
            answers.parameters(request),
            "deliveries",
            fetch,
            lambda row: [row.created_ms, row.id],
            holder=party.uri,
            filters=["direction"],
        )
        response = JsonResponse([_shown(row, party) for row in rows], safe=False)
        return answers.with_next(response, request, token)


class DeliveryView(APIView):
    """One delivery: its state and steps."""

    def get(self, request: Request, delivery_id: str) -> JsonResponse:
        party = party_of(request)
        found = _found(party, delivery_id)
        steps = [
            {"state": one.state, "at": answers.time_text(one.at_ms), "detail": one.detail}
            for one in found.steps.order_by("id")
        ]
        return JsonResponse({**_shown(found, party), "steps": steps})


class DeliveryDocument(APIView):
    """The document itself; that its receiver fetched it is recorded."""

    def get(self, request: Request, delivery_id: str) -> HttpResponse:
        party = party_of(request)
        found = _found(party, delivery_id)
        body = deliveries.fetch(found, party, actor=party.uri)
        name = f"delivery-{found.number}.{SUFFIXES[found.format]}"
        headers = {"Content-Disposition": f'attachment; filename="{name}"', "Dosetrail-SHA256": found.sha256}
        return HttpResponse(body, content_type=MEDIA_TYPES[found.format], headers=headers)


class Acknowledgement(APIView):
    """The receiver's word: `{"accepted": true|false, "detail"?}`."""

    parser_classes = ()

    def post(self, request: Request, delivery_id: str) -> JsonResponse:
        party, given = party_of(request), bodies.read_kept(request)
        found = _found(party, delivery_id)
        accepted, detail = given.get("accepted"), given.get("detail", "")
        if not isinstance(accepted, bool):
            raise ProblemError(400, "accepted", "accepted is true or false", "ValidationException", pointer="/accepted")
        if not isinstance(detail, str) or len(detail) > MAX_DETAIL:
            words = f"detail is a text of at most {MAX_DETAIL} characters"
            raise ProblemError(400, "detail", words, "ValidationException", pointer="/detail")
        deliveries.acknowledge(found, party, is_accepted=accepted, detail=detail, actor=party.uri)
        return JsonResponse(_shown(found, party))


class Resending(APIView):
    """The sender sends the same bytes once more."""

    def post(self, request: Request, delivery_id: str) -> JsonResponse:
        party = party_of(request)
        found = _found(party, delivery_id)
        deliveries.resend(found, party, actor=party.uri)
        return JsonResponse(_shown(found, party), status=202)


def _found(party: Party, delivery_id: str) -> Delivery:
    found = deliveries.find(party, delivery_id)
    if found is None:
        raise problems.not_found("there is no delivery from you or to you of this id")
    return found


def _shown(row: Delivery, party: Party) -> dict[str, Any]:
    channel = row.channel
    return {
        "deliveryID": row.id,
        "direction": "in" if channel.partner == party else "out",
        "sender": channel.party.uri,
        "receiver": channel.partner.uri,
        "number": row.number,
        "way": channel.way,
        "format": row.format,
        "state": row.state,
        "createdAt": answers.time_text(row.created_ms),
        "events": row.events,
        "size": row.size,
        "sha256": row.sha256,
    }
