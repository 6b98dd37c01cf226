"""The log over HTTP: C2SP paths for machines, one page for people."""

from base64 import b64encode
from dataclasses import dataclass
from datetime import UTC, datetime

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from . import api
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
        vkey = api.vkey()
    except (api.NotInitialisedError, OverflowError):
        shown, vkey = [], ""
    latest = api.latest_checkpoint()
    context = {
        "vkey": vkey,
        "latest": latest,
        "latest_time": _time(latest.time_ms) if latest else None,
        "links": [_link(item, shown[place + 1 :]) for place, item in enumerate(shown[:PAGE])],
        "older": shown[PAGE - 1].size if len(shown) > PAGE else None,
        "is_first_page": before is None,
        "entries_public": settings.LOG_ENTRIES_PUBLIC,
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
def tile_at(request: HttpRequest, path: str) -> HttpResponse:
    """A hash tile, or an entry bundle where entries are public."""
    try:
        name = tile.parse_path(path)
    except TlogError as error:
        raise Http404 from error
    if name.level == tile.ENTRIES and not settings.LOG_ENTRIES_PUBLIC:
        raise Http404
    data = api.tile(name)
    if data is None:
        raise Http404
    response = HttpResponse(data, content_type=_BYTES)
    response["Cache-Control"] = _FOREVER
    return _open_to_all(response)


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


def _time(time_ms: int) -> datetime:
    return datetime.fromtimestamp(time_ms // 1000, UTC)


def _open_to_all(response: HttpResponse) -> HttpResponse:
    """Any page anywhere may read the public log: that is what it is for."""
    response["Access-Control-Allow-Origin"] = "*"
    return response
