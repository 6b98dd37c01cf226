"""The links that the owner of a key registers for a resolver: their types, their rules, and which fits a reader.

GS1-Conformant Resolver Standard 1.2; link types are GS1 Web Vocabulary's; languages RFC 5646, matched as RFC 4647, 3.4.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

VOCABULARY = "https://ref.gs1.org/voc/"
# What a maker may register, in the order in which a patient is shown it. Left out are the types under which the record
# itself answers (defaultLink, verificationService, traceability, epcis, masterData): nobody may answer in its place;
# and those that advertise (promotion, review, socialMedia, ...): the page of a medicine carries no advertising.
LINK_TYPES = (
    "epil", "smpc", "safetyInfo", "instructions", "recallStatus", "certificationInfo", "pip",
    "consumerHandlingStorageInfo", "ingredientsInfo", "allergenInfo", "quickStartGuide", "tutorial", "relatedVideo",
    "faqs", "support", "brandHomepagePatient", "brandHomepageClinical", "registryEntry", "sustainabilityInfo",
)  # fmt: skip
HTML = "text/html"
MAX_LINKS, MAX_HREF, MAX_TITLE, MAX_TYPE = 50, 1024, 200, 100
HREF = r"^https://[!$-;=?-\[\]_a-z~]+$"  # printable ASCII but for " # < > \ ^ ` { | }
LANGUAGE = r"^([a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?)?$"
MEDIA_TYPE = r"^[a-z]+/[a-z0-9][a-z0-9.+-]*$"

_HREF, _LANGUAGE, _MEDIA_TYPE = re.compile(HREF), re.compile(LANGUAGE), re.compile(MEDIA_TYPE)
_HOST = re.compile(r"([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])")
# Readers name Chinese by country, links by script (CLDR, likely subtags).
_SCRIPTS = {"zh-cn": "zh-hans", "zh-sg": "zh-hans", "zh-tw": "zh-hant", "zh-hk": "zh-hant", "zh-mo": "zh-hant"}


@dataclass(frozen=True)
class TargetLink:
    """One link as its owner registers it (RFC 9264's target object, and whether it is for readers of no language)."""

    kind: str  # local name of the link type
    href: str
    title: str
    language: str = ""  # RFC 5646; '' = for everybody
    media_type: str = HTML
    is_default: bool = False

    @property
    def host(self) -> str:
        """Where it leads, for people."""
        return urlsplit(self.href).netloc


Links = tuple[TargetLink, ...]


@dataclass(frozen=True)
class Registered:
    """What a maker registered of a product and of one lot of it."""

    product: Links = ()
    lot: Links = ()


@dataclass(frozen=True)
class Fault:
    """What is wrong with the link at `index`: which field (of TargetLink), a stable code, and words for programmers."""

    index: int
    field: str
    code: str
    detail: str


def faults(links: Sequence[TargetLink]) -> list[Fault]:
    """Everything that is wrong with a set of links; empty for one that can be registered."""
    if len(links) > MAX_LINKS:
        return [Fault(MAX_LINKS, "", "too-many", f"a thing has at most {MAX_LINKS} links")]
    found = [Fault(index, *one) for index, link in enumerate(links) for one in _faults_of(link)]
    named: set[tuple[str, str, str]] = set()
    defaults: set[str] = set()
    for index, link in enumerate(links):
        name = (link.kind, link.language, link.href)
        if name in named:
            found.append(Fault(index, "href", "link-twice", "the same link stands here twice"))
        if link.is_default and link.kind in defaults:
            found.append(Fault(index, "is_default", "default-twice", "one link of a type is the default, not two"))
        named.add(name)
        defaults |= {link.kind} if link.is_default else set()
    return found


def best(links: Sequence[TargetLink], languages: Sequence[str], quality: Callable[[str], float]) -> list[TargetLink]:
    """Of links of one type those that fit a reader best; several where nothing tells them apart.

    `languages` as the reader prefers them; `quality` of a media type (RFC 9110, 12.5.1). The language decides first;
    where none fits, the default, then what is for everybody; then the media type.
    """
    fitting = _in_language(links, languages)
    if not fitting:
        fitting = [link for link in links if link.is_default]
    if not fitting:
        fitting = [link for link in links if not link.language] or list(links)
    most = max((quality(link.media_type) for link in fitting), default=0.0)
    fitting = [link for link in fitting if quality(link.media_type) == most]
    return [link for link in fitting if link.is_default] or fitting


def _in_language(links: Sequence[TargetLink], languages: Sequence[str]) -> list[TargetLink]:
    """The links in the first of these languages that any is in."""
    for asked in languages:
        for tag in _lookups(asked.lower()):
            spoken = [link for link in links if f"{link.language.lower()}-".startswith(f"{tag}-")]
            if spoken:
                return [link for link in spoken if link.language.lower() == tag] or spoken
    return []


def _lookups(asked: str) -> Iterator[str]:
    """The language, then what is left of it when subtags go from its end; a region of Chinese stands for its script."""
    yield asked
    if asked in _SCRIPTS:
        yield _SCRIPTS[asked]
    while "-" in asked:
        asked = asked.rpartition("-")[0]
        yield asked


def _faults_of(link: TargetLink) -> Iterator[tuple[str, str, str]]:
    if link.kind not in LINK_TYPES:
        yield "kind", "link-type", f"the link type must be one of {', '.join(f'gs1:{name}' for name in LINK_TYPES)}"
    if wrong := _wrong_href(link.href):
        yield "href", "link-href", wrong
    if not (link.title.strip() and len(link.title) <= MAX_TITLE and link.title.isprintable()):
        yield "title", "link-title", f"a title has 1 to {MAX_TITLE} printable characters"
    if not _LANGUAGE.fullmatch(link.language):
        yield "language", "link-language", "a language is written as en, zh-Hans or pt-BR (RFC 5646)"
    if len(link.media_type) > MAX_TYPE or not _MEDIA_TYPE.fullmatch(link.media_type):
        yield "media_type", "link-media-type", "a media type is written as text/html or application/pdf"


def _wrong_href(href: str) -> str:
    """Why an address cannot be registered; empty for one that can."""
    if not href.startswith("https://"):
        return "the address must begin with https://"
    if len(href) > MAX_HREF or not _HREF.fullmatch(href):
        return f"an address has at most {MAX_HREF} characters of RFC 3986, others percent-encoded, and no fragment"
    try:
        parts = urlsplit(href)
        _ = parts.port  # raises where it is none
    except ValueError:
        return "the address cannot be read"
    if "@" in parts.netloc:
        return "an address carries no user or password"
    host, colon, port = parts.netloc.partition(":")
    if urlunsplit(parts) != href or not _HOST.fullmatch(host) or bool(colon) != bool(port):
        return "the address names no server, such as leaflets.example.com"
    return ""
