"""XML read piece by piece, without document types, entities or anything that makes a small file large.

The parser is expat; what it could be led to do beyond plain elements is switched off or refused, and every size has an
end. A document is a few containers (root, body, event list), which open and close, and elements within them, which
come whole, one at a time.
"""

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import BinaryIO
from xml.parsers import expat

from traceability.epcis.source import SourceError

MAX_DEPTH = 64
# Of one element that stands whole in memory, such as an event: characters (names, attributes, texts) and elements.
MAX_CHARACTERS = 8 * 1024 * 1024
MAX_ELEMENTS = 250_000
MAX_ATTRIBUTES = 200
MAX_NAMESPACES = 200
# A tag, comment or processing instruction, which expat keeps in memory until it ends.
MAX_TOKEN = 1024 * 1024
XML = "http://www.w3.org/XML/1998/namespace"
_CHUNK = 64 * 1024
# No character of XML, so no namespace can hold it.
_SEPARATOR = "\x01"
_ENCODINGS = frozenset({"utf-8", "utf-16", "utf-16le", "utf-16be", "us-ascii", "iso-8859-1"})
_SPACE = " \t\r\n"


@dataclass(slots=True)
class Attribute:
    """An attribute; `namespace` and `prefix` are empty for a plain name."""

    namespace: str
    prefix: str
    local: str
    value: str


@dataclass(slots=True)
class Element:
    """An element with all within it, but a container without; `line` counts from 1, `scope` is prefix to namespace."""

    namespace: str
    prefix: str
    local: str
    line: int
    scope: Mapping[str, str]
    attributes: list[Attribute]
    children: list["Element"] = field(default_factory=list)
    text: str = ""


@dataclass(frozen=True, slots=True)
class Opened:
    """A container begins; `element` has its attributes."""

    element: Element


@dataclass(frozen=True, slots=True)
class Closed:
    """The container that was opened last ends."""


Item = Opened | Closed | Element
# Whether an element is a container, given the local name of the one around it ("" = it is the root).
IsContainer = Callable[[str, Element], bool]


def items(file: BinaryIO, is_container: IsContainer) -> Iterator[Item]:
    """What stands in `file`, from its beginning; SourceError where it is no XML or breaks a limit."""
    file.seek(0)
    builder = _Builder(is_container)
    parsed = fed = 0
    while chunk := file.read(_CHUNK):
        fed += len(chunk)
        builder.parse(chunk)
        yield from builder.taken()
        parsed = max(parsed, builder.parser.CurrentByteIndex)
        if fed - parsed > MAX_TOKEN:
            raise builder.error("xml-too-large", f"a tag, comment or instruction of more than {MAX_TOKEN} bytes")
    builder.parse(b"", final=True)
    yield from builder.taken()


class _Builder:
    """expat's handlers: keeps the elements that are open, and what was completed since the last look."""

    def __init__(self, is_container: IsContainer) -> None:
        self.parser = parser = expat.ParserCreate(namespace_separator=_SEPARATOR)
        parser.namespace_prefixes = True
        parser.ordered_attributes = True
        parser.buffer_text = True
        parser.XmlDeclHandler = self._declaration
        parser.StartDoctypeDeclHandler = self._document_type
        parser.StartNamespaceDeclHandler = self._namespace
        parser.EndNamespaceDeclHandler = self._namespace_ends
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        self._is_container = is_container
        self._done: deque[Item] = deque()
        self._open_containers = [""]
        self._open: list[Element] = []  # within one element that will come whole
        self._texts: list[list[str]] = []
        self._scope: dict[str, str] = {"xml": XML}
        self._hidden: list[tuple[str, str | None]] = []
        self._characters = self._elements = 0

    def parse(self, data: bytes, *, final: bool = False) -> None:
        try:
            self.parser.Parse(data, final)
        except expat.ExpatError as error:
            detail = f"line {error.lineno}, column {error.offset + 1}: {expat.ErrorString(error.code)}"
            raise SourceError("xml-malformed", detail) from error

    def taken(self) -> Iterator[Item]:
        while self._done:
            yield self._done.popleft()

    def error(self, code: str, detail: str) -> SourceError:
        line, column = self.parser.CurrentLineNumber, self.parser.CurrentColumnNumber + 1
        return SourceError(code, f"line {line}, column {column}: {detail}")

    def _declaration(self, version: str, encoding: str | None, standalone: int) -> None:
        # expat asks Python's codecs for any other encoding, and some of those are no encodings of text.
        if encoding is not None and encoding.lower() not in _ENCODINGS:
            raise self.error("xml-encoding", f"the encoding {encoding[:40]!r} is not read; use UTF-8")

    def _document_type(self, *_: object) -> None:
        raise self.error("xml-doctype", "a document type declaration is not read: leave <!DOCTYPE …> out")

    def _namespace(self, prefix: str | None, uri: str | None) -> None:
        name = prefix or ""
        self._hidden.append((name, self._scope.get(name)))
        self._scope = {**self._scope, name: uri or ""}
        if len(self._scope) > MAX_NAMESPACES:
            raise self.error("xml-too-large", f"more than {MAX_NAMESPACES} namespaces")

    def _namespace_ends(self, prefix: str | None) -> None:
        name, before = self._hidden.pop()
        self._scope = dict(self._scope)
        if before is None:
            del self._scope[name]
        else:
            self._scope[name] = before

    def _start(self, name: str, flat: list[str]) -> None:
        if len(self._open_containers) + len(self._open) > MAX_DEPTH:
            raise self.error("xml-too-deep", f"nested deeper than {MAX_DEPTH}")
        if len(flat) > 2 * MAX_ATTRIBUTES:
            raise self.error("xml-too-large", f"an element with more than {MAX_ATTRIBUTES} attributes")
        attributes = [Attribute(*_split(flat[at]), flat[at + 1]) for at in range(0, len(flat), 2)]
        element = Element(*_split(name), self.parser.CurrentLineNumber, self._scope, attributes)
        if not self._open:
            if self._is_container(self._open_containers[-1], element):
                self._open_containers.append(element.local)
                self._done.append(Opened(element))
                return
            self._characters = self._elements = 0
        self._elements += 1
        self._count(len(name) + sum(map(len, flat)))
        if self._open:
            self._open[-1].children.append(element)
        self._open.append(element)
        self._texts.append([])

    def _end(self, name: str) -> None:
        if not self._open:
            self._open_containers.pop()
            self._done.append(Closed())
            return
        element, texts = self._open.pop(), self._texts.pop()
        element.text = "".join(texts)
        if not self._open:
            self._done.append(element)

    def _text(self, text: str) -> None:
        if self._open:
            self._count(len(text))
            self._texts[-1].append(text)
        elif text.strip(_SPACE):
            raise self.error("xml-text", f"{text.strip(_SPACE)[:40]!r} stands where only elements may stand")

    def _count(self, characters: int) -> None:
        self._characters += characters
        if self._characters > MAX_CHARACTERS or self._elements > MAX_ELEMENTS:
            raise self.error(
                "xml-too-large", f"one element of more than {MAX_CHARACTERS} characters or {MAX_ELEMENTS} elements"
            )


def _split(name: str) -> tuple[str, str, str]:
    """Namespace, prefix and local name of what expat calls an element or attribute."""
    parts = name.split(_SEPARATOR)
    if len(parts) == 1:
        return "", "", name
    return parts[0], parts[2] if len(parts) == 3 else "", parts[1]
