"""EPCISHeader: who sends a document to whom (SBDH), and the master data that comes with it (EPCIS 2.0, section 9.8)."""

from collections.abc import Mapping
from typing import Any

from .content import VALUE, extension, leaf, list_of, members, renamed, structure
from .elements import Element
from .names import GS1_US, SBDH, Prefixes

# What stands in a header is spelled under these prefixes, whatever the file calls them.
PREFIXES: Mapping[str, str] = {SBDH: "sbdh", GS1_US: "gs1ushc"}
BUSINESS_HEADER = "sbdh:StandardBusinessDocumentHeader"
# The members of a document to the names within the business header that say the same.
PARTIES: Mapping[str, tuple[str, ...]] = {
    "sender": ("sbdh:Sender", "sbdh:Identifier"),
    "receiver": ("sbdh:Receiver", "sbdh:Identifier"),
    "instanceIdentifier": ("sbdh:DocumentIdentification", "sbdh:InstanceIdentifier"),
}


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
_MASTER_DATA = renamed(
    structure({"VocabularyList": list_of("Vocabulary", _VOCABULARY)}), {"VocabularyList": "vocabularyList"}
)


def read(element: Element, prefixes: Prefixes) -> dict[str, Any]:
    """The header in its JSON form; the business header and other people's elements are in it as extensions."""
    found = members(element, prefixes, {"EPCISMasterData": _MASTER_DATA})
    return {"epcisMasterData" if name == "EPCISMasterData" else name: value for name, value in found.items()}


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
