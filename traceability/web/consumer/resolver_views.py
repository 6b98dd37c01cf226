"""The GS1 Digital Link resolver: one address of a thing, answered as page, data, linkset or redirect
(GS1-Conformant Resolver Standard 1.2), and the same for codes that are not GS1's at /c/.

It redirects to addresses of this site, and to the very ones that the product's maker registered (`products.links`).
What it says of a pack is what the pack's page says.
"""

from collections.abc import Sequence
from dataclasses import replace

from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from traceability.gs1 import digital_link as digital_links
from traceability.gs1.digital_link import DigitalLink
from traceability.gs1.errors import Gs1Error
from traceability.gs1.linkset import Registered
from traceability.parties import selectors as parties
from traceability.products import links as maker_links
from traceability.products import selectors as products

from . import codes, links, makers, things, views
from .codes import CodeError, PackCode
from .links import Level

LINKSET = "application/linkset+json"
# The first of them answers who has no preference.
FORMS = (links.HTML, links.LD_JSON, links.JSON, LINKSET)
_CONTEXT = "https://ref.gs1.org/standards/resolver/linkset-context"
_JSON_LD = "http://www.w3.org/ns/json-ld#context"
_SAME_AS = "http://www.w3.org/2002/07/owl#sameAs"
_safe = require_http_methods(["GET", "HEAD", "OPTIONS"])


@csrf_exempt
@_safe
def digital_link(request: HttpRequest, link: str) -> HttpResponse:
    """A thing at its Digital Link: what `linkType` asks for, else page, data or links as `Accept` prefers."""
    if request.method == "OPTIONS":
        return _open(HttpResponse(status=204, headers={"Allow": "GET, HEAD, OPTIONS"}))
    try:
        found = _with_lot(digital_links.from_path(link, request.META.get("QUERY_STRING", "")))
    except Gs1Error as error:
        return _malformed(request, error.detail)
    response = _resolve(request, found)
    response["Link"] = ", ".join([*filter(None, [response.get("Link")]), *_headers(request, found)])
    patch_vary_headers(response, ["Accept", "Accept-Language"])
    return _open(response)


@csrf_exempt
@_safe
def other_code(request: HttpRequest, code: str) -> HttpResponse:
    """What a code that is not a Digital Link names: a drug trace code's pack, a place or party of ours, or, for a GS1
    or IFA code in another spelling, the way to its Digital Link.
    """
    if request.method == "OPTIONS":
        return _open(HttpResponse(status=204, headers={"Allow": "GET, HEAD, OPTIONS"}))
    try:
        found = codes.elsewhere(code)
    except CodeError as error:
        return _refuse(request, error, status=404)
    if found.startswith("/"):
        return _redirect(request, found)
    return _open(_other(request, code, found))


@csrf_exempt
@_safe
def description(request: HttpRequest) -> HttpResponse:
    """What this resolver can do (resolver description file)."""
    return _open(JsonResponse(links.description(_root(request), "Dosetrail")))


def _resolve(request: HttpRequest, link: DigitalLink) -> HttpResponse:
    asked, form = links.local_name(request.GET.get("linkType", "")), _form(request)
    is_pack = links.name_of(link) == "pack"
    if is_pack and form == links.HTML and asked in {"", links.DEFAULT}:
        return _pack(request, link, form)  # which has a verdict for an unknown product too
    try:
        known, registered = things.is_known(link), things.registered(link)
    except DatabaseError:
        return _cannot_check()
    if not known:
        return _unknown(request, form)
    if led := _led(request, links.levels(link, registered), asked, form):
        return led
    return _pack(request, link, form) if is_pack else _thing(request, link, registered, form)


