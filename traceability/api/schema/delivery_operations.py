"""The operations on deliveries between partners."""

from rest_framework.views import APIView

from traceability.api import delivery_views
from traceability.exchange.partner_document import MEDIA_TYPES

from .build import ref, words
from .operation import JSON, Answer, Operation
from .parameters import PAGING, query

_TAG = "Deliveries"
_SHOWN = {JSON: ref("Delivery")}
_PAGED = {"Link": "Link", "GS1-Next-Page-Token-Expires": "GS1-Next-Page-Token-Expires"}

OPERATIONS: dict[tuple[type[APIView], str], Operation] = {
    (delivery_views.Deliveries, "GET"): Operation(
        "listDeliveries",
        _TAG,
        "Deliveries from the caller and to it",
        {200: Answer("A page, newest first.", {JSON: ref("Deliveries")}, _PAGED)},
        refusals=(400,),
        parameters=(query("direction", words(("in", "out"))), *PAGING),
    ),
    (delivery_views.DeliveryView, "GET"): Operation(
        "getDelivery",
        _TAG,
        "How a delivery stands",
        {200: Answer("State and steps.", {JSON: ref("DeliveryWithSteps")})},
        refusals=(404,),
    ),
    (delivery_views.DeliveryDocument, "GET"): Operation(
        "getDeliveryDocument",
        _TAG,
        "The document itself",
        {
            200: Answer(
                "The bytes as they were sent.",
                {kind.partition(";")[0]: {} for kind in MEDIA_TYPES.values()},
                {"Content-Disposition": "Content-Disposition"},
            )
        },
        "That the receiver fetched it is recorded.",
        (404, 410),
    ),
    (delivery_views.Acknowledgement, "POST"): Operation(
        "acknowledgeDelivery",
        _TAG,
        "The receiver's word on a delivery",
        {200: Answer("The delivery.", _SHOWN)},
        refusals=(400, 403, 404, 409, 413, 415),
        body={JSON: ref("Acknowledgement")},
    ),
    (delivery_views.Resending, "POST"): Operation(
        "resendDelivery",
        _TAG,
        "Send the same bytes once more",
        {202: Answer("Under way.", _SHOWN)},
        refusals=(403, 404, 409, 410),
    ),
}
