"""Named queries and their subscriptions over HTTP (EPCIS 2.0, section 12.7)."""

from typing import Any
from urllib.parse import quote

from django.http import HttpResponse, JsonResponse
from rest_framework.request import Request

from traceability.common.problems import ProblemError
from traceability.exchange import subscriptions
from traceability.exchange.models import Subscription
from traceability.queries import named, paging
from traceability.queries.models import NamedQuery

from . import answers, bodies, problems, rendering
from .epcis_base import EpcisView
from .queried import namespaces, queried

_LIVE = {"stream", "second", "minute", "hour", "dayOfMonth", "month", "dayOfWeek", "reportIfEmpty", "initialRecordTime"}


class Queries(EpcisView):
    """A new named query in; the party's queries out."""

    def post(self, request: Request) -> JsonResponse:
        given = bodies.read_kept(request)
        if unknown := sorted(given.keys() - {"name", "query"}):
            raise ProblemError(
                400, "query-member", f"{unknown[0]} is no member of a named query", "QueryValidationException",
                pointer=f"/{unknown[0]}",
            )  # fmt: skip
        made = named.create(self.party(), given.get("name"), given.get("query"), namespaces(request))
        location = f"{request.path}/{quote(made.name, safe='')}"
        return JsonResponse(_query(made), status=201, headers={"Location": location})

    def get(self, request: Request) -> HttpResponse:
        party = self.party()
        rows, token = paging.page(
            answers.parameters(request),
            "queries",
            lambda after, limit, _chosen: named.listed(party, after, limit),
            lambda row: row.name,
            holder=party.uri,
        )
        return answers.with_next(JsonResponse([_query(row) for row in rows], safe=False), request, token)


class _OfQuery(EpcisView):
    def query(self, name: str) -> NamedQuery:
        found = named.find(self.party(), name)
        if found is None:
            raise ProblemError(404, "not-found", "you have no query of this name", "NoSuchNameException")
        return found


class Query(_OfQuery):
    """One named query; deleting it ends its subscriptions."""

    def get(self, request: Request, name: str) -> JsonResponse:
        return JsonResponse(_query(self.query(name)))

    def delete(self, request: Request, name: str) -> HttpResponse:
        self.query(name).delete()
        return HttpResponse(status=204)


class QueryEvents(_OfQuery):
    """What a named query finds now, narrowed by further parameters."""

    media_types = rendering.QUERY_DOCUMENT

    def get(self, request: Request, name: str) -> HttpResponse:
        query = self.query(name)
        more = answers.parameters(request)
        if "websocket" in request.headers.get("Upgrade", "").lower() or (_LIVE - {"reportIfEmpty"}) & more.keys():
            detail = "results are not pushed over WebSocket here; subscribe a webhook at …/subscriptions"
            raise ProblemError(501, "no-websocket", detail, "ImplementationException")
        return queried(
            request,
            self.party(),
            within=named.read(query.query).criteria,
            defaults=named.controls(query.query),
            query_name=query.name,
        )


class Subscriptions(_OfQuery):
    """A new subscription to a query in; those that there are out."""

    def post(self, request: Request, name: str) -> JsonResponse:
        made = subscriptions.create(self.query(name), bodies.read_kept(request))
        return JsonResponse(_subscription(made), status=201, headers={"Location": f"{request.path}/{made.id}"})

    def get(self, request: Request, name: str) -> HttpResponse:
        query = self.query(name)
        rows, token = paging.page(
            answers.parameters(request),
            f"subscriptions {query.id}",
            lambda after, limit, _chosen: list(query.subscriptions.filter(id__gt=after or "").order_by("id")[:limit]),
            lambda row: row.id,
            holder=query.party.uri,
        )
        return answers.with_next(JsonResponse([_subscription(row) for row in rows], safe=False), request, token)


class SubscriptionView(EpcisView):
    """One subscription."""

    def get(self, request: Request, name: str, subscription_id: str) -> JsonResponse:
        return JsonResponse(_subscription(self._found(name, subscription_id)))

    def delete(self, request: Request, name: str, subscription_id: str) -> HttpResponse:
        self._found(name, subscription_id).delete()
        return HttpResponse(status=204)

    def _found(self, name: str, subscription_id: str) -> Subscription:
        found = subscriptions.find(self.party(), name, subscription_id)
        if found is None:
            raise problems.not_found("you have no such subscription")
        return found


def _query(row: NamedQuery) -> dict[str, Any]:
    return {"name": row.name, "query": row.query, "createdAt": answers.time_text(row.created_ms)}


def _subscription(row: Subscription) -> dict[str, Any]:
    """All but the signature token, which is never told again."""
    body: dict[str, Any] = {
        "subscriptionID": row.id,
        "queryName": row.query.name,
        "dest": row.dest,
        "reportIfEmpty": row.report_if_empty,
        "createdAt": answers.time_text(row.created_ms),
        "state": row.state,
        "signed": bool(row.sealed_seed),
        "failures": row.attempts,
    }
    body |= {"schedule": row.schedule} if row.schedule else {"stream": True}
    if row.initial_ms is not None:
        body["initialRecordTime"] = answers.time_text(row.initial_ms)
    if row.sent_ms is not None:
        body["lastNotifiedAt"] = answers.time_text(row.sent_ms)
    if row.error:
        body["lastError"] = row.error
    return body
