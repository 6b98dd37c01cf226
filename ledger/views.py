"""The log over HTTP: C2SP paths for machines, one page for people."""

from base64 import b64encode
from dataclasses import dataclass
from datetime import UTC, datetime

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.module_loading import import_string
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from . import api, reports
from . import content as contents
from .monitor import MAX_REPORT
from .tlog import merkle, tile
from .tlog.errors import TlogError

PAGE = 25
_TEXT = "text/plain; charset=utf-8"
_BYTES = "application/octet-stream"
_FOREVER = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class Link:
    """One checkpoint of the page, and what comparing it with the one before gave."""

    size: int
    added: int  # entries since the one before
    root: str
    note: str
    time: datetime
    before: int | None  # size of the checkpoint before; None for the first
    contains_before: bool
    proof_length: int


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """The chain of checkpoints, each compared with the one before."""
    try:
        before = int(request.GET["before"]) if request.GET.get("before", "").isdecimal() else None
        shown = api.checkpoints(PAGE + 1, before=before)
        vkey, log_keys = api.vkey(), api.vkeys()
    except (api.NotInitialisedError, OverflowError):
        shown, vkey, log_keys = [], "", []
    latest = api.latest_checkpoint()
    context = {
        "vkey": vkey,
        "log_keys": log_keys,
        "latest": latest,
        "latest_time": _time(latest.time_ms) if latest else None,
        "links": [_link(item, shown[place + 1 :]) for place, item in enumerate(shown[:PAGE])],
        "older": shown[PAGE - 1].size if len(shown) > PAGE else None,
        "is_first_page": before is None,
        "entries_public": settings.LOG_ENTRIES_PUBLIC,
        "final_size": api.final_size(),
        "signed": api.cosigned_note(latest) if latest else "",
    }
    return render(request, "log/page.html", context)


@require_safe
def checkpoint(request: HttpRequest) -> HttpResponse:
    """The newest published checkpoint, with the lines of the witnesses that cosigned it so far."""
    latest = api.latest_checkpoint()
    if latest is None:
        raise Http404
    response = HttpResponse(api.cosigned_note(latest), content_type=_TEXT)
    response["Cache-Control"] = "public, max-age=1"
    return _open_to_all(response)


@require_safe
def verifier_key(request: HttpRequest) -> HttpResponse:
    """The log's verifier key. An auditor compares it with the one in hand: who could change the log could change it."""
    try:
        text = api.vkey()
    except api.NotInitialisedError as error:
        raise Http404 from error
    return _open_to_all(HttpResponse(f"{text}\n", content_type=_TEXT))


@require_safe
def verifier_keys(request: HttpRequest) -> HttpResponse:
    """All keys that are or were the log's, newest first: vkey, first tree size that it signs, first it does not."""
    try:
        periods = api.vkeys()
    except api.NotInitialisedError as error:
        raise Http404 from error
    lines = [f"{one.vkey} {one.from_size} {'-' if one.until_size is None else one.until_size}\n" for one in periods]
    return _open_to_all(HttpResponse("".join(lines), content_type=_TEXT))


@require_safe
def tile_at(request: HttpRequest, path: str) -> HttpResponse:
    """A hash tile, or an entry bundle for those who may read entries."""
    try:
        name = tile.parse_path(path)
    except TlogError as error:
        raise Http404 from error
    everybodys = name.level != tile.ENTRIES or settings.LOG_ENTRIES_PUBLIC
    if not everybodys and not _is_member(request):
        raise Http404
    data = api.tile(name)
    if data is None:
        raise Http404
    response = HttpResponse(data, content_type=_BYTES)
    response["Cache-Control"] = _FOREVER if everybodys else "private, no-store"
    return _open_to_all(response) if everybodys else response


@csrf_exempt
@require_POST
def content(request: HttpRequest) -> HttpResponse:
    """Content of entries for a follower, as far as its house may see it (settings.LOG_CONTENT_READER names how)."""
    try:
        asked = contents.parse_request(request.read(contents.MAX_REQUEST + 1))
    except contents.ContentError as error:
        return HttpResponse(f"{error}\n", status=400, content_type=_TEXT)
    path = getattr(settings, "LOG_CONTENT_READER", "")
    readable = import_string(path)(request, asked) if path else None
    if readable is None:
        return HttpResponse(status=401, headers={"WWW-Authenticate": 'Bearer realm="dosetrail"'})
    places = api.positions(asked)
    found = (
        (name, contents.Content(places[name].record_time_ms, body, secret))
        for name, body, secret in readable
        if name in places
    )
    response = HttpResponse(contents.format_answer(found), content_type="application/json")
    response["Cache-Control"] = "private, no-store"
    return response


@csrf_exempt
@require_POST
def take_report(request: HttpRequest) -> HttpResponse:
    """Take a signed monitor report: 201 kept, 200 known already, 403 not signed by a witness of our policy."""
    data = request.read(MAX_REPORT + 1)
    if len(data) > MAX_REPORT:
        return HttpResponse(f"a report has at most {MAX_REPORT} bytes\n", status=413, content_type=_TEXT)
    try:
        new = reports.receive(data)
    except TlogError as error:
        return HttpResponse(f"{error}\n", status=403, content_type=_TEXT)
    return HttpResponse("kept\n", status=201 if new else 200, content_type=_TEXT)


def _link(item: api.PublishedCheckpoint, older: list[api.PublishedCheckpoint]) -> Link:
    before = older[0] if older else None
    proof: list[bytes] = []
    contains = True
    if before is not None:
        try:
            proof = api.consistency(before.size, item.size)
            merkle.verify_consistency(before.size, item.size, root1=before.root, root2=item.root, proof=proof)
        except TlogError:
            contains = False
    return Link(
        size=item.size,
        added=item.size - (before.size if before else 0),
        root=b64encode(item.root).decode(),
        note=item.note,
        time=_time(item.time_ms),
        before=before.size if before else None,
        contains_before=contains,
        proof_length=len(proof),
    )


def _is_member(request: HttpRequest) -> bool:
    """Whether the house that runs this log lets the caller read entries (settings.LOG_ENTRIES_READER names how)."""
    path = getattr(settings, "LOG_ENTRIES_READER", "")
    return bool(path) and bool(import_string(path)(request))


def _time(time_ms: int) -> datetime:
    return datetime.fromtimestamp(time_ms // 1000, UTC)


def _open_to_all(response: HttpResponse) -> HttpResponse:
    """Any page anywhere may read the public log: that is what it is for."""
    response["Access-Control-Allow-Origin"] = "*"
    return response
