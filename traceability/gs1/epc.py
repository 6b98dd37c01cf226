"""The one key under which a thing is known, however its identifier was spelled (docs/adr/0002)."""

import re
from functools import lru_cache

from . import check_digit, digital_link, urn
from .errors import Gs1Error

NMPA_PREFIX = "urn:dosetrail:nmpa:"
_OWN = re.compile(r"urn:dosetrail:[a-z][a-z0-9\-]{0,31}:[A-Za-z0-9._:%\-]{1,128}")
_GS1 = re.compile(r"https?://id\.gs1\.org/", re.IGNORECASE)
_NMPA = re.compile(r"8[0-9]{19}")
PLACE_PREFIXES = ("https://id.gs1.org/414/", "urn:dosetrail:site:")
MAX_LENGTH = 1024
# The two spellings that nearly every event carries are canonical as they stand.
_USUAL = re.compile(r"https://id\.gs1\.org/(?:01/([0-9]{14})/21/[A-Za-z0-9._\-]{1,20}|00/([0-9]{18}))")


# The same few identifiers are read again by validation, reader and folds; the function is pure.
@lru_cache(maxsize=16_384)
def canonical(uri: str) -> str:
    """The canonical Digital Link of a GS1 key (Digital Link of any domain, EPC URN), or our own urn as it is.

    Any other URI is its own key: EPCIS allows private ones, such as https://example.com/party/acme. Gs1Error for a GS1
    form that is not well formed.
    """
    if len(uri) > MAX_LENGTH:
        raise Gs1Error("too-long", f"an identifier has at most {MAX_LENGTH} characters")
    if usual := _USUAL.fullmatch(uri):
        check_digit.require(usual[1] or usual[2], name="GTIN" if usual[1] else "SSCC")
        return uri
    if uri.startswith("urn:epc:"):
        return urn.to_digital_link(uri)
    if uri[:8].lower().startswith(("https://", "http://")):
        try:
            return digital_link.parse(uri, check_assets=False).canonical
        except Gs1Error as error:
            if error.code == "no-key" or (error.code == "format" and not _GS1.match(uri)):
                return uri  # a web address that is no Digital Link
            raise
    if ":" not in uri:
        raise Gs1Error("uri", f"{uri[:80]!r} is not a URI")
    if uri.startswith(NMPA_PREFIX) and _NMPA.fullmatch(uri.removeprefix(NMPA_PREFIX)) is None:
        raise Gs1Error("nmpa", f"{uri!r} does not end in 20 digits that begin with 8")
    if uri.startswith("urn:dosetrail:") and not uri.startswith(NMPA_PREFIX) and _OWN.fullmatch(uri) is None:
        raise Gs1Error("own-urn", f"{uri!r} is not an identifier of our namespace")
    return uri


def spellings(uri: str) -> tuple[str, ...]:
    """An identifier as it is, as canonical Digital Link, and as each EPC URN that it may have: one for every length
    that its company prefix can have, since no link tells it. Only itself, if it is no GS1 key.
    """
    try:
        link = canonical(uri)
    except Gs1Error:
        return (uri,)
    found = [uri, link]
    for length in urn.PREFIX_LENGTHS if _GS1.match(link) else ():
        try:
            found.append(urn.to_urn(link, length))
        except Gs1Error:
            continue  # EPC has none of this length
    return tuple(dict.fromkeys(found))


def is_usual(uri: str) -> bool:
    """Whether a URI has one of the two usual spellings, which are canonical; its check digit is not looked at."""
    return _USUAL.fullmatch(uri) is not None


def is_place(key: str) -> bool:
    """Whether a canonical key names a physical place, which an event may be about but which is no goods."""
    return key.startswith(PLACE_PREFIXES)


def without_extension(key: str) -> str:
    """A place's key without the GLN extension (AI 254) that names a part of it; any other key as it is."""
    return key.split("/254/")[0] if is_place(key) else key
