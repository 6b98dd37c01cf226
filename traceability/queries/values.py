"""Values of query parameters: from text or JSON to what is compared; QueryFault says what is wrong with one. PURE."""

from collections.abc import Sequence
from fractions import Fraction

from traceability.epcis import scalar, values
from traceability.epcis.times import time_ms
from traceability.epcis.vocabulary import Vocabulary
from traceability.gs1 import epc
from traceability.gs1.errors import Gs1Error

CBV_URN = "urn:epcglobal:cbv:"


class QueryFault(ValueError):
    """A parameter or a value of one that cannot be used: `parameter` names it, the message is for people."""

    def __init__(self, parameter: str, detail: str) -> None:
        super().__init__(f"{parameter}: {detail}")
        self.parameter, self.detail = parameter, detail


def single(name: str, given: Sequence[str]) -> str:
    """The value of a parameter that has one."""
    if len(given) != 1:
        raise QueryFault(name, "stands once, with one value")
    return given[0]


def time(name: str, given: Sequence[str]) -> int:
    """A date-time in ms since 1970."""
    # A plus sign arrives as a space where the client forgot to escape it.
    text = single(name, given).replace(" ", "+")
    if not values.is_time(text):
        raise QueryFault(name, "must be one date-time with zone that exists, such as 2026-03-01T12:00:00Z")
    return time_ms(text)


def positive(name: str, given: Sequence[str], *, most: int) -> int:
    """A whole number from 1 to `most`."""
    text = single(name, given)
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(most)) and 1 <= int(text) <= most):
        raise QueryFault(name, f"must be a number from 1 to {most}")
    return int(text)


def boolean(name: str, given: Sequence[str]) -> bool:
    """true or false; an EXISTS parameter may also stand without a value."""
    text = single(name, given)
    if text not in {"", "true", "false"}:
        raise QueryFault(name, "must be true or false")
    return text != "false"


def numbers(name: str, given: Sequence[str]) -> list[Fraction]:
    """The exact numbers."""
    found = [exact for text in given if (exact := scalar.number(text)) is not None]
    if not found or len(found) < len(given):
        raise QueryFault(name, "must be a number, such as 8 or -2.5")
    return found


def terms(vocabulary: Vocabulary, given: Sequence[str]) -> tuple[str, ...]:
    """The bare words of CBV terms in any spelling; any other term as it is."""
    return tuple(dict.fromkeys(term(vocabulary, text) for text in given))


def term(vocabulary: Vocabulary, text: str) -> str:
    """The bare word of a CBV term: bare, as Web URI or CURIE, or as the URN that XML carries."""
    if text.startswith(CBV_URN):
        word = text.removeprefix(CBV_URN).partition(":")[2]
        return word if word in vocabulary.words else text
    return vocabulary.bare(text)


def key(name: str, text: str) -> str:
    """The canonical key of an identifier."""
    try:
        return epc.canonical(text)
    except Gs1Error as error:
        raise QueryFault(name, error.detail) from error


def keys(name: str, given: Sequence[str]) -> tuple[str, ...]:
    """The canonical keys of identifiers."""
    return tuple(dict.fromkeys(key(name, text) for text in given))
