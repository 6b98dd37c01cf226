"""No room left: a refusal like any other (507), of which nothing is recorded, instead of a fault of ours."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import DatabaseError

from ledger import api as ledger

from .problems import ProblemError

CODE = "storage-full"
RETRY_SECONDS = 60


def problem() -> ProblemError:
    """The problem document: 507 with `Retry-After`."""
    detail = (
        "there is no room left to record anything here, and nothing of this was recorded. Keep it and send it again"
        " later; whoever runs this house must free space"
    )
    return ProblemError(507, CODE, detail, headers={"Retry-After": str(RETRY_SECONDS)})


@contextmanager
def refused() -> Iterator[None]:
    """Turn what the disk or the database says when it is full into the problem; also a decorator."""
    try:
        yield
    except (DatabaseError, OSError) as error:
        if ledger.is_full(error):
            raise problem() from error
        raise
