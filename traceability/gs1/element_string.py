"""GS1 element strings as scanners send them, and as barcodes are printed (GS1 General Specifications, section 7.8)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from . import keys
from .errors import Gs1Error

GS = "\x1d"
SYMBOLOGIES = ("]d2", "]C1", "]Q3", "]e0")
MAX_LENGTH = 256


@dataclass(frozen=True)
class ElementString:
    """The AIs in the order scanned; `missing_gs` when a variable-length value had to be cut without its separator."""

    elements: tuple[tuple[str, str], ...]
    missing_gs: bool = False

    def get(self, ai: str) -> str | None:
        """The value of an AI, or None."""
        return dict(self.elements).get(ai)


def parse(raw: str) -> ElementString:
    """The elements of `raw` (symbology prefix and leading FNC1 allowed); Gs1Error says what is wrong where.

    Where no GS follows a variable-length value that could hold further AIs, the reading is refused unless exactly one
    way of cutting it is well formed and complete; that way is flagged, never taken for certain.
    """
    if len(raw) > MAX_LENGTH:
        raise Gs1Error("too-long", f"an element string has at most {MAX_LENGTH} characters")
    text = raw
    for prefix in SYMBOLOGIES:
        text = text.removeprefix(prefix)
    text = text.lstrip(GS)
    if text.startswith("("):
        return ElementString(tuple(_bracketed(text)))
    elements: list[tuple[str, str]] = []
    missing = False
    while text:
        ai = _ai_at(text)
        spec, rest = keys.AIS[ai], text[len(ai) :]
        if spec.fixed:
            value, text = rest[: spec.fixed], rest[spec.fixed :].removeprefix(GS)
        else:
            value, separator, text = rest.partition(GS)
            if not separator:
                value, tail = _cut(ai, value, taken={name for name, _ in elements} | {ai})
                missing, text = missing or bool(tail), tail
        keys.require(ai, value)
        if ai in {name for name, _ in elements}:
            raise Gs1Error("repeated-ai", f"({ai}) stands twice")
        elements.append((ai, value))
    if not elements:
        raise Gs1Error("empty", "there is nothing in the code")
    return ElementString(tuple(elements), missing)


def encode(elements: Sequence[tuple[str, str]]) -> str:
    """The element string with GS behind each variable-length value but the last; Gs1Error for a malformed value."""
    parts = []
    for place, (ai, value) in enumerate(elements):
        keys.require(ai, value)
        needs_gs = not keys.AIS[ai].fixed and place < len(elements) - 1
        parts.append(ai + value + (GS if needs_gs else ""))
    return "".join(parts)


def bracketed(elements: Sequence[tuple[str, str]]) -> str:
    """The human-readable form, `(01)…(17)…`."""
    return "".join(f"({ai}){value}" for ai, value in elements)


def _ai_at(text: str) -> str:
    for length in (2, 3, 4):
        if text[:length] in keys.AIS:
            return text[:length]
    raise Gs1Error("unknown-ai", f"no application identifier at {text[:4]!r}; is a GS separator missing before it?")


def _bracketed(text: str) -> Iterator[tuple[str, str]]:
    for part in text[1:].split("("):
        ai, _, value = part.partition(")")
        keys.require(ai, value)
        yield ai, value


def _cut(ai: str, value: str, *, taken: set[str]) -> tuple[str, str]:
    """Split a run without GS into this AI's value and the rest.

    A run that fits as a whole and hides no further AI is the value. Otherwise each cut is tried from the longest on;
    more than one good cut, or one beside a run that fits as a whole, is ambiguous and refused.
    """
    cuts = [place for place in range(len(value) - 1, 0, -1) if _reads_on(value[place:], taken)]
    fits = keys.AIS[ai].pattern.fullmatch(value) is not None
    good = [place for place in cuts if keys.AIS[ai].pattern.fullmatch(value[:place])]
    if fits and not good:
        return value, ""
    if len(good) == 1 and not fits:
        return value[: good[0]], value[good[0] :]
    if good:
        raise Gs1Error("missing-gs", f"({ai}) runs into what may be another AI: the GS separator is missing")
    return value, ""


def _reads_on(text: str, taken: set[str]) -> bool:
    """Whether `text` begins with a fixed-length AI that is not there yet, well formed, and nothing odd behind it."""
    for ai in ("01", "17", "21", "10"):
        if ai in taken or not text.startswith(ai):
            continue
        spec, rest = keys.AIS[ai], text[len(ai) :]
        if spec.fixed and len(rest) >= spec.fixed and _well_formed(ai, rest[: spec.fixed]):
            return len(rest) == spec.fixed or _reads_on(rest[spec.fixed :], taken | {ai})
        if not spec.fixed and len(rest) >= 4 and spec.pattern.fullmatch(rest):
            return True
    return False


def _well_formed(ai: str, value: str) -> bool:
    try:
        keys.require(ai, value)
    except Gs1Error:
        return False
    return ai != "17" or ("01" <= value[2:4] <= "12" and value[4:] <= "31")
