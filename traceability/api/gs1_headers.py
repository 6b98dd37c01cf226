"""The request headers of the EPCIS binding by which a client says what it speaks (EPCIS 2.0, section 12.4)."""

import re
from collections.abc import Mapping

from rest_framework.request import Request

from traceability.capture.intake import ERROR_BEHAVIOURS, ROLLBACK
from traceability.common.problems import ProblemError
from traceability.custody.opening import NAMESPACE
from traceability.epcis import context, epc_format, values
from traceability.epcis.validation import TERMS

VERSION = (2, 0, 0)
_VERSION = re.compile(r"[0-9]{1,4}(?:\.[0-9]{1,4}){0,2}")
MAX_EXTENSIONS = 50
# XML documents of this version are taken and given too.
_OLDER = (1, 2, 0)
# What OPTIONS tells: the oldest and newest version, that a client may choose how identifiers and words are spelled, and
# the vocabulary of our own.
SPOKEN: Mapping[str, str] = {
    "GS1-EPCIS-Min": "1.2.0",
    "GS1-EPCIS-Max": "2.0.0",
    "GS1-CBV-Min": "1.2.0",
    "GS1-CBV-Max": "2.0.0",
    "GS1-EPC-Format": epc_format.NO_PREFERENCE,
    "GS1-CBV-XML-Format": "No_Preference",
    "GS1-Extensions": f"dosetrail={NAMESPACE}",
}


def require_versions(request: Request) -> None:
    """Refuse a client that speaks only versions that we do not: 406, or 400 for what is no version.

    A body says itself which version it is (`schemaVersion`), so that 1.2 passes here as well.
    """
    for standard in ("EPCIS", "CBV"):
        least = version(request, f"GS1-{standard}-Min")
        most = version(request, f"GS1-{standard}-Max")
        if (least and least > VERSION) or (most and most < _OLDER):
            raise _not_acceptable(f"this server speaks {standard} 2.0 and takes 1.2 in XML")
        own = version(request, f"GS1-{standard}-Version")
        if own and own[:2] not in (VERSION[:2], _OLDER[:2]):
            raise _not_acceptable(f"this server speaks {standard} 2.0 and takes 1.2 in XML, not {own[0]}.{own[1]}")


def extensions(request: Request) -> Mapping[str, str]:
    """The prefixes that GS1-Extensions declares: `prefix=uri,…`."""
    found: dict[str, str] = {}
    for part in filter(None, map(str.strip, request.headers.get("GS1-Extensions", "").split(","))):
        prefix, _, uri = (piece.strip() for piece in part.partition("="))
        if not context.is_prefix(prefix) or prefix in TERMS or not values.is_uri(uri) or len(uri) > values.MAX_URI:
            raise _bad("extensions", f"GS1-Extensions is prefix=uri,…; not {part[:80]!r}")
        found[prefix] = uri
    if len(found) > MAX_EXTENSIONS:
        raise _bad("extensions", f"GS1-Extensions declares at most {MAX_EXTENSIONS} prefixes")
    for prefix in context.redefined(found):
        raise _bad("extensions", f"the prefix {prefix!r} has its meaning from the EPCIS context")
    return found


def error_behaviour(request: Request) -> str:
    """`rollback`, the default, or `proceed`."""
    behaviour = request.headers.get("GS1-Capture-Error-Behaviour", ROLLBACK)
    if behaviour not in ERROR_BEHAVIOURS:
        raise _bad("error-behaviour", "GS1-Capture-Error-Behaviour is rollback or proceed")
    return behaviour


def version(request: Request, name: str) -> tuple[int, ...] | None:
    """The version that a header names, or None; ProblemError 400 for what is none."""
    text = request.headers.get(name, "").strip()
    if not text:
        return None
    if _VERSION.fullmatch(text) is None:
        raise _bad("version", f"{name} is a version such as 2.0.0, not {text[:20]!r}")
    numbers = tuple(map(int, text.split(".")))
    return numbers + (0,) * (3 - len(numbers))


def _bad(code: str, detail: str) -> ProblemError:
    return ProblemError(400, code, detail, "ValidationException")


def _not_acceptable(detail: str) -> ProblemError:
    return ProblemError(406, "version", detail, "NotAcceptableException")
