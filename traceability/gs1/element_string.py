"""GS1 element strings as scanners send them, and as barcodes are printed (GS1 General Specifications, section 7.8)."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from . import keys
from .errors import Gs1Error

GS = "\x1d"
SYMBOLOGIES = ("]d2", "]C1", "]Q3", "]e0")
MAX_LENGTH = 256


# AIs that a run without separator is searched for: what packs carry.
_HIDDEN = ("01", "10", "17", "21")
_LONGEST_RUN = 120
_BRACKETS = re.compile(r"\(([0-9]{2,4})\)")

Elements = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class ElementString:
    """The AIs in the order scanned, and what is doubtful about the reading.

    `missing_gs`: a run had to be cut where no separator stood. `unsure_gs`: the run reads well as it is, but a lot or
    serial without its separator may hide in it.
    """

    elements: Elements
    missing_gs: bool = False
    unsure_gs: bool = False

    def get(self, ai: str) -> str | None:
        """The value of an AI, or None."""
        return dict(self.elements).get(ai)


def parse(raw: str) -> ElementString:
    """The elements of `raw` (symbology prefix and leading FNC1 allowed); Gs1Error says what is wrong where.

    A variable-length value ends at a GS or the end of the code. A run that is malformed when read so is cut into the
    most elements that are all well formed, and flagged; where two cuts do equally well, or where a well-formed run also
    hides an expiry date, it is refused: a guess must not become a serial number.
    """
    if len(raw) > MAX_LENGTH:
        raise Gs1Error("too-long", f"an element string has at most {MAX_LENGTH} characters")
    text = raw
    for prefix in SYMBOLOGIES:
        text = text.removeprefix(prefix)
    text = text.lstrip(GS)
    if text.startswith("("):
        return ElementString(_unrepeated(_bracketed(text)))
    elements: list[tuple[str, str]] = []
    missing = unsure = False
    while text:
        ai = _ai_at(text)
        spec, rest = keys.AIS[ai], text[len(ai) :]
        if spec.fixed:
            value, text = rest[: spec.fixed], rest[spec.fixed :].removeprefix(GS)
            found: Elements = ((ai, value),)
        else:
            run, separator, text = rest.partition(GS)
            found, doubt = _run(ai, run, ended=bool(separator), taken=frozenset({ai, *dict(elements)}))
            missing, unsure = missing or len(found) > 1, unsure or doubt
        for name, value in found:
            keys.require(name, value)
            elements.append((name, value))
    if not elements:
        raise Gs1Error("empty", "there is nothing in the code")
    return ElementString(_unrepeated(elements), missing, unsure)


def encode(elements: Sequence[tuple[str, str]]) -> str:
    """The element string with GS behind each variable-length value but the last; Gs1Error for a malformed value."""
    parts = []
    for place, (ai, value) in enumerate(elements):
        keys.require(ai, value)
        needs_gs = ai[:2] not in keys.PREDEFINED_LENGTH and place < len(elements) - 1
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
    """The human-readable form; a value may hold brackets as long as they enclose no AI."""
    _, *parts = _BRACKETS.split(text)
    if not text.startswith(f"({parts[0] if parts else ''})"):
        raise Gs1Error("format", f"{text[:20]!r} is not of the form (01)…(21)…")
    for ai, value in zip(parts[::2], parts[1::2], strict=True):
        keys.require(ai, value)
        yield ai, value


def _unrepeated(elements: Iterable[tuple[str, str]]) -> Elements:
    found: dict[str, str] = {}
    for ai, value in elements:
        if ai in found:
            raise Gs1Error("repeated-ai", f"({ai}) stands twice")
        found[ai] = value
    return tuple(found.items())


def _run(ai: str, run: str, *, ended: bool, taken: frozenset[str]) -> tuple[Elements, bool]:
    """The elements of a run that begins with the value of `ai`, and whether its reading is in doubt."""
    readings = [] if len(run) > _LONGEST_RUN else list(_readings(ai, run, taken))
    whole: Elements = ((ai, run),)
    if whole in readings:
        hidden = [] if ended else [reading for reading in readings if len(reading) > 1]
        if any(name == "17" for reading in hidden for name, _ in reading):
            raise Gs1Error("missing-gs", f"({ai}) may run into an expiry date: the GS separator is missing")
        return whole, bool(hidden)
    most = max((len(reading) for reading in readings), default=0)
    best = [reading for reading in readings if len(reading) == most]
    if len(best) > 1:
        raise Gs1Error("missing-gs", f"({ai}) runs into other AIs in more than one way: the GS separator is missing")
    return (best[0] if best else whole), False


def _readings(ai: str, run: str, taken: frozenset[str]) -> Iterator[Elements]:
    """Every way to read `run` as the value of `ai`, then elements that are not there yet."""
    spec = keys.AIS[ai]
    if spec.fixed:
        heads: Iterable[int] = [spec.fixed] if len(run) >= spec.fixed else []
    else:
        heads = range(1, len(run) + 1)
    for length in heads:
        head, following = run[:length], run[length : length + 2]
        if following and (following not in _HIDDEN or following in taken):
            continue
        if not _well_formed(ai, head):
            continue
        if not following:
            yield ((ai, head),)
            continue
        for tail in _readings(following, run[length + 2 :], taken | {following}):
            yield ((ai, head), *tail)


def _well_formed(ai: str, value: str) -> bool:
    try:
        keys.require(ai, value)
    except Gs1Error:
        return False
    return ai != "17" or ("01" <= value[2:4] <= "12" and value[4:] <= "31")
