"""GS1's mod-10 check digit (GS1 General Specifications, section 7.9)."""

from .errors import Gs1Error


def of(body: str) -> str:
    """The check digit of `body`: weights 3, 1, 3, … from the right."""
    codes = body.encode("ascii")
    total = 3 * sum(codes[-1::-2]) + sum(codes[-2::-2]) - 48 * (len(codes) + 2 * ((len(codes) + 1) // 2))
    return str(-total % 10)


def require(key: str, *, name: str, length: int | None = None) -> None:
    """Raise Gs1Error unless the last digit of `key` is the check digit of the rest, and it has `length` digits."""
    if not (key.isascii() and key.isdigit()):
        raise Gs1Error("not-digits", f"{name} {key!r} must be digits only")
    if length is not None and len(key) != length:
        raise Gs1Error("length", f"{name} {key} has {len(key)} digits, {length} expected")
    if of(key[:-1]) != key[-1]:
        raise Gs1Error("check-digit", f"{name} {key} has check digit {key[-1]}, {of(key[:-1])} expected")