def _led(request: HttpRequest, levels: list[Level], asked: str, form: str) -> HttpResponse | None:
    """The links, or the way to the one that is asked for; None where the thing itself is."""
    if asked in links.WHOLE or (not asked and form == LINKSET):
        return _linkset(request, levels)
    if asked in {"", links.DEFAULT}:
        return None
    found = links.find(levels, asked, makers.reader(request))
    if len(found) > 1:
        return _choice(request, links.only(levels, found), form)
    if not found:
        return _no_such_link(request, form, levels)
    # Nothing of the request goes along to another's server: not what is asked of which lot, not a word to misuse there.
    (target,) = found
    return _to(target.href) if target.registered else _redirect(request, target.href)


def _choice(request: HttpRequest, levels: list[Level], form: str) -> HttpResponse:
    """Several of the maker's links fit alike: the reader chooses."""
    if form != links.HTML:
        return _linkset(request, levels, status=300)
    shown = makers.shown([link for level in levels for link in level.links])
    thing = things.Thing(_("Which one?"), _("The maker registered several that fit. Choose one."), {})
    return render(request, "consumer/thing.html", {"thing": thing, "makers": shown}, status=300)


def _pack(request: HttpRequest, link: DigitalLink, form: str) -> HttpResponse:
    lot = link.qualifier("10") or ""
    code = codes.pack(link.value, link.qualifier("21") or "")
    if form in {links.LD_JSON, links.JSON}:
        item = products.item_by_gtin(link.value)
        return views.pack_data(request, code, lot, lambda: things.item_data(item, link) if item else {})
    return views.pack_page(request, code, lot)


def _thing(request: HttpRequest, link: DigitalLink, registered: Registered, form: str) -> HttpResponse:
    try:
        found = things.read(link)
    except DatabaseError:
        return _cannot_check()
    return _shown(request, found, form, makers.of_thing(request, registered))


def _shown(
    request: HttpRequest, found: things.Thing | None, form: str, of_maker: Sequence[makers.Shown] = ()
) -> HttpResponse:
    if found is None:
        return _unknown(request, form)
    if form in {links.LD_JSON, links.JSON}:
        return JsonResponse(found.data, content_type=links.LD_JSON)
    return render(request, "consumer/thing.html", {"thing": found, "makers": of_maker})


def _other(request: HttpRequest, code: str, uri: str) -> HttpResponse:
    """A drug trace code, or one of our own names of places and parties."""
    if uri.startswith("urn:dosetrail:nmpa:"):
        return _trade_code(request, codes.nmpa(code))
    site, party = parties.site_by_uri(uri), parties.party_by_uri(uri)
    found = things.site(site, uri) if site else things.party(party.name, uri) if party else None
    return _shown(request, found, _form(request))


def _trade_code(request: HttpRequest, code: PackCode) -> HttpResponse:
    """The pack of a drug trace code, as at a Digital Link."""
    asked, form = links.local_name(request.GET.get("linkType", "")), _form(request)
    if form == links.HTML and asked in {"", links.DEFAULT}:
        response = views.pack_page(request, code, "")
    else:
        response = _of_trade_code(request, code, asked, form)
    here = f"{_root(request)}/c/{code.nmpa}?linkType=linkset"
    response["Link"] = ", ".join(filter(None, [response.get("Link"), f'<{here}>; rel="linkset"; type="{LINKSET}"']))
    patch_vary_headers(response, ["Accept", "Accept-Language"])
    return response


def _of_trade_code(request: HttpRequest, code: PackCode, asked: str, form: str) -> HttpResponse:
    try:
        item = products.item_by_nmpa(code.nmpa)
        registered = maker_links.of_item("", id=item.id) if item else Registered()
    except DatabaseError:
        return _cannot_check()
    if item is None:
        return _unknown(request, form)
    levels = links.trade_code_levels(code.nmpa, code.epc, item.gtin or "", registered)
    if led := _led(request, levels, asked, form):
        return led
    return views.pack_data(request, code, "", lambda: things.trade_code_data(item, code.epc))


