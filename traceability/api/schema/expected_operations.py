"""The operations on despatch lists and orders, and on their comparison with the record."""

from rest_framework.views import APIView

from traceability.api import expected_views
from traceability.custody.sides import Standing, State
from traceability.exceptions import despatch_list, expected, overview
from traceability.exceptions.models import ExpectedList

from .build import Schema, answer, many, members, ref, text, whole, words
from .operation import JSON, Answer, Operation
from .parameters import PAGING, query

_TAG = "Expected lists"
_PAGED = {"Link": "Link", "GS1-Next-Page-Token-Expires": "GS1-Next-Page-Token-Expires"}
_COUNT = whole(minimum=0)
_SIDE = {"type": ["integer", "null"], "minimum": 0, "description": "Packs; null: nothing said so."}
_EPC = text("Digital Link, or URN of a 20-digit code.")
_GTIN = text("8, 12, 13 or 14 digits.", format="gtin", pattern="^[0-9]{8,14}$")
_SAID = {
    "lot": text(maxLength=20, format="lot"),
    "expiry": text("Last valid day, YYYY-MM-DD or YYMMDD.", format="expiry"),
}
_LINES: list[Schema] = [
    members(
        {"code": text("As scanners read it.", format="code", maxLength=despatch_list.MAX_LINE)},
        ["code"],
        "A pack, case or pallet.",
    ),
    members({"gtin": _GTIN, "serial": text(minLength=1, maxLength=20, format="document"), **_SAID}, ["gtin", "serial"]),
    members(
        {"gtin": _GTIN, "quantity": whole("Packs.", minimum=1, maximum=despatch_list.MAX_QUANTITY), **_SAID},
        ["gtin", "quantity"],
        "Packs without serial numbers; the one form of an order.",
    ),
    members({"sscc": text("18 digits.", format="sscc-digits", pattern="^[0-9]{18}$")}, ["sscc"]),
]

COMPONENTS: dict[str, Schema] = {
    "NewExpectedList": members(
        {"lines": {**many({"anyOf": _LINES}), "minItems": 1}},
        ["lines"],
        f"At most {despatch_list.MAX_LINES} lines; none names what another names.",
    ),
    "ExpectedList": answer(
        {
            "listID": whole(minimum=1),
            "kind": words(ExpectedList.Kind.values),
            "document": text("URI of the despatch advice or order."),
            "partner": {"type": ["string", "null"], "description": "URI of the supplier."},
            "lines": whole(minimum=1),
            "sha256": text("Of the body as it was given."),
            "storedAt": ref("DateTime"),
        }
    ),
    "ExpectedLists": many(ref("ExpectedList")),
    "ExpectedLine": {
        "anyOf": [
            answer({"epc": _EPC, "lot": text("'' = not said."), "expiry": text("ISO 8601; '' = not said.")}),
            answer({"gtin": text(), "lot": text(), "expiry": text(), "quantity": whole(minimum=1)}),
        ]
    },
    "ExpectedLines": many(ref("ExpectedLine")),
    "Comparison": answer(
        {
            "document": text("URI of the despatch advice or order."),
            "state": words(tuple(Standing)),
            "sender": text("URI; '' = not known."),
            "receiver": text("URI."),
            "shippedAt": ref("DateTime"),
            "receivedAt": ref("DateTime"),
            "advice": {"type": ["integer", "null"], "description": "listID of the despatch list of this number."},
            "order": {"type": ["integer", "null"], "description": "listID of the order of this number."},
            "asOf": whole("The last log entry that was read."),
            "current": {"type": "boolean", "description": "Whether it reaches to the end of the log."},
            "counts": answer(dict.fromkeys(overview.PARTS, _COUNT), description="Rows of each part."),
        },
        optional=("shippedAt", "receivedAt"),
    ),
    "ComparisonRows": many(
        {
            "anyOf": [
                answer(
                    {
                        "epc": _EPC,
                        "state": words(tuple(State)),
                        "expected": _COUNT,
                        "received": _COUNT,
                        "missing": _COUNT,
                        "surplus": _COUNT,
                        "parts": many(text(), f"What was received of it, the first {overview.MAX_PARTS}."),
                        "moreParts": _COUNT,
                        "absent": many(text(), f"What was not, the first {overview.MAX_PARTS}."),
                        "moreAbsent": _COUNT,
                    },
                    description="Of `lines`; counts are of packs.",
                ),
                answer(
                    {"gtin": text(), "lot": text(), "expected": _COUNT, "received": _COUNT}, description="Of `lots`."
                ),
                answer(
                    {
                        "gtin": text("'' = not known."),
                        **dict.fromkeys(("ordered", "advised", "despatched"), _SIDE),
                        **dict.fromkeys(("received", "short", "over"), _COUNT),
                    },
                    description="Of `products`.",
                ),
                answer({"epc": _EPC}, description="Of the others: the despatch list against the record."),
            ]
        }
    ),
}
_NUMBER = text("Of the despatch advice or order.", minLength=1, maxLength=expected.MAX_NUMBER, format="document")
_KIND = words(ExpectedList.Kind.values)

OPERATIONS: dict[tuple[type[APIView], str], Operation] = {
    (expected_views.ExpectedLists, "GET"): Operation(
        "listExpectedLists",
        _TAG,
        "The caller's despatch lists and orders",
        {200: Answer("A page, newest first.", {JSON: ref("ExpectedLists")}, _PAGED)},
        refusals=(400,),
        parameters=(query("kind", _KIND), query("number", _NUMBER), *PAGING),
    ),
    (expected_views.ExpectedLists, "POST"): Operation(
        "postExpectedList",
        _TAG,
        "Say what to expect",
        {
            200: Answer("It took the place of the earlier one of this kind and number.", {JSON: ref("ExpectedList")}),
            201: Answer("Kept.", {JSON: ref("ExpectedList")}),
        },
        "A despatch list of a supplier (`advice`) or an order of the caller's own. As CSV or text: docs/shipments-and-"
        "exceptions.md. All of it is kept or, with one fault, none.",
        (400, 413, 415, 507),
        (
            {**query("kind", _KIND), "required": True},
            {**query("number", _NUMBER), "required": True},
            query("partner", text(minLength=1, format="other-party"), "The supplier: party id, or GLN as URI."),
        ),
        {JSON: ref("NewExpectedList"), "text/csv": text(format="list-csv"), "text/plain": text(format="list-codes")},
    ),
    (expected_views.ExpectedListView, "GET"): Operation(
        "getExpectedList", _TAG, "One list", {200: Answer("It.", {JSON: ref("ExpectedList")})}, refusals=(404,)
    ),
    (expected_views.Lines, "GET"): Operation(
        "listExpectedLines",
        _TAG,
        "What a list names",
        {200: Answer("A page.", {JSON: ref("ExpectedLines")}, _PAGED)},
        refusals=(400, 404),
        parameters=PAGING,
    ),
    (expected_views.Comparison, "GET"): Operation(
        "getComparison",
        _TAG,
        "The shipment of a list's number beside the record",
        {200: Answer("Where it stands, and how many rows each part has.", {JSON: ref("Comparison")})},
        "A large one is compared ahead of the answer: 503 `comparison-pending` until it is.",
        (404, 503),
    ),
    (expected_views.ComparisonPart, "GET"): Operation(
        "listComparisonRows",
        _TAG,
        "Line by line, by lot or product, or what differs",
        {200: Answer("A page; what differs comes first.", {JSON: ref("ComparisonRows")}, _PAGED)},
        refusals=(400, 404, 503),
        parameters=PAGING,
    ),
}
