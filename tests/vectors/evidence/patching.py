"""Applying a vector's patches, and every single alteration of a bundle; shared by the Python and the browser tests."""

import copy
import json
from base64 import b64decode, b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("vectors.json")


def load() -> dict[str, Any]:
    return json.loads(FILE.read_text())


def apply(bundle: dict[str, Any], patches: list[list[Any]]) -> dict[str, Any]:
    """The bundle with the value at each JSON pointer (as list) replaced."""
    patched = copy.deepcopy(bundle)
    for pointer, value in patches:
        *way, last = pointer
        place: Any = patched
        for step in way:
            place = place[step]
        place[last] = value
    return patched


def alterations(bundle: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each text and number of the bundle changed a little, and each member removed: name and altered bundle."""
    for pointer, value in leaves(bundle, []):
        name = "/".join(map(str, pointer))
        for number, other in enumerate(_changed(value)):
            yield f"{name} ({number})", apply(bundle, [[pointer, other]])
        if isinstance(pointer[-1], str):
            yield f"{name} removed", _without(bundle, pointer)


def leaves(value: Any, pointer: list[Any]) -> Iterator[tuple[list[Any], Any]]:
    """Pointer and value of each text, number, truth value and null in it."""
    if isinstance(value, dict):
        for name, item in value.items():
            yield from leaves(item, [*pointer, name])
    elif isinstance(value, list):
        for place, item in enumerate(value):
            yield from leaves(item, [*pointer, place])
    else:
        yield pointer, value


def _changed(value: Any) -> Iterator[Any]:
    if isinstance(value, int):
        yield value + 1
        return
    yield value[:-1]
    middle = len(value) // 2
    yield value[:middle] + chr(ord(value[middle]) ^ 1) + value[middle + 1 :]
    try:
        data = b64decode(value, validate=True)
    except ValueError:
        return
    for place in {0, len(data) // 3, len(data) // 2, len(data) - 1}:
        flipped = bytearray(data)
        flipped[place] ^= 1
        yield b64encode(bytes(flipped)).decode()


def _without(bundle: dict[str, Any], pointer: list[Any]) -> dict[str, Any]:
    altered = copy.deepcopy(bundle)
    place: Any = altered
    for step in pointer[:-1]:
        place = place[step]
    del place[pointer[-1]]
    return altered
