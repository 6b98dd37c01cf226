"""EPCIS files by hand: upload one, see what is wrong with it, event by event, and what became of it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache

from traceability.capture import jobs, uploads
from traceability.capture import selectors as captured
from traceability.capture.intake import ERROR_BEHAVIOURS, ROLLBACK, Terms
from traceability.capture.models import CaptureJob
from traceability.common.problems import ProblemError
from traceability.parties.models import Member
from traceability.web.shared import names

from .access import member_view
from .problems import Error, worded

SHOWN_JOBS = 50
# What kind of fault codes stand for; the validator's own words, in English, stand beside it.
_WORDS: Sequence[tuple[Promise, str]] = (
    (gettext_lazy("Something is missing"), "missing no-object empty context-missing"),
    (gettext_lazy("A field that EPCIS does not have"), "unknown-field"),
    (gettext_lazy("A word that the standard does not have"), "unknown-term custom-term cbv-urn"),
    (gettext_lazy("A type of event or document that EPCIS does not have"), "event-type document-type"),
    (gettext_lazy("A prefix or context that cannot be used"), "context context-unknown context-protected"),
    (gettext_lazy("A prefix that nothing declares"), "prefix-undeclared"),
    (gettext_lazy("Not a date or time"), "date-time date time-zone-offset"),
    (gettext_lazy("Lies in the future"), "future-event"),
    (gettext_lazy("Sensor times that do not fit"), "sensor-time"),
    (gettext_lazy("Both a sensor value and statistics"), "sensor-value"),
    (gettext_lazy("Stands twice"), "duplicate sensor-twice"),
    (gettext_lazy("A value of the wrong kind"), "type number hexadecimal schema-version"),
    (gettext_lazy("Not a possible amount"), "quantity"),
    (gettext_lazy("Not a unit code"), "uom"),
    (gettext_lazy("A character that cannot be recorded"), "control-character"),
    (gettext_lazy("Not a valid identifier"), "uri"),
    (gettext_lazy("A wrong check digit"), "gs1-check-digit"),
    (gettext_lazy("Too long or too short"), "length"),
    (gettext_lazy("Product data (ilmd) that only action ADD may have"), "ilmd-action"),
    (gettext_lazy("Corrective events for what did not occur"), "corrective-ids"),
    (gettext_lazy("The event ID stands for another event"), "event-id-reused"),
    (gettext_lazy("Content that cannot be signed"), "claims"),
    (gettext_lazy("More faults, not listed"), "more more-faults"),
    (gettext_lazy("The file is too large"), "too-large capture-limit"),
    (gettext_lazy("There is no key to sign with"), "no-signing-key"),
    (gettext_lazy("This system broke off: send the file again"), "spool-lost attempts"),
)
_KINDS: Mapping[str, Promise] = {code: words for words, codes in _WORDS for code in codes.split()}
# The reason why an identifier of GS1, or a file, cannot be read is in the words beside it.
_FAMILIES: Mapping[str, Promise] = {
    "gs1-": gettext_lazy("Not a valid identifier"),
    "xml-": gettext_lazy("The file cannot be read"),
    "json-": gettext_lazy("The file cannot be read"),
}


@never_cache
@member_view
def documents(request: HttpRequest, member: Member) -> HttpResponse:
    """The upload form above the party's jobs; POST takes a file."""
    return _upload(request, member) if request.method == "POST" else _page(request, member)


@never_cache
@member_view
def document(request: HttpRequest, member: Member, job_id: str) -> HttpResponse:
    """One job of the party: how far it is, what became of it, what was left out and why."""
    job = captured.job(job_id, reporter=member.party.uri)
    if job is None:
        raise Http404
    context = {"member": member, "section": "documents", "faults": _faults(job.errors), "row": _row(job, member)}
    return render(request, "portal/document.html", context)


def _upload(request: HttpRequest, member: Member) -> HttpResponse:
    given = request.FILES.get("file")
    behaviour = request.POST.get("behaviour", ROLLBACK)
    if given is None or behaviour not in ERROR_BEHAVIOURS:
        return _page(request, member, [Error("file", _("Choose an EPCIS file."))], status=400)
    try:
        with uploads.received(given.chunks()) as upload:
            job = jobs.accept(upload, Terms(member.party, behaviour), media=_media(given))
    except ProblemError as problem:
        count = len(problem.errors)
        said = Error("file", _("{count} faults; they are listed below.").format(count=count)) if count else None
        errors = [said or replace(worded(problem.code, problem.detail, "file"), field="file")]
        return _page(request, member, errors, faults=problem.errors, status=problem.status)
    return redirect("portal:document", job_id=job.id)


def _media(given: "UploadedFile[Any]") -> str:
    """XML or JSON, by how the file begins: what a partner calls it says little."""
    given.seek(0)
    begins = given.read(64).removeprefix(b"\xef\xbb\xbf").removeprefix(b"\xff\xfe").removeprefix(b"\xfe\xff")
    given.seek(0)
    return jobs.XML if begins.lstrip(b" \t\r\n\0").startswith(b"<") else jobs.JSON


def _page(
    request: HttpRequest,
    member: Member,
    errors: Sequence[Error] = (),
    *,
    faults: Sequence[Mapping[str, Any]] = (),
    status: int = 200,
) -> HttpResponse:
    own = CaptureJob.objects.filter(reporter=member.party.uri).defer("receipt").order_by("-created_ms", "-id")
    found = list(own[:SHOWN_JOBS])
    context = {
        "member": member,
        "section": "documents",
        "errors": errors,
        "faults": _faults(faults),
        "behaviour": request.POST.get("behaviour", ROLLBACK),
        "rows": [_row(job, member) for job in found],
    }
    return render(request, "portal/documents.html", context, status=status)


def _row(job: CaptureJob, member: Member) -> dict[str, Any]:
    """A job in people's words; `tone` is the colour of its state, `waits` whether looking again helps."""
    if job.waiting:
        state, tone = _("Being judged"), "unknown"
    elif job.failed:
        state, tone = _("Refused: nothing was recorded"), "danger"
    elif job.errors:
        state, tone = _("Recorded in part"), "warn"
    else:
        state, tone = _("Recorded"), "ok"
    when = names.moment(job.created_ms, names.zone_of(member))
    return {"job": job, "state": state, "tone": tone, "when": when, "waits": job.waiting}


def _faults(errors: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """One line for each fault: the event counted from 1, the field within it, the kind, the validator's words."""
    return [
        {
            "event": None if error.get("event") is None else error["event"] + 1,
            "field": str(error.get("pointer", "")).rpartition("/eventList/")[2].partition("/")[2]
            or str(error.get("pointer", "")).lstrip("/"),
            "kind": kind_of(error["code"]) or _("Not as the standard wants it"),
            "message": error["message"],
        }
        for error in errors
    ]


def kind_of(code: str) -> Promise | None:
    """What kind of fault a code stands for, in people's words; None for a code that has none."""
    families = (words for family, words in _FAMILIES.items() if code.startswith(family))
    return _KINDS.get(code) or next(families, None)
