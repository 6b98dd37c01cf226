"""Events over HTTP: one in, synchronously; queries out (EPCIS 2.0, sections 12.6 and 12.7)."""

from urllib.parse import quote

from django.http import HttpResponse, JsonResponse
from rest_framework.request import Request

from ledger import api as ledger
from traceability.capture import event_hashes
from traceability.capture import selectors as captured
from traceability.capture import services as capture
from traceability.capture.models import PublishedEvent
from traceability.common.problems import ProblemError
from traceability.epcis import document
from traceability.epcis.event_hash import event_hash
from traceability.visibility.rules import visible_events

from . import answers, bodies, gs1_headers, problems, rendering
from .epcis_base import EpcisView
from .queried import queried

PUBLISH_WAIT_SECONDS = 1.0
MAX_IDEMPOTENCY_KEY = 128


class Events(EpcisView):
    """One event in, synchronously; queries out."""

    media_types = rendering.QUERY_DOCUMENT

    def post(self, request: Request) -> JsonResponse:
        event = capture.parse_event(bodies.read(request))
        key = request.headers.get("Idempotency-Key", "")
        if len(key) > MAX_IDEMPOTENCY_KEY:
            raise ProblemError(400, "idempotency-key", f"Idempotency-Key has at most {MAX_IDEMPOTENCY_KEY} characters")
        extensions = gs1_headers.extensions(request)
        accepted = capture.accept_events([event], reporter=self.party(), idempotency_key=key, extensions=extensions)[0]
        location = f"{request.path}/{quote(accepted.event_id, safe=':')}"
        if accepted.already_recorded and not self._is_retry(accepted, key):
            detail = f"{accepted.event_id} is recorded already"
            raise ProblemError(
                409, "already-recorded", detail, "ResourceAlreadyExistsException", headers={"Location": location}
            )
        kept = {**document.bare(event, document.outer_context({}, extensions)), "eventID": accepted.event_id}
        headers = {
            "Location": location,
            "Dosetrail-Event-Hash": event_hash(kept),
            "Dosetrail-Statement-Hash": accepted.statement_hash,
        }
        if not ledger.wait_published([accepted.statement_hash], PUBLISH_WAIT_SECONDS):
            headers["Dosetrail-State"] = "submitted"
        return JsonResponse(kept, status=201, headers=headers)

    def _is_retry(self, accepted: capture.Accepted, key: str) -> bool:
        first = captured.captured(self.party().uri, accepted.event_id, accepted.declaration)
        return bool(key) and first is not None and first.idempotency_key == key

    def get(self, request: Request) -> HttpResponse:
        return queried(request, self.party())


class Event(EpcisView):
    """Every visible event of an ID, given or computed (event hash): the original and its error declarations."""

    media_types = rendering.QUERY_DOCUMENT

    def get(self, request: Request, event_id: str) -> HttpResponse:
        events = visible_events(PublishedEvent.objects.filter(index__in=event_hashes.indexes([event_id])), self.party())
        rows = list(events.order_by("index"))
        if not rows:
            raise problems.not_found("there is no such event")
        return rendering.query_document(request, answers.query_document(rows))
