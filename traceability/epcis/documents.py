"""Numbers of documents as URIs of business transactions, and back. Pure."""

import re
from urllib.parse import quote, unquote

from .values import is_uri

NAMESPACE = "urn:dosetrail:document:"  # of numbers that are no URIs by themselves
_BARE_PERCENT = re.compile("%(?![0-9A-Fa-f]{2})")


def document_uri(number: str) -> str:
    """A document number as URI; one that is a URI already stays as it is."""
    bare = number.removeprefix(NAMESPACE)
    if bare == number and is_uri(number):
        return number
    return NAMESPACE + _BARE_PERCENT.sub("%25", quote(bare, safe="%/:;,.~+-_()@!*'=&"))


def document_number(uri: str) -> str:
    """The number as it was typed, of which `document_uri` makes this URI again; another URI stays as it is."""
    if not uri.startswith(NAMESPACE):
        return uri
    number = unquote(uri.removeprefix(NAMESPACE))
    return number if document_uri(number) == uri else uri.removeprefix(NAMESPACE)


def printed(uri: str) -> str:
    """The number as it stands on paper, without whose number it is."""
    return document_number(uri).rpartition(":")[2]
