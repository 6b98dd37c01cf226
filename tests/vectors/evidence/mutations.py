"""Every field of an evidence file changed, and the spellings that two JSON readers might read differently.

A mutation is a splice of the file's text: (what was done, start, end, replacement). Both verifiers get the same ones.
"""

import copy
import json
from base64 import b64decode, b64encode
from collections.abc import Iterator
from typing import Any, NamedTuple

from .patching import leaves


class Splice(NamedTuple):
    """`text[start:end]` replaced; everything is ASCII, so both languages count alike."""

    name: str
    start: int
    end: int
    text: str


def spell(bundle: Any) -> str:
    """The file's text. ASCII only; what is beyond it stands as an escape."""
    return json.dumps(bundle)


def apply(base: str, splice: Splice) -> str:
    return base[: splice.start] + splice.text + base[splice.end :]


def between(name: str, base: str, other: str) -> Splice:
    """The splice that makes `other` of `base`."""
    shorter, head, tail = min(len(base), len(other)), 0, 0
    while head < shorter and base[head] == other[head]:
        head += 1
    while tail < shorter - head and base[-1 - tail] == other[-1 - tail]:
        tail += 1
    return Splice(name, head, len(base) - tail, other[head : len(other) - tail])


def every_field(bundle: dict[str, Any]) -> Iterator[Splice]:
    """Each leaf changed in each of its characters or bytes, and replaced by a value of every other kind."""
    base = spell(bundle)
    for pointer, value in leaves(bundle, []):
        name = "/".join(map(str, pointer))
        for how, other in [*_changed(value), *_kinds(value)]:
            yield between(f"{name}: {how}", base, spell(_with(bundle, pointer, other)))


def every_member(bundle: dict[str, Any]) -> Iterator[Splice]:
    """Each member and element removed, doubled, renamed, and swapped with the next."""
    base = spell(bundle)
    for pointer in _containers(bundle, []):
        name = "/".join(map(str, pointer)) or "bundle"
        value = _at(bundle, pointer)
        for how, other in _list_changes(value) if isinstance(value, list) else _object_changes(value):
            yield between(f"{name}: {how}", base, spell(_with(bundle, pointer, other)))


def spellings(bundle: dict[str, Any]) -> Iterator[tuple[Splice, bool]]:
    """The same bundle in other spellings, and whether it is still the same to a strict reader."""
    base = spell(bundle)
    number = base.index('"index": 0') + len('"index": ')
    first = base.index('"index": 2') + len('"index": ')
    letter = base.index("dosetrail.evidence")
    accepted = {
        "white space": Splice("", 1, 1, " \n\r\t"),
        "after the end": Splice("", len(base), len(base), " \n"),
        "an escape for a letter": Splice(
            "", base.index("dosetrail.evidence"), base.index("osetrail.evidence"), "\\u0064"
        ),
        "an escape in a name": Splice("", base.index("origin"), base.index("rigin"), "\\u006f"),
        "an unknown member": Splice("", 1, 1, '"more": {"a": [1, null, true, -7, "x"]}, '),
        "unknown members that scripts know": Splice("", 1, 1, '"__proto__": {"format": 1}, "constructor": [], '),
        "the largest number": Splice("", 1, 1, '"more": 9007199254740991, '),
        "half a surrogate pair in an unknown member": Splice("", 1, 1, '"more": "\\ud800", '),
    }
    refused = {
        "a member twice": Splice("", 1, 1, '"format": "dosetrail.evidence/1", '),
        "a member twice, once escaped": Splice("", 1, 1, '"f\\u006frmat": "x", '),
        "an unknown member twice": Splice("", 1, 1, '"more": 1, "more": 1, '),
        "a fraction": Splice("", first, first + 1, "2.0"),
        "an exponent": Splice("", first, first + 1, "2e0"),
        "a leading zero": Splice("", first, first + 1, "02"),
        "a plus sign": Splice("", first, first + 1, "+2"),
        "zero with a sign": Splice("", number, number + 1, "-0"),
        "a fraction that is ignored": Splice("", 1, 1, '"more": 1.5, '),
        "a number too large that is ignored": Splice("", 1, 1, '"more": 9007199254740992, '),
        "infinity": Splice("", 1, 1, '"more": Infinity, '),
        "not a number": Splice("", 1, 1, '"more": NaN, '),
        "a control character": Splice("", letter, letter + 1, "\t"),
        "an unknown escape": Splice("", letter, letter + 1, "\\x64"),
        "single quotes": Splice("", 1, 1, "'more': 1, "),
        "a trailing comma": Splice("", len(base) - 1, len(base) - 1, ","),
        "a comment": Splice("", 1, 1, "/* */"),
        "text after the end": Splice("", len(base), len(base), "{}"),
        "a byte order mark": Splice("", 0, 0, "\ufeff"),
        "white space of other scripts": Splice("", 1, 1, "\u00a0"),
        "nothing": Splice("", 0, len(base), ""),
        "null": Splice("", 0, len(base), "null"),
        "a list around it": Splice("", 0, len(base), f"[{base}]"),
    }
    for listed, same in ((accepted, True), (refused, False)):
        for name, splice in listed.items():
            yield splice._replace(name=name), same


