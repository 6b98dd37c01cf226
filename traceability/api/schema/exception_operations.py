"""The operations on exceptions that partners ask the caller about."""

from rest_framework.views import APIView

from traceability.api import exception_views
from traceability.exceptions.models import ExceptionItem
from traceability.exceptions.services import MAX_COMMENT

from .build import Schema, answer, many, members, ref, text, whole, words
from .operation import JSON, Answer, Operation
from .parameters import PAGING

_TAG = "Exceptions"
_PAGED = {"Link": "Link", "GS1-Next-Page-Token-Expires": "GS1-Next-Page-Token-Expires"}

_EXCEPTION: dict[str, Schema] = {
    "exceptionID": text(),
    "reference": text("As people and messages name it."),
    "version": whole("Rises with every step that somebody takes.", minimum=0),
    "state": words(ExceptionItem.State.values),
    "kind": words(ExceptionItem.Kind.values),
    "party": text("URI of the party that asks."),
    "place": text("URI of where the goods are."),
    "despatch": text("URI of the despatch advice, '' = none is named."),
    "note": text("What that party says."),
    "goods": many(
        answer(
            {
                "epc": text(),
                "lot": text("As printed, '' where the code does not say."),
                "expiry": text("ISO date as printed, or ''."),
                "onHold": {"type": "boolean", "description": "Put on hold by this exception."},
            }
        )
    ),
    "openedAt": ref("DateTime"),
    "answerBy": ref("DateTime"),
    "askedAt": ref("DateTime"),
    "resolvedAt": ref("DateTime"),
}
_STEP = answer(
    {
        "at": ref("DateTime"),
        "state": words(ExceptionItem.State.values),
        "by": text("URI of the party, '' = this house, since what was missing has arrived."),
        "comment": text(),
    }
)
_LATER = ("resolvedAt",)

COMPONENTS: dict[str, Schema] = {
    "Exception": answer(_EXCEPTION, optional=_LATER),
    "Exceptions": many(ref("Exception"), "The one asked last first."),
    "ExceptionWithSteps": answer({**_EXCEPTION, "steps": many(_STEP, "Oldest first.")}, optional=_LATER),
    "ExceptionAnswer": members(
        {
            "version": whole("Of the exception that was read.", minimum=0),
            "comment": text("The answer.", minLength=1, maxLength=MAX_COMMENT, format="plain-text"),
        },
        ("version", "comment"),
    ),
}

OPERATIONS: dict[tuple[type[APIView], str], Operation] = {
    (exception_views.Exceptions, "GET"): Operation(
        "listExceptions",
        _TAG,
        "Exceptions that partners ask the caller about",
        {200: Answer("A page, the one asked last first.", {JSON: ref("Exceptions")}, _PAGED)},
        refusals=(400,),
        parameters=PAGING,
    ),
    (exception_views.ExceptionView, "GET"): Operation(
        "getException",
        _TAG,
        "One exception, with what was done",
        {200: Answer("What is asked, and where it stands.", {JSON: ref("ExceptionWithSteps")})},
        refusals=(404,),
    ),
    (exception_views.ExceptionAnswer, "POST"): Operation(
        "answerException",
        _TAG,
        "Answer an exception",
        {201: Answer("The exception as it stands now.", {JSON: ref("ExceptionWithSteps")})},
        "The party that asks reads it and decides. Sending or correcting missing data resolves an exception by itself.",
        (400, 404, 409, 413, 415),
        body={JSON: ref("ExceptionAnswer")},
    ),
}
