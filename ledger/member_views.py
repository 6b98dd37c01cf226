"""The witness over HTTP (https://c2sp.org/tlog-witness)."""

from hmac import compare_digest

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from . import content as contents
from . import member
from .witness import MAX_BODY, Witness, WitnessError

_TEXT = "text/plain; charset=utf-8"
_running: list[Witness] = []
_content_token: list[str] = []


def run_with(witness: Witness) -> None:
    """Let the views answer for this witness; a process has one."""
    _running[:] = [witness]


def hand_content_to(token: str) -> None:
    """Let whoever shows this token read the entries and the content that this node holds."""
    _content_token[:] = [token]


def may_read_entries(request: HttpRequest) -> bool:
    """Whether the request carries the content token (settings.LOG_ENTRIES_READER)."""
    scheme, _, plain = request.headers.get("Authorization", "").partition(" ")
    shown = plain.strip().encode("utf-8", "replace")
    return scheme.lower() == "bearer" and any(compare_digest(shown, token.encode()) for token in _content_token)


@csrf_exempt
@require_POST
def content(request: HttpRequest) -> HttpResponse:
    """What this node holds beside the log, for its own house after a loss (`manage.py recover`)."""
    if not may_read_entries(request):
        return HttpResponse(status=401, headers={"WWW-Authenticate": 'Bearer realm="content"'})
    try:
        asked = contents.parse_request(request.read(contents.MAX_REQUEST + 1))
    except contents.ContentError as error:
        return HttpResponse(f"{error}\n", status=400, content_type=_TEXT)
    return HttpResponse(contents.format_answer(member.held_content(asked)), content_type="application/json")


@require_POST
def add_checkpoint(request: HttpRequest) -> HttpResponse:
    """Cosign a checkpoint; 400, 403, 404, 409, 422 as the protocol says, 503 while the follower has not looked yet."""
    try:
        return HttpResponse(_witness().add_checkpoint(request.read(MAX_BODY + 1)), content_type=_TEXT)
    except WitnessError as error:
        if error.size is not None:
            return HttpResponse(f"{error.size}\n", status=error.status, content_type="text/x.tlog.size")
        return HttpResponse(f"{error}\n", status=error.status, content_type=_TEXT)


@require_safe
def cosigned_checkpoint(request: HttpRequest, origin_hash: str) -> HttpResponse:
    """The newest checkpoint that we cosigned of the log whose origin has this SHA-256."""
    found = _witness().checkpoint(origin_hash)
    if found is None:
        raise Http404
    response = HttpResponse(found, content_type=_TEXT)
    response["Cache-Control"] = "no-store"
    return response


def _witness() -> Witness:
    if not _running:
        raise Http404
    return _running[0]
