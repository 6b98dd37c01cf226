"""The list of a party's capture jobs, newest first, in pages (EPCIS 2.0, section 12.6.1)."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import Q, QuerySet

from traceability.capture.models import CaptureJob

from . import paging


def page(
    jobs: QuerySet[CaptureJob], parameters: Mapping[str, Sequence[str]], *, holder: str
) -> tuple[list[CaptureJob], str | None]:
    """The page of capture jobs and the token of the next one; ProblemError names a bad parameter."""

    def behind(after: Any, limit: int, _chosen: Mapping[str, str]) -> list[CaptureJob]:
        found = jobs
        if after is not None:
            created_ms, last = after
            found = jobs.filter(Q(created_ms__lt=created_ms) | Q(created_ms=created_ms, id__lt=last))
        return list(found.order_by("-created_ms", "-id")[:limit])

    return paging.page(parameters, "jobs", behind, lambda job: [job.created_ms, job.id], holder=holder)
