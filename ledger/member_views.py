"""The witness over HTTP (https://c2sp.org/tlog-witness)."""

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_POST, require_safe

from .witness import MAX_BODY, Witness, WitnessError

_TEXT = "text/plain; charset=utf-8"
_running: list[Witness] = []


def run_with(witness: Witness) -> None:
    """Let the views answer for this witness; a process has one."""
    _running[:] = [witness]


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
