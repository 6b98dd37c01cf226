"""The operations that read events: queries, collections, named queries, subscriptions (EPCIS 2.0, section 12.7)."""

from rest_framework.views import APIView

from traceability.api import collection_views, event_views, query_views, rendering

from .build import ref
from .epcis_operations import DISCOVERY, PAGED, in_json
from .operation import JSON, Answer, Operation
from .parameters import EVENT_QUERY, FORM, PAGING

_QUERY, _COLLECTIONS, _NAMED = "EPCIS query", "EPCIS collections", "EPCIS named queries"
_DOCUMENT = {
    **{kind: ref("EPCISQueryDocument") for kind in rendering.JSON},
    **{kind: {} for kind in rendering.XML},
}
_FAMILIES = (
    "Members of a list are alternatives, parameters restrict each other. EPC URNs and Digital Links of one thing match "
    "each other; patterns and a GTIN alone match all of theirs. Beside the parameters below there are open families: "
    "`GE_value_CEL` (EQ, GT, GE, LT, LE; value, minValue, maxValue, meanValue, sDev, percValue, quantity; any unit, "
    "converted), extension fields by URI or CURIE (`EQ_`, `GT_`, `EXISTS_`, with `INNER_`, `ILMD_`, "
    "`ERROR_DECLARATION_`, `SENSORELEMENT_`, `SENSORMETADATA_`, `SENSORREPORT_`, `readPoint_`, `bizLocation_`), "
    "types of one's own in `EQ_bizTransaction_`, `EQ_source_`, `EQ_destination_`, and master data "
    "(`EQATTR_{field}_{attribute}`, `HASATTR_{field}`)."
)
_PAGE = Answer("A page of what the caller may see.", _DOCUMENT, PAGED)
_ASKING = (400, 413, 414)
_CREATED = {**DISCOVERY, "Location": "Location"}

OPERATIONS: dict[tuple[type[APIView], str], Operation] = {
    (event_views.Events, "GET"): Operation(
        "queryEvents", _QUERY, "Find events", {200: _PAGE}, _FAMILIES, _ASKING, (*EVENT_QUERY, *FORM)
    ),
    (event_views.Event, "GET"): Operation(
        "getEvent",
        _QUERY,
        "An event and its error declarations",
        {200: Answer("All visible events of that ID.", _DOCUMENT, DISCOVERY)},
        "By eventID, or by the event hash of CBV 2.0 that we compute.",
        (400, 404),
        FORM[:4],
    ),
    (collection_views.Members, "GET"): Operation(
        "list{kind}",
        _COLLECTIONS,
        "What the visible events name",
        {200: Answer("A page of members.", in_json(ref("Collection")), PAGED)},
        refusals=(400,),
        parameters=PAGING,
    ),
    (collection_views.Member, "GET"): Operation(
        "get{kind}Member",
        _COLLECTIONS,
        "One member",
        {200: Answer("What there is of it.", in_json(ref("Collection")), DISCOVERY)},
        refusals=(400, 404, 414),
    ),
    (collection_views.MemberEvents, "GET"): Operation(
        "query{kind}MemberEvents",
        _COLLECTIONS,
        "The events about one member",
        {200: _PAGE},
        "Takes the parameters of a query for events, but the one that the path stands for.",
        (400, 404, 413, 414),
        (*PAGING, *FORM),
    ),
    (collection_views.NextPageToken, "DELETE"): Operation(
        "deleteNextPageToken", _QUERY, "Not possible: tokens run out by themselves", {}, refusals=(501,)
    ),
    (query_views.Queries, "POST"): Operation(
        "createQuery",
        _NAMED,
        "Name a query",
        {201: Answer("Made.", in_json(ref("NamedQuery")), _CREATED)},
        refusals=(400, 409, 413, 415),
        body={JSON: ref("NewQuery"), "application/ld+json": ref("NewQuery")},
        links={
            "query": {"operationId": "getQuery", "parameters": {"name": "$response.body#/name"}},
            "deleted": {"operationId": "deleteQuery", "parameters": {"name": "$response.body#/name"}},
        },
    ),
    (query_views.Queries, "GET"): Operation(
        "listQueries",
        _NAMED,
        "The caller's named queries",
        {200: Answer("A page of queries.", in_json(ref("NamedQueries")), PAGED)},
        refusals=(400,),
        parameters=PAGING,
    ),
    (query_views.Query, "GET"): Operation(
        "getQuery",
        _NAMED,
        "A named query",
        {200: Answer("The query.", in_json(ref("NamedQuery")), DISCOVERY)},
        refusals=(404,),
    ),
    (query_views.Query, "DELETE"): Operation(
        "deleteQuery",
        _NAMED,
        "End a named query and its subscriptions",
        {204: Answer("It is no more.", headers=DISCOVERY)},
        refusals=(404,),
    ),
    (query_views.QueryEvents, "GET"): Operation(
        "queryNamedEvents",
        _NAMED,
        "What a named query finds now",
        {200: _PAGE},
        "Further parameters narrow it. Results are not pushed over WebSocket (501): subscribe a webhook.",
        (400, 404, 413, 414, 501),
        (*PAGING, *FORM),
    ),
    (query_views.Subscriptions, "POST"): Operation(
        "createSubscription",
        _NAMED,
        "Send what a query finds to a webhook",
        {201: Answer("Made.", in_json(ref("Subscription")), _CREATED)},
        "Each report carries `GS1-Signature` where a `signatureToken` was given, and is sent until it is answered 2xx.",
        (400, 404, 409, 413, 415),
        body={JSON: ref("NewSubscription"), "application/ld+json": ref("NewSubscription")},
    ),
    (query_views.Subscriptions, "GET"): Operation(
        "listSubscriptions",
        _NAMED,
        "The subscriptions to a query",
        {200: Answer("A page of subscriptions.", in_json(ref("Subscriptions")), PAGED)},
        refusals=(400, 404),
        parameters=PAGING,
    ),
    (query_views.SubscriptionView, "GET"): Operation(
        "getSubscription",
        _NAMED,
        "How a subscription stands",
        {200: Answer("The subscription.", in_json(ref("Subscription")), DISCOVERY)},
        refusals=(404,),
    ),
    (query_views.SubscriptionView, "DELETE"): Operation(
        "deleteSubscription",
        _NAMED,
        "End a subscription",
        {204: Answer("It is no more.", headers=DISCOVERY)},
        refusals=(404,),
    ),
}
