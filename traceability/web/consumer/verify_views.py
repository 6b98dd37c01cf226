"""The page that checks saved evidence in the browser, and the service worker that keeps the page for use offline."""

import json
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles import finders
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.utils import translation
from django.utils.cache import patch_cache_control
from django.views.decorators.http import require_safe

from ledger import api as ledger
from traceability.web.shared.names import STEPS

PAGE = "consumer/verify.html"
# What the page loads beside the modules of verify/; a test opens it without network.
_FILES = [
    "consumer/consumer.css",
    "consumer/memory.js",
    "consumer/say.js",
    "consumer/verify.js",
    "consumer/words-en.js",
    "consumer/words-zh.js",
    "shared/dosetrail.css",
    "shared/favicon.svg",
]
_WORKER = "verify/worker.js"


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """The check of a saved evidence file: all of it happens in the browser."""
    response = render(request, PAGE, _context())
    patch_cache_control(response, private=True, no_cache=True)
    return response


@require_safe
def worker(request: HttpRequest) -> HttpResponse:
    """The service worker of /verify/. It changes whenever a file or the page does, and so renews itself."""
    source, version = _files()
    languages = [code for code, _ in settings.LANGUAGES]
    version = sha256("\0".join([version, *map(_page_in, languages)]).encode()).hexdigest()[:16]
    kept = {"version": version, "files": _addresses(), "languages": languages}
    response = HttpResponse(f"self.KEPT = {json.dumps(kept)};\n{source}", content_type="text/javascript; charset=utf-8")
    patch_cache_control(response, no_cache=True)
    return response


def _page_in(language: str) -> str:
    with translation.override(language):
        return render_to_string(PAGE, _context())


def _context() -> dict[str, object]:
    steps = {step: str(name) for step, name in STEPS.items()}
    return {"policy": _policy_text(), "steps": json.dumps(steps, ensure_ascii=False, sort_keys=True)}


def _policy_text() -> str:
    """The policy that the page pins; empty before the log has a key: then the reader has to bring one."""
    try:
        return ledger.policy_text()
    except ledger.NotInitialisedError:
        return ""


def _names() -> list[str]:
    root = Path(settings.BASE_DIR) / "static"
    modules = sorted(str(path.relative_to(root)) for path in (root / "verify").glob("*.js"))
    return [name for name in [*modules, *_FILES] if name != _WORKER]


def _addresses() -> list[str]:
    """Under the name that a template writes and, since modules name each other, under the plain one."""
    return sorted({address for name in _names() for address in (static(name), f"{settings.STATIC_URL}{name}")})


@lru_cache(maxsize=1)
def _files() -> tuple[str, str]:
    """The worker's source, and a digest over everything that it keeps; they change with a release only."""
    digest = sha256()
    for name in [*_names(), _WORKER]:
        digest.update(name.encode() + b"\0" + _read(name) + b"\0")
    return _read(_WORKER).decode(), digest.hexdigest()


def _read(name: str) -> bytes:
    found = finders.find(name)
    if not isinstance(found, str):
        raise FileNotFoundError(name)
    return Path(found).read_bytes()
