"""The plain scan API: codes as scanned, a step, a place."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpResponse, JsonResponse
from django.utils.http import content_disposition_header
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.views import APIView

from ledger import api as ledger
from traceability.capture import device_signed
from traceability.coldchain import originals
from traceability.coldchain import selectors as coldchain_files
from traceability.coldchain import services as coldchain
from traceability.coldchain.loggers.model import LoggerError
from traceability.common.clock import now_ms
from traceability.common.problems import ProblemError, pointer
from traceability.parties import selectors as parties
from traceability.parties.models import Site
from traceability.scans import services as scans
from traceability.scans.preflight import Preflight as PreflightAnswer

from . import bodies, problems
from .authentication import party_of

MAX_STATEMENTS = 1000
_MEMBERS = {"step", "codes", "place", "details", "nonce", "override_reason"}


class Preflight(APIView):
    """What speaks against a step; records nothing."""

    parser_classes = ()

    def post(self, request: Request) -> JsonResponse:
        call = _call(bodies.read_object(request))
        answer = scans.preflight(
            party=party_of(request),
            step=call["step"],
            codes=call["codes"],
            place=call["place"],
            details=call["details"],
        )
        return JsonResponse(_preflight(answer))


class Scans(APIView):
    """Records a step."""

    parser_classes = ()

    def post(self, request: Request) -> JsonResponse:
        call = _call(bodies.read_object(request))
        recorded = scans.record(party=party_of(request), **call)
        body = {
            "eventIDs": recorded.event_ids,
            "statementHashes": recorded.statement_hashes,
            "preflight": _preflight(recorded.preflight),
        }
        return JsonResponse(body, status=201)


class Statements(APIView):
    """Events that a device of the party has signed itself: `{"statements": [{event, secret, statement}, …]}`."""

    parser_classes = ()

    def post(self, request: Request) -> JsonResponse:
        body = bodies.read_object(request)
        items = body.get("statements")
        if set(body) != {"statements"} or not isinstance(items, list) or not 1 <= len(items) <= MAX_STATEMENTS:
            raise ProblemError(
                400, "statements", f"send a list of 1 to {MAX_STATEMENTS} items as statements", pointer="/statements"
            )
        accepted = device_signed.accept_statements(items, reporter=party_of(request))
        receipt = ledger.submission_receipt([one.statement_hash for one in accepted], now_ms())
        answer = [
            {
                "eventID": one.event_id,
                "statementHash": one.statement_hash,
                "alreadyRecorded": one.already_recorded,
            }
            for one in accepted
        ]
        return JsonResponse({"statements": answer, "receipt": receipt}, status=202)


class LoggerFiles(APIView):
    """A temperature logger's file: multipart with `file`, `holder` or `site`, `time_zone`."""

    parser_classes = (MultiPartParser,)

    def post(self, request: Request) -> JsonResponse:
        upload = request.FILES.get("file")
        if upload is None:
            raise _of_part("file", 400, "file-missing", "send the logger's file as the part named file")
        site = self._site(request)
        try:
            kept = coldchain.upload(
                content=upload.read(),
                filename=upload.name or "logger",
                party=party_of(request),
                holder_epc=request.POST.get("holder") or None,
                site=site,
                time_zone=request.POST.get("time_zone") or None,
            )
        except LoggerError as error:
            raise ProblemError(
                400, error.code, str(error), errors=[{"field": getattr(error, "field", "file"), "message": str(error)}]
            ) from error
        body = {"sha256": kept.sha256, "statementHash": kept.statement_hash, "eventID": kept.event_id}
        return JsonResponse(body | {"readings": kept.readings, "signature": kept.signature}, status=201)

    def _site(self, request: Request) -> Site | None:
        value = request.POST.get("site")
        if not value:
            return None
        site = parties.site_by_uri(value) or Site.objects.filter(id=value).first()
        if site is None or site.party_id != party_of(request).id:
            raise _of_part("site", 403, "not-your-place", f"{value!r} is not a place of this party")
        return site


class LoggerFile(APIView):
    """The original bytes of a logger file, to who uploaded it and to the regulator."""

    def get(self, request: Request, sha256: str) -> HttpResponse:
        held = coldchain_files.file_by_hash(sha256, party=party_of(request))
        if held is None:
            raise problems.not_found("there is no such logger file")
        try:
            content = originals.load(held.sha256)
        except originals.OriginalError as error:
            raise ProblemError(410, "original-lost", str(error)) from error
        response = HttpResponse(content, content_type="application/octet-stream")
        response["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=held.filename)
        return response


def _of_part(name: str, status: int, code: str, detail: str) -> ProblemError:
    """What is wrong with a part of a multipart form."""
    return ProblemError(status, code, detail, errors=[{"field": name, "code": code, "message": detail}])


def _call(body: Mapping[str, Any]) -> dict[str, Any]:
    """The call's members, each of its type; ProblemError names the one that is not."""
    unknown = set(body) - _MEMBERS
    if unknown:
        name = sorted(unknown)[0]
        raise ProblemError(400, "unknown-member", f"{name!r} is not a member of this call", pointer=pointer(name))
    codes, details = body.get("codes"), body.get("details", {})
    if not isinstance(codes, list) or not all(isinstance(code, str) for code in codes):
        raise ProblemError(400, "codes", "codes must be a list of texts as scanned", pointer="/codes")
    if not isinstance(details, dict) or not all(isinstance(value, str) for value in details.values()):
        raise ProblemError(400, "details", "details must be an object of texts", pointer="/details")
    for name in ("step", "place"):
        if not isinstance(body.get(name), str):
            raise ProblemError(400, name, f"{name} must be a text", pointer=pointer(name))
    call = {"step": body["step"], "place": body["place"], "codes": codes, "details": details}
    for name in ("nonce", "override_reason"):
        if name in body:
            if not isinstance(body[name], str):
                code = name.replace("_", "-")
                raise ProblemError(400, code, f"{name} must be a text", pointer=pointer(name))
            call[name] = body[name]
    return call


def _preflight(answer: PreflightAnswer) -> dict[str, Any]:
    return {
        "verdict": answer.verdict,
        "reasons": [
            {"verdict": one.verdict, "code": one.code, "text": str(one.text), "epc": one.epc} for one in answer.reasons
        ],
    }
