"""In which form an answer goes out: JSON or XML, which version, which spelling of CBV's words (EPCIS 2.0, section 12).

The client's Accept, GS1-EPCIS-Min, GS1-EPCIS-Max and GS1-CBV-XML-Format decide. JSON is 2.0; XML is 2.0, or 1.2 for who
takes nothing later.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, cast

from django.http import HttpResponse, JsonResponse
from django.utils.cache import patch_vary_headers
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.request import Request

from traceability.common.problems import ProblemError
from traceability.epcis import epc_format
from traceability.epcis.xml import pictures
from traceability.epcis.xml.markup import WriteError
from traceability.epcis.xml.spelling import CbvFormat, Spelling
from traceability.epcis.xml.writer import Version, write
from traceability.parties import selectors as parties

from . import gs1_headers

JSON = ("application/json", "application/ld+json")
XML = ("application/xml", "text/xml")
# What a query document can be; the first is what a client without a wish gets.
QUERY_DOCUMENT = (*JSON, *XML)
_VERSION = re.compile(r"([0-9]{1,3})\.([0-9]{1,3})(?:\.[0-9]{1,3})?")
_CBV_FORMATS: Mapping[str, CbvFormat] = {
    "no_preference": "urn",
    "always_urn": "urn",
    "always_web_uri": "web",
    "never_translates": "as-is",
}


# The values of GS1-CBV-XML-Format, as the standard writes them; read without regard to case.
CBV_XML_FORMATS = ("No_Preference", "Always_URN", "Always_Web_URI", "Never_Translates")


class EpcisNegotiation(DefaultContentNegotiation):
    """Refuses what a client asks to read in a form that the view has not; to a POST the answer is JSON always."""

    def select_renderer(self, request: Any, renderers: Any, format_suffix: str | None = None) -> Any:
        offered = getattr(request.parser_context["view"], "media_types", JSON)
        if request.method in ("GET", "HEAD") and not acceptable(request, offered):
            raise not_acceptable(f"this is answered in {', '.join(offered)} only")
        return renderers[0], renderers[0].media_type


def query_document(request: Request, document: Mapping[str, Any]) -> HttpResponse:
    """The answer that carries an EPCISQueryDocument; ProblemError 406 where no form of it fits the client."""
    media_type, version = form(request)
    # EPCIS 1.2 knows no Digital Links: there they become URNs unless the client wishes otherwise.
    epcs = epcs_as(request, epc_format.DIGITAL_LINK if version == "2.0" else epc_format.EPC_URN)
    prefixes = parties.company_prefixes() if epcs == epc_format.EPC_URN else ()
    document = epc_format.translated(document, epcs, prefixes)
    response: HttpResponse
    if media_type in JSON:
        response = JsonResponse(document, content_type=media_type)
    else:
        response = HttpResponse(_xml(request, document, version), content_type=f"{media_type}; charset=utf-8")
        response["GS1-EPCIS-Version"] = f"{version}.0"
    response["GS1-EPC-Format"] = epcs
    wishes = (
        "Accept",
        "GS1-EPCIS-Version",
        "GS1-EPCIS-Min",
        "GS1-EPCIS-Max",
        "GS1-CBV-XML-Format",
        "GS1-EPC-Format",
        "GS1-Extensions",
    )
    patch_vary_headers(response, wishes)
    return response


def acceptable(request: Request, offered: Sequence[str]) -> list[str]:
    """Those of the offered media types that the client takes, the best first (RFC 9110, section 12.5.1)."""
    header = request.headers.get("Accept", "").strip() or "*/*"
    weights = [(_weight(header, media_type), media_type) for media_type in offered]
    ordered = sorted(weights, key=lambda pair: -pair[0])  # stable: of equals, the one offered first
    return [media_type for weight, media_type in ordered if weight > 0]


def not_acceptable(detail: str) -> ProblemError:
    """406."""
    return ProblemError(406, "not-acceptable", detail, "NotAcceptableException")


def _weight(header: str, media_type: str) -> float:
    """The weight that Accept gives a media type: that of the most specific range around it; 0 without one."""
    ranges = (media_type, media_type.partition("/")[0] + "/*", "*/*")
    found: dict[str, float] = {}
    for part in header.lower().split(","):
        name, *parameters = (piece.strip() for piece in part.split(";"))
        weights = [one.removeprefix("q=") for one in parameters if one.startswith("q=")]
        found[name] = _number(weights[0]) if weights else 1.0
    return next((found[one] for one in ranges if one in found), 0.0)


def _number(text: str) -> float:
    return float(text) if re.fullmatch(r"[01](?:\.[0-9]{0,3})?", text) else 0.0


def form(request: Request) -> tuple[str, Version]:
    """Media type and version in which this client gets a query document; ProblemError 406 where none fits it."""
    least, most = _version(request, "GS1-EPCIS-Min", (0, 0)), _version(request, "GS1-EPCIS-Max", (999, 999))
    offered = acceptable(request, QUERY_DOCUMENT)
    speaks = gs1_headers.version(request, "GS1-EPCIS-Version") or gs1_headers.VERSION
    if speaks < gs1_headers.VERSION and "GS1-EPCIS-Max" not in request.headers and not set(XML).isdisjoint(offered):
        most = max((speaks[0], speaks[1]), least)  # who speaks 1.2 and reads XML is answered so
    for media_type in offered:
        for version, number in (("2.0", (2, 0)), ("1.2", (1, 2))):
            if least <= number <= most and (version == "2.0" or media_type in XML):
                return media_type, cast("Version", version)
    raise not_acceptable("this is answered as EPCIS 2.0 in JSON or XML, or as EPCIS 1.2 in XML")


def _version(request: Request, name: str, default: tuple[int, int]) -> tuple[int, int]:
    given = request.headers.get(name, "").strip()
    if not given:
        return default
    found = _VERSION.fullmatch(given)
    if found is None:
        raise ProblemError(400, "version", f"{name} is a version such as 2.0.0", "ValidationException")
    return int(found[1]), int(found[2])


def epcs_as(request: Request, default: str) -> str:
    """How the client wants identifiers spelled, by GS1-EPC-Format; ProblemError 400 where that says nothing known."""
    given = request.headers.get("GS1-EPC-Format", "").strip()
    found = next((one for one in epc_format.FORMATS if one.lower() == given.lower()), default if not given else "")
    if not found:
        detail = f"GS1-EPC-Format is {', '.join(epc_format.FORMATS)}"
        raise ProblemError(400, "epc-format", detail, "ValidationException")
    return found


def _xml(request: Request, document: Mapping[str, Any], version: Version) -> bytes:
    wish = request.headers.get("GS1-CBV-XML-Format", "No_Preference").strip()
    cbv = _CBV_FORMATS.get(wish.lower())
    if cbv is None:
        detail = "GS1-CBV-XML-Format is No_Preference, Always_URN, Always_Web_URI or Never_Translates"
        raise ProblemError(400, "cbv-xml-format", detail, "ValidationException")
    try:
        # A scanner's raw codes hold GS: one such event must not keep a partner from its whole page.
        return b"".join(write(pictures.shown(document), version=version, spelling=Spelling(cbv)))
    except WriteError as error:
        raise ProblemError(406, "not-in-xml", f"{error.detail}; ask for JSON", "NotAcceptableException") from error
