"""The links of a medicine's maker as a reader is shown them: what it is, in which language, and on whose server."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.utils.translation import get_language
from django.utils.translation.trans_real import parse_accept_lang_header

from traceability.gs1.linkset import Registered
from traceability.products import links as registered
from traceability.products import selectors as products
from traceability.web.shared import link_words

from . import links
from .codes import OnPack, PackCode
from .links import Link, Reader


@dataclass(frozen=True)
class Shown:
    """One link on a page; `language` has a name where it is not the page's own."""

    label: Any
    link: Link
    host: str
    language: str
    language_name: str


def reader(request: HttpRequest, *, first: str = "") -> Reader:
    """Who asks, by the request's headers; `first` = a language to prefer to them."""
    accepted = parse_accept_lang_header(request.headers.get("Accept-Language", ""))
    languages = [first, *(name for name, quality in accepted if quality > 0)]

    def quality(media_type: str) -> float:
        found = request.accepted_type(media_type)
        return float(found.quality) if found else 0.0

    return Reader([name for name in languages if name], quality)


def of_pack(request: HttpRequest, code: PackCode, given: OnPack) -> list[Shown]:
    """What a pack's page shows: of the lot as the address gives it, which may not be the pack's, and of the product."""
    if code.gtin:
        found = registered.of_item(given.lot, gtin=code.gtin)
    else:
        item = products.item_by_nmpa(code.nmpa)
        found = registered.of_item(given.lot, id=item.id) if item else Registered()
    return of_thing(request, found)


def of_thing(request: HttpRequest, found: Registered) -> list[Shown]:
    """What a page shows, in its own language before those of the request: the reader may have chosen it."""
    return shown(links.of_makers(found, reader(request, first=get_language() or "")))


def shown(found: Sequence[Link]) -> list[Shown]:
    """The links as a page shows them."""
    return [_shown(link) for link in found]


def _shown(link: Link) -> Shown:
    assert link.registered is not None
    language, page = link.registered.language, get_language() or ""
    is_pages = f"{page}-".startswith(f"{language.lower()}-") or language.lower().startswith(f"{page}-")
    name = "" if is_pages else link_words.language(language)
    return Shown(link_words.KINDS[link.kind], link, link.registered.host, language, name)
