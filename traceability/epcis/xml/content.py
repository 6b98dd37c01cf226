"""The content of XML elements in the form that JSON gives it (EPCIS 2.0, sections 9 and 10).

Nothing of an element is left out. What has no place in the standard takes a form that the validator refuses under its
own pointer: an unknown element or attribute stands under its name, an element that stands twice becomes a list, and
text where only elements may stand the member `#text`. A number that no double holds, or a truth value that is none,
stays the text it was.

Extensions have no types in XML: their values are texts, or objects by the names within; elements of one name become a
list. Text beside attributes or elements is the member `rdf:value`.
"""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

from traceability.common import strict_json
from traceability.epcis.source import SourceError
from traceability.epcis.vocabulary import Vocabulary

from .elements import Attribute, Element
from .names import MEMBER, STANDARD, XSI, Prefixes

VALUE = "rdf:value"
TEXT = "#text"
_SPACE = " \t\r\n"
_NUMBER = re.compile(r"([+-]?)([0-9]*)(?:\.([0-9]*))?(?:[eE]([+-]?[0-9]{1,4}))?")
_MAX_NUMBER = 400
_TRUTH = {"true": True, "1": True, "false": False, "0": False}
# Wrappers of EPCIS 1.x: what stands in them are members of the element around them.
_TRANSPARENT = frozenset({"extension", "baseExtension"})

Read = Callable[[Element, Prefixes], Any]
ReadText = Callable[[str], Any]


def number(text: str) -> Any:
    """The number that an XML decimal or double stands for, by the rules of strict JSON; else the text."""
    found = _NUMBER.fullmatch(text)
    if found is None or not (found[2] or found[3]) or len(text) > _MAX_NUMBER:
        return text
    sign, whole, fraction, exponent = found.groups()
    fraction = (fraction or "").rstrip("0")
    literal = (
        ("-" if sign == "-" else "")
        + ((whole or "").lstrip("0") or "0")
        + (f".{fraction}" if fraction else "")
        + (f"e{exponent}" if exponent else "")
    )
    try:
        return strict_json.loads(literal.encode())
    except strict_json.StrictJsonError:
        return text


def boolean(text: str) -> Any:
    """true or false; any other text as it is."""
    return _TRUTH.get(text, text)


def term(vocabulary: Vocabulary, urn: str = "") -> ReadText:
    """The bare word of a CBV term in whatever spelling; `urn` is the word's URN before it."""

    def read(text: str) -> str:
        if urn and text.startswith(urn):
            return text.removeprefix(urn)
        word = vocabulary.bare(text)
        return word if word in vocabulary.words else text

    return read


def plain(text: str) -> str:
    """The text."""
    return text


def leaf(read: ReadText = plain) -> Read:
    """An element of text alone."""

    def read_leaf(element: Element, prefixes: Prefixes) -> Any:
        if element.children or any(True for _ in _attributes(element, prefixes, {})):
            return members(element, prefixes, {})
        return read(element.text.strip(_SPACE))

    return read_leaf


def structure(
    known: Mapping[str, Read], *, attributes: Mapping[str, ReadText] | None = None, lists: Collection[str] = ()
) -> Read:
    """An element of known elements and attributes, and of extensions; those in `lists` may stand more than once."""

    def read_structure(element: Element, prefixes: Prefixes) -> Any:
        found = members(element, prefixes, known, attributes)
        for name in lists:
            if name in found and not isinstance(found[name], list):
                found[name] = [found[name]]
        return found

    return read_structure


def list_of(name: str, read: Read, *, once: bool = False) -> Read:
    """A list: an element of nothing but elements called `name`; if `once`, what stands twice is read once."""

    def read_list(element: Element, prefixes: Prefixes) -> Any:
        text = element.text.strip(_SPACE)
        if text and not element.children:
            return text
        found: list[Any] = [{TEXT: text}] if text else []
        found += [{name: value} for name, value in _attributes(element, prefixes, {})]
        for child in element.children:
            if child.local == name and child.namespace in STANDARD:
                found.append(read(child, prefixes))
            else:
                found.append({key(child, prefixes): extension(child, prefixes)})
        if once and all(isinstance(item, str) for item in found):
            return list(dict.fromkeys(found))
        return found

    return read_list


def typed(name: str, read_type: ReadText) -> Read:
    """An element whose text is the member `name` and whose attribute is `type`, such as a bizTransaction."""

    def read_typed(element: Element, prefixes: Prefixes) -> Any:
        found = members(element, prefixes, {}, {"type": read_type})
        if TEXT in found:
            found[name] = found.pop(TEXT)
        return found

    return read_typed


