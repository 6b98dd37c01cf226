"""XML written as text: elements, escapes, and the namespaces that one part of a document needs.

What XML 1.0 cannot carry is a WriteError. A name that is no name in XML (its last part begins with a digit, say) is
written as `<d:member name="…">` in a namespace of our own, which the reader knows.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from traceability.common.strict_json import MAX_SAFE_INTEGER
from traceability.epcis import context

from .content import VALUE
from .elements import XML
from .names import MDA, MEMBER, STANDARD

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.\-]*")
_LAST_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.\-]*\Z")
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_SPACE = " \t\r\n"
_TEXT = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"})
_ATTRIBUTE = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\t": "&#9;", "\n": "&#10;", "\r": "&#13;"}
)
# No prefix can be bound to these, and none need be.
_RESERVED = frozenset({XML, "http://www.w3.org/2000/xmlns/"})
# Prefixes of the document's root; no part of it may give them another meaning.
_ROOT_PREFIXES = frozenset({"epcis", "epcisq", "xsi"})
Attributes = Iterable[tuple[str, str]]


class WriteError(ValueError):
    """A document that XML cannot carry as it is. `code` is stable; `detail` is for people."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code, self.detail = code, detail


def element(name: str, content: str = "", attributes: Attributes = ()) -> str:
    """An element around content that is XML already."""
    start = name + "".join(f' {key}="{_checked(value).translate(_ATTRIBUTE)}"' for key, value in attributes)
    return f"<{start}>{content}</{name}>" if content else f"<{start}/>"


def text(value: str) -> str:
    """Text, escaped; WriteError for a character that XML 1.0 has no way to spell."""
    return _checked(value).translate(_TEXT)


def _checked(value: str) -> str:
    if found := _ILLEGAL.search(value):
        raise WriteError("xml-character", f"XML 1.0 cannot carry the character U+{ord(found[0]):04X}")
    return value


class Names:
    """Names of JSON as names of XML within one element, such as an event; knows what the element must declare."""

    def __init__(self, declared: Mapping[str, str]) -> None:
        self._namespaces = {**context.PREFIXES, **declared, "cbvmda": MDA}
        self._chosen: dict[str, str] = {}  # namespace to the one prefix that names have
        self._declared: dict[str, str] = {}

    def declarations(self) -> list[tuple[str, str]]:
        """The attributes that declare what was used."""
        return [(f"xmlns:{prefix}", namespace) for prefix, namespace in self._declared.items()]

    def declare_used_in(self, value: Any) -> None:
        """Declare the prefixes with which values begin, so that they keep their meaning."""
        for prefix in sorted(context.prefixes_used(value) - context.PREFIXES.keys()):
            if self._namespaces.get(prefix, XML) not in _RESERVED and self._is_free(prefix):
                self._declared[prefix] = self._namespaces[prefix]

    def name(self, name: str) -> str | None:
        """The qualified name; None for one that is no name in XML."""
        prefix, colon, local = name.partition(":")
        if not colon:
            return name if _NAME.fullmatch(name) and not name.lower().startswith("xml") else None
        namespace = self._namespaces.get(prefix)
        if namespace is None and not (local.startswith("//") or prefix.lower() in {"urn", "ni", "tag", "did"}):
            return None
        if namespace is None or _NAME.fullmatch(local) is None:
            # Any division that gives the same URI again is as good as the one in JSON.
            before = context.PREFIXES["cbvmda"] if namespace == MDA else namespace
            uri = name if before is None else before + local
            found = _LAST_NAME.search(uri)
            if found is None:
                return None
            prefix, namespace, local = "", uri[: found.start()], found[0]
            if namespace == context.PREFIXES["cbvmda"]:
                prefix, namespace = "cbvmda", MDA
        if namespace in _RESERVED:
            if namespace == XML and local != "space":
                return f"xml:{local}"
            raise WriteError("xml-name", f"{name[:80]!r} means something of its own in XML")
        if not namespace or namespace in STANDARD or namespace == MEMBER:
            return None
        return f"{self._prefix(namespace, prefix)}:{local}"

    def tag(self, name: str) -> tuple[str, list[tuple[str, str]]]:
        """The name of the element for a member, and the attributes that it needs for that."""
        qualified = self.name(name)
        if qualified is not None:
            return qualified, []
        return f"{self._prefix(MEMBER, 'd')}:member", [("name", name)]

    def named(self, name: str, content: str, attributes: Attributes = ()) -> str:
        """The element for a member of this name."""
        tag, own = self.tag(name)
        return element(tag, content, [*own, *attributes])

    def _prefix(self, namespace: str, wanted: str) -> str:
        found = self._chosen.get(namespace)
        if found is None:
            number, found = len(self._declared), wanted
            while not self._is_free(found):
                number += 1
                found = f"ns{number}"
            self._chosen[namespace] = found
            self._declared[found] = namespace
        return found

    def _is_free(self, prefix: str) -> bool:
        taken = prefix in self._declared or prefix in _ROOT_PREFIXES or prefix.lower().startswith("xml")
        return not taken and _NAME.fullmatch(prefix) is not None


def each(name: str, contents: Iterable[str]) -> str:
    """An element of this name around each of the contents."""
    return "".join(element(name, content) for content in contents)


def scalar(value: Any) -> str:
    """A text, number or truth value as XML writes it."""
    if isinstance(value, float) and value.is_integer() and abs(value) <= MAX_SAFE_INTEGER:
        value = int(value)  # 5.0 and 5 are one number in JSON
    return value if isinstance(value, str) else json.dumps(value)


def extensions(values: Mapping[str, Any], names: Names) -> str:
    """The elements of someone's own members; a list is an element for each of its members, however deep in lists."""
    return "".join(extension(name, one, names) for name, value in values.items() for one in _flat(value))


def _flat(value: Any) -> Iterator[Any]:
    todo = [value]
    while todo:
        one = todo.pop()
        if isinstance(one, list):
            todo.extend(reversed(one))
        else:
            yield one


def extension(name: str, value: Any, names: Names) -> str:
    """The element of one value, which is no list."""
    if value is None:
        return names.named(name, "", [("xsi:nil", "true")])
    if not isinstance(value, Mapping):
        written = scalar(value)
        preserve = [("xml:space", "preserve")] if written != written.strip(_SPACE) else []
        return names.named(name, text(written), preserve)
    inside = value.get(VALUE)
    if not isinstance(inside, str) or not inside or inside != inside.strip(_SPACE):
        return names.named(name, extensions(value, names))
    attributes: dict[str, str] = {}
    inner = {}
    for member, one in value.items():
        qualified = names.name(member) if isinstance(one, str) else None
        if member == VALUE:
            continue
        if qualified is None or qualified == "name" or qualified in attributes:
            inner[member] = one
        else:
            attributes[qualified] = one
    elements = extensions(inner, names)
    if not (attributes or elements):
        return names.named(name, extensions(value, names))
    return names.named(name, elements + text(inside), attributes.items())
