"""EPCIS 2.0 over HTTP: capture and simple event queries (EPCIS 2.0, section 12)."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.http import HttpResponse, JsonResponse
from rest_framework.request import Request
from rest_framework.views import APIView

from ledger import api as ledger
from traceability.capture import selectors as captured
from traceability.capture import services as capture
from traceability.capture.models import CaptureJob, PublishedEvent
from traceability.common.clock import now_ms
from traceability.common.problems import ProblemError
from traceability.epcis.context import DEFAULT_CONTEXT
from traceability.parties.models import Party
from traceability.visibility.rules import visible_events

from . import bodies, problems, queries
from .authentication import party_of

PUBLISH_WAIT_SECONDS = 1.0
MAX_IDEMPOTENCY_KEY = 128
ERROR_BEHAVIOURS = ("rollback", "proceed")


class EpcisView(APIView):
    """A view of the EPCIS binding: discovery headers on every answer; bodies are read as bytes."""

    parser_classes = ()

    def party(self) -> Party:
        """The reporting party."""
        return party_of(self.request)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        response = super().finalize_response(request, response, *args, **kwargs)
        response["GS1-EPCIS-Version"] = "2.0.0"
        response["GS1-CBV-Version"] = "2.0.0"
        response["GS1-Vendor-Version"] = "dosetrail/0.1"
        response["GS1-EPCIS-Capture-Limit"] = str(settings.CAPTURE_MAX_EVENTS)
        response["GS1-EPCIS-Capture-File-Size-Limit"] = str(settings.CAPTURE_MAX_BYTES)
        response["GS1-Capture-Error-Behaviour"] = "all"
        return response

    def options(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        return HttpResponse(status=204, headers={"Allow": ", ".join(self.allowed_methods)})


class TopLevel(EpcisView):
    """What this server has."""

    def get(self, request: Request) -> JsonResponse:
        return JsonResponse({"@context": DEFAULT_CONTEXT, "type": "Collection", "member": ["capture", "events"]})


class Missing(EpcisView):
    """Any other address below ours: the problem document that a machine expects, not a page."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        raise problems.not_found("there is nothing at this address")


class Capture(EpcisView):
    """Documents in; the party's jobs out."""

    def post(self, request: Request) -> JsonResponse:
        behaviour = request.headers.get("GS1-Capture-Error-Behaviour", "rollback")
        if behaviour not in ERROR_BEHAVIOURS:
            raise ProblemError(400, "error-behaviour", "GS1-Capture-Error-Behaviour is rollback or proceed")
        job = capture.accept_document(bodies.read(request), reporter=self.party(), error_behaviour=behaviour)
        body = {"captureID": job.id, "receipt": job.receipt}
        return JsonResponse(body, status=202, headers={"Location": f"{request.path}/{job.id}"})

    def get(self, request: Request) -> JsonResponse:
        jobs = CaptureJob.objects.filter(reporter=self.party().uri)
        rows, token = queries.jobs_page(jobs, _parameters(request))
        unfinished = captured.unfinished(rows)
        response = JsonResponse([_job(job, running=job.id in unfinished) for job in rows], safe=False)
        return _with_next(response, request, token)


class CaptureJobView(EpcisView):
    """One capture job of the party."""

    def get(self, request: Request, job_id: str) -> JsonResponse:
        job = captured.job(job_id, reporter=self.party().uri)
        if job is None:
            raise problems.not_found("there is no such capture job")
        return JsonResponse(_job(job, running=bool(captured.unfinished([job]))))


class Events(EpcisView):
    """One event in, synchronously; queries out."""

    def post(self, request: Request) -> JsonResponse:
        event = capture.parse_event(bodies.read(request))
        key = request.headers.get("Idempotency-Key", "")
        if len(key) > MAX_IDEMPOTENCY_KEY:
            raise ProblemError(400, "idempotency-key", f"Idempotency-Key has at most {MAX_IDEMPOTENCY_KEY} characters")
        accepted = capture.accept_events([event], reporter=self.party(), idempotency_key=key)[0]
        location = f"{request.path}/{quote(accepted.event_id, safe=':')}"
        if accepted.already_recorded and not self._is_retry(accepted, key):
            detail = f"{accepted.event_id} is recorded already"
            raise ProblemError(
                409, "already-recorded", detail, "ResourceAlreadyExistsException", headers={"Location": location}
            )
        published = ledger.wait_published([accepted.statement_hash], PUBLISH_WAIT_SECONDS)
        headers = {"Location": location} | ({} if published else {"Dosetrail-State": "submitted"})
        body = {"eventID": accepted.event_id, "statementHash": accepted.statement_hash}
        return JsonResponse(body, status=201, headers=headers)

    def _is_retry(self, accepted: capture.Accepted, key: str) -> bool:
        first = captured.captured(self.party().uri, accepted.event_id, accepted.declaration)
        return bool(key) and first is not None and first.idempotency_key == key

    def get(self, request: Request) -> JsonResponse:
        events = visible_events(PublishedEvent.objects.all(), self.party())
        page = queries.page(events, _parameters(request))
        return _with_next(JsonResponse(_query_document(page.rows)), request, page.next_token)


class Event(EpcisView):
    """Every visible event of an ID: the original and its error declarations."""

    def get(self, request: Request, event_id: str) -> JsonResponse:
        events = visible_events(PublishedEvent.objects.filter(event_id=event_id), self.party())
        rows = list(events.order_by("index"))
        if not rows:
            raise problems.not_found("there is no such event")
        return JsonResponse(_query_document(rows))


def _parameters(request: Request) -> dict[str, list[str]]:
    return {name: request.query_params.getlist(name) for name in request.query_params}


def _with_next(response: JsonResponse, request: Request, token: str | None) -> JsonResponse:
    if token:
        url = request.build_absolute_uri(f"{request.path}?nextPageToken={token}")
        response["Link"] = f'<{url}>; rel="next"'
        response["GS1-Next-Page-Token-Expires"] = _time(now_ms() + queries.TOKEN_SECONDS * 1000)
    return response


def _query_document(rows: Sequence[PublishedEvent]) -> dict[str, Any]:
    bodies_by_index = captured.bodies([row.index for row in rows])
    events = [
        {**bodies_by_index[row.index], "recordTime": _time(row.record_time_ms)}
        for row in rows
        if row.index in bodies_by_index
    ]
    return {
        "@context": [DEFAULT_CONTEXT],
        "type": "EPCISQueryDocument",
        "schemaVersion": "2.0",
        "creationDate": _time(now_ms()),
        "epcisBody": {"queryResults": {"queryName": "SimpleEventQuery", "resultsBody": {"eventList": events}}},
    }


def _job(job: CaptureJob, *, running: bool) -> Mapping[str, Any]:
    body: dict[str, Any] = {
        "captureID": job.id,
        "createdAt": _time(job.created_ms),
        "running": running,
        "success": not job.errors,
        "captureErrorBehaviour": job.error_behaviour,
        "errors": job.errors,
        "events": job.event_count,
        "alreadyRecorded": job.already_recorded,
        "receipt": job.receipt,
    }
    return body


def _time(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