def _changed(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, int):
        yield from ((f"{by:+}", value + by) for by in (-1, 1, 2**32, 2**53 - 1 - value))
        return
    try:
        data = b64decode(value, validate=True)
    except ValueError:
        data = b""
    if data:
        for place in range(len(data)):
            flipped = bytearray(data)
            flipped[place] ^= 1 << place % 8
            yield f"byte {place}", b64encode(bytes(flipped)).decode()
        yield "a byte less", b64encode(data[:-1]).decode()
        yield "a byte more", b64encode(data + b"\0").decode()
        yield "base64url", value.replace("+", "-").replace("/", "_").rstrip("=") + "-"
        yield "no padding", value.rstrip("=") if value.endswith("=") else value + "="
    else:
        for place, character in enumerate(value):
            yield f"character {place}", value[:place] + chr(ord(character) ^ 1) + value[place + 1 :]
            yield f"without character {place}", value[:place] + value[place + 1 :]
    for place in {0, len(value) // 2, len(value)}:
        for more in (" ", "\n", "\0", "\ufeff", "\u3000", "\ud800", "A", "=", "+"):
            yield f"{more!r} at {place}", value[:place] + more + value[place:]


def _kinds(value: Any) -> Iterator[tuple[str, Any]]:
    for other in (None, True, False, 0, 1, -1, "", "0", [], {}, [value], {"length": 1, "0": value}):
        if type(other) is not type(value) or other != value:
            yield f"{other!r:.20}", other
    yield "the other kind", str(value) if isinstance(value, int) else len(value)


def _list_changes(value: list[Any]) -> Iterator[tuple[str, Any]]:
    yield "emptied", []
    yield "as an object", dict(enumerate(value))
    for place, item in enumerate(value):
        yield f"without {place}", value[:place] + value[place + 1 :]
        yield f"{place} twice", [*value[: place + 1], *value[place:]]
        for other in (None, 0, "", [], {}):
            yield f"{place} = {other!r}", [*value[:place], other, *value[place + 1 :]]
        if place and item != value[place - 1]:
            yield f"{place} before its neighbour", [*value[: place - 1], item, value[place - 1], *value[place + 1 :]]


def _object_changes(value: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    yield "as a list", list(value.values())
    for name, item in value.items():
        rest = {key: value[key] for key in value if key != name}
        yield f"without {name}", rest
        yield f"{name} in capitals", {**rest, name.upper(): item}
        yield f"{name} in a member of its own", {**rest, "__proto__": {name: item}}


def _containers(value: Any, pointer: list[Any]) -> Iterator[list[Any]]:
    if isinstance(value, dict | list):
        yield pointer
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _containers(item, [*pointer, key])


def _at(value: Any, pointer: list[Any]) -> Any:
    for step in pointer:
        value = value[step]
    return value


def _with(bundle: Any, pointer: list[Any], value: Any) -> Any:
    if not pointer:
        return value
    altered = copy.deepcopy(bundle)
    _at(altered, pointer[:-1])[pointer[-1]] = value
    return altered
