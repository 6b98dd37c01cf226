"""Capture over HTTP: documents in, the party's jobs out (EPCIS 2.0, section 12.5)."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpResponse, JsonResponse
from rest_framework.request import Request

from traceability.capture import selectors as captured
from traceability.capture import services as capture
from traceability.capture.models import CaptureJob
from traceability.common.problems import ProblemError
from traceability.queries import job_list

from . import answers, bodies, problems
from .epcis_base import EpcisView

ERROR_BEHAVIOURS = ("rollback", "proceed")


class Capture(EpcisView):
    """Documents in; the party's jobs out."""

    def post(self, request: Request) -> JsonResponse:
        behaviour = request.headers.get("GS1-Capture-Error-Behaviour", "rollback")
        if behaviour not in ERROR_BEHAVIOURS:
            raise ProblemError(400, "error-behaviour", "GS1-Capture-Error-Behaviour is rollback or proceed")
        job = capture.accept_document(bodies.read(request), reporter=self.party(), error_behaviour=behaviour)
        body = {"captureID": job.id, "receipt": job.receipt}
        return JsonResponse(body, status=202, headers={"Location": f"{request.path}/{job.id}"})

    def get(self, request: Request) -> HttpResponse:
        holder = self.party().uri
        jobs = CaptureJob.objects.filter(reporter=holder)
        rows, token = job_list.page(jobs, answers.parameters(request), holder=holder)
        unfinished = captured.unfinished(rows)
        response = JsonResponse([_job(job, running=job.id in unfinished) for job in rows], safe=False)
        return answers.with_next(response, request, token)


class CaptureJobView(EpcisView):
    """One capture job of the party."""

    def get(self, request: Request, job_id: str) -> JsonResponse:
        job = captured.job(job_id, reporter=self.party().uri)
        if job is None:
            raise problems.not_found("there is no such capture job")
        return JsonResponse(_job(job, running=bool(captured.unfinished([job]))))


def _job(job: CaptureJob, *, running: bool) -> Mapping[str, Any]:
    body: dict[str, Any] = {
        "captureID": job.id,
        "createdAt": answers.time_text(job.created_ms),
        "running": running,
        "success": not job.errors,
        "captureErrorBehaviour": job.error_behaviour,
        "errors": job.errors,
        "events": job.event_count,
        "alreadyRecorded": job.already_recorded,
        "receipt": job.receipt,
    }
    return body
