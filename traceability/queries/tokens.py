"""Tokens of next pages: signed, running out, and good for the one who got them only."""

from typing import Any

from django.core import signing

from traceability.common.problems import ProblemError

from .event_query import bad_parameter

PARAMETER = "nextPageToken"
SECONDS = 3600


def issue(kind: str, holder: str, content: Any) -> str:
    """The token that goes on with `content`, a JSON value, in the list `kind`, for `holder` (a party URI)."""
    return signing.dumps([holder, content], salt=f"dosetrail.{kind}-page", compress=True)


def read(kind: str, holder: str, token: str) -> Any:
    """The content of a token; ProblemError 400 for one that is not ours, of another list or holder, or past."""
    try:
        owner, content = signing.loads(token, salt=f"dosetrail.{kind}-page", max_age=SECONDS)
    except signing.BadSignature as error:
        raise no_token() from error
    if owner != holder:
        raise no_token()
    return content


def no_token() -> ProblemError:
    """400: not a token that leads on from here."""
    return bad_parameter(PARAMETER, "is not a token of yours, or has run out: ask the query again")
