"""Capture over HTTP: documents in, the party's jobs out (EPCIS 2.0, section 12.5)."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpResponse, JsonResponse
from django.urls import reverse
from rest_framework.request import Request

from traceability.capture import jobs, refusals
from traceability.capture import selectors as captured
from traceability.capture.intake import Terms
from traceability.capture.models import CaptureJob
from traceability.queries import job_list

from . import answers, bodies, gs1_headers, problems
from .epcis_base import EpcisView


class Capture(EpcisView):
    """Documents in; the party's jobs out."""

    def post(self, request: Request) -> JsonResponse:
        terms = Terms(self.party(), gs1_headers.error_behaviour(request), gs1_headers.extensions(request))
        with bodies.document(request) as (upload, media):
            job = jobs.accept(upload, terms, media=media)
        body = {"captureID": job.id} | ({"receipt": job.receipt} if job.receipt else {})
        return JsonResponse(body, status=202, headers={"Location": f"{request.path}/{job.id}"})

    def get(self, request: Request) -> HttpResponse:
        holder = self.party().uri
        # A receipt names every statement: the job itself has it, the list does not.
        own = CaptureJob.objects.filter(reporter=holder).defer("receipt")
        rows, token = job_list.page(own, answers.parameters(request), holder=holder)
        unfinished = captured.unfinished(rows)
        response = JsonResponse([_job(job, running=job.id in unfinished) for job in rows], safe=False)
        return answers.with_next(response, request, token)


class CaptureJobView(EpcisView):
    """One capture job of the party."""

    def get(self, request: Request, job_id: str) -> JsonResponse:
        job = captured.job(job_id, reporter=self.party().uri)
        if job is None:
            raise problems.not_found("there is no such capture job")
        receipt = {"receipt": job.receipt} if job.receipt else {}
        body = {**_job(job, running=bool(captured.unfinished([job]))), **receipt}
        return JsonResponse(body, headers={"GS1-Capture-Error-Behaviour": job.error_behaviour})


def _job(job: CaptureJob, *, running: bool) -> Mapping[str, Any]:
    body: dict[str, Any] = {
        "captureID": job.id,
        "createdAt": answers.time_text(job.created_ms),
        "running": running,
        "success": not job.errors,
        "captureErrorBehaviour": job.error_behaviour,
        "errors": [_problem(job, error) for error in job.errors],
        "events": job.event_count,
        "alreadyRecorded": job.already_recorded,
    }
    if not running:
        body["finishedAt"] = answers.time_text(job.finished_ms or job.created_ms)
    if job.waiting:
        body["progress"] = job.progress
    return body


def _problem(job: CaptureJob, error: Mapping[str, Any]) -> Mapping[str, Any]:
    """A fault as RFC 7807 wants it, with the event's index and the pointer to the field beside it."""
    status, kind = refusals.kind_of(error["code"])
    where = "" if error["event"] is None else f"event {error['event']}, "
    return {
        "type": f"epcisException:{kind}",
        "title": kind,
        "status": status,
        "detail": f"{where}{error['pointer'] or '/'}: {error['message']}",
        "instance": reverse("epcis:capture-job", args=[job.id]),
        **error,
    }
