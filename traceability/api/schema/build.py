"""Small makers of JSON Schema (draft 2020-12, as OpenAPI 3.1 takes it)."""

from collections.abc import Iterable, Mapping
from typing import Any

from traceability.common.strict_json import MAX_SAFE_INTEGER

Schema = dict[str, Any]


def ref(name: str) -> Schema:
    """A component by its name."""
    return {"$ref": f"#/components/schemas/{name}"}


def text(description: str = "", **limits: Any) -> Schema:
    """A text; `limits` are JSON Schema keywords such as maxLength, pattern, format."""
    return _described({"type": "string", **limits}, description)


def whole(description: str = "", **limits: Any) -> Schema:
    """A whole number; no larger one than JSON's readers agree on is taken or answered (RFC 7493)."""
    return _described({"type": "integer", "maximum": MAX_SAFE_INTEGER, **limits}, description)


def number(description: str = "") -> Schema:
    """A number, within what is exact as an integer: JSON does not tell 1e21 from an integer of 22 digits."""
    return _described({"type": "number", "minimum": -MAX_SAFE_INTEGER, "maximum": MAX_SAFE_INTEGER}, description)


def words(values: Iterable[str], description: str = "") -> Schema:
    """One of these words, in the order of the alphabet, so that the description of the API is the same each time."""
    return _described({"type": "string", "enum": sorted(values)}, description)


def many(items: Schema, description: str = "", **limits: Any) -> Schema:
    """A list."""
    return _described({"type": "array", "items": items, **limits}, description)


def members(properties: Mapping[str, Schema], required: Iterable[str] = (), description: str = "") -> Schema:
    """An object with these members and no others."""
    schema: Schema = {"type": "object", "properties": dict(properties), "additionalProperties": False}
    if needed := sorted(required):
        schema["required"] = needed
    return _described(schema, description)


def answer(properties: Mapping[str, Schema], optional: Iterable[str] = (), description: str = "") -> Schema:
    """An object that we answer: every member is there but the optional ones."""
    return members(properties, set(properties) - set(optional), description)


def _described(schema: Schema, description: str) -> Schema:
    return {**schema, "description": description} if description else schema
