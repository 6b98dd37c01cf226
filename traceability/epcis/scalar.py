"""Values as the event index keeps them: texts of bounded length, numbers as integers in the order of their size."""

import hashlib
import re
import struct
from fractions import Fraction

MAX_KEY = 256
_NUMBER = re.compile(r"[+-]?(?:[0-9]{1,40}(?:\.[0-9]{0,40})?|\.[0-9]{1,40})(?:[eE][+-]?[0-9]{1,3})?")
_LARGEST = Fraction(1.7e308)


def text_key(text: str) -> str:
    """A text as it stands, or one that only an equal text has, its end hashed: of a long one, or one with a NUL.

    PostgreSQL keeps no NUL, and no fold may stop at an event.
    """
    if len(text) <= MAX_KEY and "\0" not in text:
        return text
    return (
        text[: MAX_KEY - 64].replace("\0", "\ufffd") + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    )


def number(value: object) -> Fraction | None:
    """The exact number that a JSON number, or a text that spells one, stands for; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    spelled = repr(value) if isinstance(value, float) else str(value)
    return Fraction(spelled) if _NUMBER.fullmatch(spelled) else None


def rank(value: Fraction) -> int:
    """A signed 64-bit integer that sorts as the number does: its nearest IEEE 754 double, read as an integer.

    Rounding is of the exact value and monotone: of two numbers the smaller never gets the larger rank, and numbers
    that agree in 15 digits may share one.
    """
    nearest = float(min(max(value, -_LARGEST), _LARGEST))
    bits: int = struct.unpack(">q", struct.pack(">d", nearest + 0.0))[0]
    return bits if bits >= 0 else -(bits & 0x7FFF_FFFF_FFFF_FFFF)
