"""What every view of the EPCIS 2.0 binding shares (EPCIS 2.0, section 12)."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.http import HttpResponse, JsonResponse
from rest_framework.request import Request
from rest_framework.views import APIView

from traceability.epcis.context import DEFAULT_CONTEXT
from traceability.parties.models import Party
from traceability.queries.collections import COLLECTIONS

from . import gs1_headers, problems, rendering
from .authentication import party_of


class EpcisView(APIView):
    """A view of the EPCIS binding: discovery headers on every answer; bodies are read as bytes."""

    parser_classes = ()
    content_negotiation_class = rendering.EpcisNegotiation
    media_types: Sequence[str] = rendering.JSON

    def party(self) -> Party:
        """The reporting party."""
        return party_of(self.request)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if request.method in self.allowed_methods:  # any other is 405, whatever version it speaks
            gs1_headers.require_versions(request)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        response = super().finalize_response(request, response, *args, **kwargs)
        response.setdefault("GS1-EPCIS-Version", "2.0.0")  # a query may be answered in 1.2
        response["GS1-CBV-Version"] = "2.0.0"
        response["GS1-Vendor-Version"] = "dosetrail/0.1"
        response["GS1-EPCIS-Capture-Limit"] = str(settings.CAPTURE_MAX_EVENTS)
        response["GS1-EPCIS-Capture-File-Size-Limit"] = str(settings.CAPTURE_MAX_BYTES)
        response.setdefault("GS1-Capture-Error-Behaviour", "all")  # a job says its own
        return response

    def options(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        """What there is to do here, and what this server speaks (section 12.4)."""
        return HttpResponse(status=204, headers={"Allow": ", ".join(self.allowed_methods), **gs1_headers.SPOKEN})


class TopLevel(EpcisView):
    """What this server has."""

    def get(self, request: Request) -> JsonResponse:
        members = ["queries", "capture", "events", *COLLECTIONS]
        return JsonResponse({"@context": DEFAULT_CONTEXT, "type": "Collection", "member": members})


class Missing(EpcisView):
    """Any other address below ours: the problem document that a machine expects, not a page."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        raise problems.not_found("there is nothing at this address")