def _linkset(request: HttpRequest, levels: list[Level], status: int = 200) -> HttpResponse:
    response = JsonResponse(links.linkset(levels, _root(request)), content_type=LINKSET, status=status)
    response["Link"] = f'<{_CONTEXT}>; rel="{_JSON_LD}"; type="{links.LD_JSON}"'
    return response


def _redirect(request: HttpRequest, path: str) -> HttpResponse:
    """307 to a path of this site, with the query of the request but for its link type."""
    query = request.GET.copy()
    query.pop("linkType", None)
    more = query.urlencode()
    return _to(f"{path}{'&' if '?' in path else '?'}{more}" if more else path)


def _to(address: str) -> HttpResponse:
    return _open(HttpResponse(status=307, headers={"Location": address}))


def _headers(request: HttpRequest, link: DigitalLink) -> list[str]:
    here = f"{_root(request)}{link.path}"
    return [
        f'<{here}?linkType=linkset>; rel="linkset"; type="{LINKSET}"',
        f'<{links.same_as(link)}>; rel="{_SAME_AS}"',
    ]


def _with_lot(link: DigitalLink) -> DigitalLink:
    """A lot in the query counts like one in the path, where it is well formed and the path has none."""
    lot = link.attributes.get("10")
    if link.key != "01" or not lot or link.qualifier("10") or link.qualifier("235"):
        return link
    order = ("22", "10", "21")
    pairs = sorted([*link.qualifiers, ("10", lot)], key=lambda pair: order.index(pair[0]))
    try:
        digital_links.build(gtin=link.value, lot=lot)
    except Gs1Error:
        return link
    return replace(link, qualifiers=tuple(pairs))


def _no_such_link(request: HttpRequest, form: str, levels: list[Level]) -> HttpResponse:
    there = sorted({f"gs1:{link.kind}" for level in levels for link in level.links})
    detail = _("There is no link of this type here. There are: {types}.").format(types=", ".join(there))
    if form == links.HTML:
        return _plain(request, _("Nothing of this kind here"), detail, status=404)
    return views.problem("no-such-link", "No link of this type", detail, status=404)


def _unknown(request: HttpRequest, form: str) -> HttpResponse:
    detail = _("This house knows no such product, place or organisation. It may be recorded elsewhere.")
    if form == links.HTML:
        return _plain(request, _("Not known here"), detail, status=404)
    return views.problem("not-known", "Not known here", detail, status=404)


def _cannot_check() -> HttpResponse:
    return views.problem("cannot-check", "Cannot check now", _("Try again in a few minutes."), status=503)


def _malformed(request: HttpRequest, detail: str) -> HttpResponse:
    if _form(request) == links.HTML:
        return _open(views.refuse(request, CodeError("malformed"), status=400))
    return _open(views.problem("malformed", "Not a Digital Link", detail, status=400))


def _refuse(request: HttpRequest, error: CodeError, *, status: int) -> HttpResponse:
    if _form(request) == links.HTML:
        return views.refuse(request, error, status=status)
    return _open(views.problem("malformed", "Not a code", _("This code names nothing here."), status=status))


def _plain(request: HttpRequest, title: str, meaning: str, *, status: int) -> HttpResponse:
    thing = things.Thing(title, meaning, {}, icon="unknown")
    return render(request, "consumer/thing.html", {"thing": thing}, status=status)


def _form(request: HttpRequest) -> str:
    return request.get_preferred_type(FORMS) or links.HTML


def _root(request: HttpRequest) -> str:
    return request.build_absolute_uri("/").rstrip("/")


def _open(response: HttpResponse) -> HttpResponse:
    """Public to scripts of any site: nothing here depends on who asks."""
    response["Access-Control-Allow-Origin"] = "*"
    response["Access-Control-Expose-Headers"] = "Link, Location"
    if response.status_code == 204:
        response["Access-Control-Allow-Methods"] = "GET, HEAD, OPTIONS"
        response["Access-Control-Allow-Headers"] = "Accept, Accept-Language"
    return response
