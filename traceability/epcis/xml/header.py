"""EPCISHeader: who sends a document to whom (SBDH), and the master data that comes with it (EPCIS 2.0, section 9.8)."""

from collections.abc import Mapping
from typing import Any

from traceability.gs1 import epc
from traceability.gs1.errors import Gs1Error

from . import markup
from .content import VALUE, extension, leaf, list_of, renamed, structure
from .elements import Element
from .markup import Names, each, element, extensions, scalar, text
from .names import GS1_US, SBDH, Prefixes
from .spelling import Spelling

# What stands in a header is spelled under these prefixes, whatever the file calls them.
PREFIXES: Mapping[str, str] = {SBDH: "sbdh", GS1_US: "gs1ushc"}
NAMESPACES = {prefix: namespace for namespace, prefix in PREFIXES.items()}
BUSINESS_HEADER = "sbdh:StandardBusinessDocumentHeader"
# The members of a document to the names within the business header that say the same.
PARTIES: Mapping[str, tuple[str, ...]] = {
    "sender": ("sbdh:Sender", "sbdh:Identifier"),
    "receiver": ("sbdh:Receiver", "sbdh:Identifier"),
    "instanceIdentifier": ("sbdh:DocumentIdentification", "sbdh:InstanceIdentifier"),
}
_GLNS, _GLN_DIGITS = ("https://id.gs1.org/417/", "https://id.gs1.org/414/"), 13


def _attribute(element: Element, prefixes: Prefixes) -> dict[str, Any]:
    """`<attribute id="…">`: its content is a text, or elements of someone's own."""
    named = [one for one in element.attributes if not one.namespace and one.local == "id"]
    element.attributes = [one for one in element.attributes if one not in named]
    return {**{one.local: one.value for one in named}, "attribute": extension(element, prefixes)}


_ELEMENT = renamed(
    structure({"attribute": _attribute, "children": list_of("id", leaf())}, lists=("attribute",)),
    {"attribute": "attributes"},
)
_VOCABULARY = renamed(
    structure({"VocabularyElementList": list_of("VocabularyElement", _ELEMENT)}),
    {"VocabularyElementList": "vocabularyElementList"},
)
VOCABULARIES = list_of("Vocabulary", _VOCABULARY)
_MASTER_DATA = renamed(structure({"VocabularyList": VOCABULARIES}), {"VocabularyList": "vocabularyList"})


_HEADER = renamed(structure({"EPCISMasterData": _MASTER_DATA}), {"EPCISMasterData": "epcisMasterData"})


def read(element: Element, prefixes: Prefixes) -> dict[str, Any]:
    """The header in its JSON form; the business header and other people's elements are in it as extensions."""
    found: dict[str, Any] = _HEADER(element, prefixes)
    return found


def parties(header: Mapping[str, Any]) -> dict[str, str]:
    """sender, receiver and instanceIdentifier as the business header names them; the first of several."""
    found = {}
    for member, path in PARTIES.items():
        value: Any = header.get(BUSINESS_HEADER)
        for name in path:
            value = value.get(name) if isinstance(value, dict) else None
            value = value[0] if isinstance(value, list) else value
        value = value.get(VALUE) if isinstance(value, dict) else value
        if isinstance(value, str) and value:
            found[member] = value
    return found


def written(document: Mapping[str, Any], names: Names, *, version: str, spelling: Spelling) -> str:
    """EPCISHeader in XML; nothing where the document has none and says neither sender nor receiver.

    Master data is of things that the events name: it spells them as those do.
    """
    given = dict(document.get("epcisHeader", {}))
    master_data = given.pop("epcisMasterData", None)
    business = given.pop(BUSINESS_HEADER, None) or _business_header(document, version)
    if not (given or business or master_data is not None):
        return ""
    found = ""
    if business:
        found += markup.extension(BUSINESS_HEADER, business, names)
    if master_data is not None:
        found += element("extension", element("EPCISMasterData", _master_data(master_data, names, spelling)))
    return element("EPCISHeader", found + extensions(given, names)) + "\n"


def _business_header(document: Mapping[str, Any], version: str) -> dict[str, Any]:
    """A Standard Business Document Header of what the document says of itself; empty where it says nothing."""
    if not any(name in document for name in PARTIES):
        return {}
    found: dict[str, Any] = {"sbdh:HeaderVersion": "1.0"}
    for role, name in (("sbdh:Sender", "sender"), ("sbdh:Receiver", "receiver")):
        if name in document:
            found[role] = {"sbdh:Identifier": _identifier(document[name])}
    found["sbdh:DocumentIdentification"] = {
        "sbdh:Standard": "EPCglobal",
        "sbdh:TypeVersion": version,
        "sbdh:InstanceIdentifier": document.get("instanceIdentifier", document["creationDate"]),
        "sbdh:Type": "Events",
        "sbdh:CreationDateAndTime": document["creationDate"],
    }
    return found


def _identifier(partner: str) -> str | dict[str, str]:
    """A party as the business header names it: by its GLN under the authority GS1, or as it is (SBDH guide of GS1)."""
    try:
        key = epc.canonical(partner)
    except Gs1Error:
        return partner
    gln = next((key.removeprefix(start) for start in _GLNS if key.startswith(start)), "")
    return {"Authority": "GS1", VALUE: gln} if len(gln) == _GLN_DIGITS else partner


def _master_data(master_data: Mapping[str, Any], names: Names, spelling: Spelling) -> str:
    found = ""
    for vocabulary in master_data.get("vocabularyList", ()):
        listed = "".join(
            _vocabulary_element(one, names, spelling) for one in vocabulary.get("vocabularyElementList", ())
        )
        rest = {name: one for name, one in vocabulary.items() if name not in ("type", "vocabularyElementList")}
        content = (element("VocabularyElementList", listed) if listed else "") + extensions(rest, names)
        found += element("Vocabulary", content, [("type", vocabulary["type"])])
    rest = {name: one for name, one in master_data.items() if name != "vocabularyList"}
    return element("VocabularyList", found) + extensions(rest, names)


def _vocabulary_element(one: Mapping[str, Any], names: Names, spelling: Spelling) -> str:
    found = "".join(_attribute_written(attribute, names) for attribute in one.get("attributes", ()))
    if one.get("children"):
        found += element("children", each("id", (text(spelling.epc(child)) for child in one["children"])))
    rest = {name: value for name, value in one.items() if name not in ("id", "attributes", "children")}
    return element("VocabularyElement", found + extensions(rest, names), [("id", spelling.epc(one["id"]))])


def _attribute_written(attribute: Mapping[str, Any], names: Names) -> str:
    """An attribute of master data: its content is a text, or an object whose members are elements."""
    value = attribute.get("attribute", "")
    rest = [(name, scalar(one)) for name, one in attribute.items() if name not in ("id", "attribute")]
    content = extensions(value, names) if isinstance(value, Mapping) else text(scalar(value))
    return element("attribute", content, [("id", attribute["id"]), *rest])
