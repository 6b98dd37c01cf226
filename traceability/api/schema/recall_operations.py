"""The operations on recall notices."""

from rest_framework.views import APIView

from traceability.api import recall_views

from .build import ref
from .operation import JSON, Answer, Operation
from .parameters import PAGING

_TAG = "Recalls"
_PAGED = {"Link": "Link", "GS1-Next-Page-Token-Expires": "GS1-Next-Page-Token-Expires"}

OPERATIONS: dict[tuple[type[APIView], str], Operation] = {
    (recall_views.Recalls, "GET"): Operation(
        "listRecalls",
        _TAG,
        "Recall notices to the caller",
        {200: Answer("A page, newest first.", {JSON: ref("RecallNotices")}, _PAGED)},
        refusals=(400,),
        parameters=PAGING,
    ),
    (recall_views.RecallView, "GET"): Operation(
        "getRecall",
        _TAG,
        "One recall notice",
        {200: Answer("What is recalled and how many packs of it are the caller's.", {JSON: ref("RecallNotice")})},
        "The first reading is recorded as its delivery.",
        (404,),
    ),
    (recall_views.Packs, "GET"): Operation(
        "listRecalledPacks",
        _TAG,
        "The very packs of a notice",
        {200: Answer("All of them, as they stand now.", {JSON: ref("RecalledPacks")})},
        "The first reading is recorded as its delivery.",
        (404,),
    ),
    (recall_views.Acknowledgement, "POST"): Operation(
        "acknowledgeRecall",
        _TAG,
        "Answer a notice with counts",
        {201: Answer("The notice, and the statement on the log.", {JSON: ref("RecallAnswered")})},
        "Signed with the caller's hosted key. Counts that do not add up to `packs` need a reason.",
        refusals=(400, 404, 409, 413, 415),
        body={JSON: ref("RecallAcknowledgement")},
    ),
}
