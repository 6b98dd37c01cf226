"""What the events that a party may see are about, as collections (EPCIS 2.0, section 12.7)."""

from django.http import HttpResponse, JsonResponse
from django.urls import URLPattern, path
from rest_framework.request import Request

from traceability.capture.models import PublishedEvent
from traceability.common.problems import ProblemError
from traceability.epcis import epc_format
from traceability.epcis.context import DEFAULT_CONTEXT
from traceability.gs1 import urn
from traceability.parties import selectors as parties
from traceability.queries import collections, engine, event_query, tokens, values
from traceability.visibility.rules import visible_events

from . import answers, problems, rendering
from .epcis_base import EpcisView
from .queried import queried, require_short

_IDENTIFIERS = frozenset({"epcs", "bizLocations", "readPoints"})


class Members(EpcisView):
    """The members of a collection, paged."""

    kind = ""

    def get(self, request: Request) -> HttpResponse:
        holder = self.party().uri
        size, token = _paging(request)
        events = visible_events(PublishedEvent.objects.all(), self.party())
        members, following = collections.page(self.kind, events, size, holder=holder, token=token)
        response = self._identifiers(request, members) if self.kind in _IDENTIFIERS else _collection(members)
        return answers.with_next(response, request, following)

    def _identifiers(self, request: Request, members: list[str]) -> JsonResponse:
        """As EPC URNs, where the client asks for those and a registered company prefix allows it."""
        if rendering.epcs_as(request, epc_format.DIGITAL_LINK) != epc_format.EPC_URN:
            response = _collection(members)
            response["GS1-EPC-Format"] = epc_format.DIGITAL_LINK  # so we hold them, whatever was captured
            return response
        prefixes = parties.company_prefixes()
        response = _collection([urn.with_prefixes(member, prefixes) for member in members])
        response["GS1-EPC-Format"] = epc_format.EPC_URN
        return response


class Member(EpcisView):
    """One member: what there is of it."""

    kind = ""

    def get(self, request: Request, value: str) -> HttpResponse:
        require_short(request)
        _require(self, value)
        return _collection(["events"])


class MemberEvents(EpcisView):
    """The events about one member; further parameters narrow them."""

    kind = ""
    media_types = rendering.QUERY_DOCUMENT

    def get(self, request: Request, value: str) -> HttpResponse:
        if tokens.PARAMETER not in request.query_params:
            _require(self, value)
        also = {collections.COLLECTIONS[self.kind].parameter: [value]}
        return queried(request, self.party(), also=also)


class NextPageToken(EpcisView):
    """A token of ours holds its query itself: there is nothing here to delete, it runs out by itself."""

    def delete(self, request: Request, token: str) -> HttpResponse:
        detail = "a token cannot be revoked; it runs out by itself, at the time that GS1-Next-Page-Token-Expires says"
        raise ProblemError(501, "not-implemented", detail, "ImplementationException")


# A class of its own for each collection, so that each can be described.
VIEWS: dict[str, tuple[type[Members], type[Member], type[MemberEvents]]] = {
    kind: (
        type(f"Members_{kind}", (Members,), {"kind": kind}),
        type(f"Member_{kind}", (Member,), {"kind": kind}),
        type(f"MemberEvents_{kind}", (MemberEvents,), {"kind": kind}),
    )
    for kind in collections.COLLECTIONS
}


def urls() -> list[URLPattern]:
    """The addresses of every collection."""
    found = []
    for kind, (members, member, events) in VIEWS.items():
        found += [
            path(kind, members.as_view(), name=kind),
            path(f"{kind}/<path:value>/events", events.as_view(), name=f"{kind}-events"),
            path(f"{kind}/<path:value>", member.as_view(), name=f"{kind}-member"),
        ]
    return found


def _require(view: Member | MemberEvents, value: str) -> None:
    events = visible_events(PublishedEvent.objects.all(), view.party())
    if not collections.holds(view.kind, value, events, engine.matching):
        raise problems.not_found(f"no event that you may see names it, and {view.kind} of the standard have it not")


def _paging(request: Request) -> tuple[int, str | None]:
    given = {name: tuple(texts) for name, texts in answers.parameters(request).items()}
    token, per_page = given.pop(tokens.PARAMETER, None), given.pop("perPage", None)
    for name in given:
        raise event_query.bad_parameter(name, "is not a parameter of a collection")
    try:
        size = event_query.PER_PAGE if per_page is None else event_query.page_size(per_page)
        return size, None if token is None else values.single(tokens.PARAMETER, token)
    except values.QueryFault as fault:
        raise event_query.bad_parameter(fault.parameter, fault.detail) from fault


def _collection(members: list[str]) -> JsonResponse:
    return JsonResponse({"@context": DEFAULT_CONTEXT, "type": "Collection", "member": members})