def renamed(read: Read, names: Mapping[str, str]) -> Read:
    """As `read`, with the names that JSON gives these members; SourceError where one stands under both names."""

    def read_renamed(element: Element, prefixes: Prefixes) -> Any:
        found = read(element, prefixes)
        for old, new in names.items():
            if old in found and new in found:
                raise SourceError("xml-misplaced", f"line {element.line}: {new} stands beside {old}")
        return {names.get(name, name): value for name, value in found.items()}

    return read_renamed


def members(
    element: Element,
    prefixes: Prefixes,
    known: Mapping[str, Read],
    attributes: Mapping[str, ReadText] | None = None,
) -> dict[str, Any]:
    """The attributes and elements within as members of an object."""
    found: dict[str, Any] = {}
    repeated: set[str] = set()
    for name, value in _attributes(element, prefixes, attributes or {}):
        _put(found, repeated, name, value)
    for child in _flattened(element):
        name = key(child, prefixes)
        read = known.get(child.local) if child.namespace in STANDARD else None
        if read is None and child.namespace in STANDARD and child.local in _TRANSPARENT:
            for inner, value in _attributes(child, prefixes, {}):
                _put(found, repeated, inner, value)
            if text := child.text.strip(_SPACE):
                _put(found, repeated, TEXT, text)
            continue
        if read is None and _is_nil(child):
            _put(found, repeated, name, None)
        elif not _is_nil(child):
            _put(found, repeated, name, (read or extension)(child, prefixes))
    if text := element.text.strip(_SPACE):
        _put(found, repeated, TEXT, text)
    return found


def extension(element: Element, prefixes: Prefixes) -> Any:
    """The value of an element of someone's own, and of one that has no business where it stands."""
    text = element.text
    attributes = list(_own_attributes(element))
    if not any(_is_space(one) and one.value == "preserve" for one in element.attributes):
        text = text.strip(_SPACE)
    if not attributes and not element.children:
        return text
    found: dict[str, Any] = {}
    repeated: set[str] = set()
    for one in attributes:
        _put(found, repeated, prefixes.name(one.namespace, one.prefix, one.local), one.value)
    for child in element.children:
        _put(found, repeated, key(child, prefixes), None if _is_nil(child) else extension(child, prefixes))
    if text.strip(_SPACE) or (text and not element.children):
        _put(found, repeated, VALUE, text)
    return found


def _flattened(element: Element) -> Iterator[Element]:
    """The elements within, those in the wrappers of EPCIS 1.x too; a wrapper itself comes before what is in it."""
    todo = list(reversed(element.children))
    while todo:
        child = todo.pop()
        yield child
        if child.namespace in STANDARD and child.local in _TRANSPARENT:
            todo.extend(reversed(child.children))


def _attributes(element: Element, prefixes: Prefixes, known: Mapping[str, ReadText]) -> Iterator[tuple[str, Any]]:
    for one in _own_attributes(element):
        if one.namespace not in STANDARD:
            yield prefixes.name(one.namespace, one.prefix, one.local), one.value
        else:
            read = known.get(one.local)
            yield one.local, read(one.value) if read else one.value


def key(element: Element, prefixes: Prefixes) -> str:
    """The name that an element has as a member."""
    for one in element.attributes:
        if _is_member_name(element, one):
            return one.value
    if element.namespace in STANDARD:
        return element.local
    return prefixes.name(element.namespace, element.prefix, element.local)


def _own_attributes(element: Element) -> Iterator[Attribute]:
    """The attributes that say something, and not only how the element is to be read."""
    for one in element.attributes:
        if one.namespace != XSI and not _is_space(one) and not _is_member_name(element, one):
            yield one


def _is_member_name(element: Element, attribute: Attribute) -> bool:
    is_member = element.namespace == MEMBER and element.local == "member"
    return is_member and not attribute.namespace and attribute.local == "name"


def _put(found: dict[str, Any], repeated: set[str], name: str, value: Any) -> None:
    if name not in found:
        found[name] = value
    elif name in repeated:
        found[name].append(value)
    else:
        found[name] = [found[name], value]
        repeated.add(name)


def _is_nil(element: Element) -> bool:
    nil = any(one.namespace == XSI and one.local == "nil" and one.value in ("true", "1") for one in element.attributes)
    return nil and not (element.children or element.text.strip(_SPACE) or any(True for _ in _own_attributes(element)))


def _is_space(attribute: Attribute) -> bool:
    return attribute.prefix == "xml" and attribute.local == "space"
