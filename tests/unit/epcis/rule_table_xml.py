"""The table of rules in XML: refused cases that the writer does not write, by hand, and those that XML cannot spell.

Keys are a rule's sentence, or `kind: sentence` where kinds differ. What stands here takes the place of the member that
`bad` of the row is about; all else of the event is the writer's.
"""

from dataclasses import dataclass

from .rule_table import GLN, TIME, URI
from .samples import CONTEXT, LOT, PACK

_OURS = "https://ours.example/ns/"
_EXTENSION = f'<ours:x xmlns:ours="{_OURS}">1</ours:x>'
_LISTS = (
    *("bizTransactionList", "sourceList", "destinationList", "sensorElementList"),
    *("epcList", "childEPCs", "inputEPCList", "outputEPCList"),
    *("quantityList", "childQuantityList", "inputQuantityList", "outputQuantityList"),
)
_OBJECTS = {
    **dict.fromkeys(("readPoint", "bizLocation"), f"<id>{GLN}</id>"),
    "persistentDisposition": "<set>active</set>",
    "errorDeclaration": f"<declarationTime>{TIME}</declarationTime>",
    "ilmd": _EXTENSION,
}
_NUMBERS = ("value", "maxValue", "meanValue", "sDev", "percRank", "percValue")


def _quantity(inner: str) -> str:
    return f"<quantityList><quantityElement>{inner}</quantityElement></quantityList>"


def _sensed(inner: str) -> str:
    return f"<sensorElementList><sensorElement>{inner}</sensorElement></sensorElementList>"


def _member(inner: str) -> str:
    """`@context` by the element that names any member."""
    return f'<d:member xmlns:d="urn:dosetrail:xml" name="@context"{inner}</d:member>'


BY_HAND: dict[str, str] = {
    # Where a list should be, a text; where one element should be, two.
    **{f"{name} has its form (type)": f"<{name}>loose</{name}>" for name in _LISTS},
    **{f"{name} has its form (type)": 2 * f"<{name}>{inner}</{name}>" for name, inner in _OBJECTS.items()},
    # The writer leaves out what says nothing, or what the standard's element has no place for.
    **{f"has no {name}": f"<{name}/>" for name in ("epcList", "quantityList")},
    "and has one or more": "<bizTransactionList/>",
    "for DELETE too": "<bizTransactionList/>",
    "quantityList/0: epcClass must be there": _quantity("<quantity>1</quantity>"),
    "quantityList/0: quantity is a number": _quantity(f"<epcClass>{LOT}</epcClass><quantity>one</quantity>"),
    "an amount is a number": _quantity(f"<epcClass>{LOT}</epcClass><quantity>true</quantity>"),
    "quantityList/0: is closed": _quantity(f"<epcClass>{LOT}</epcClass>{_EXTENSION}"),
    "bizTransactionList/0: bizTransaction must be there, type need not": (
        '<bizTransactionList><bizTransaction type="urn:epcglobal:cbv:btt:po"/></bizTransactionList>'
    ),
    "bizTransactionList/0: is closed": (
        f"<bizTransactionList><bizTransaction>{URI}{_EXTENSION}</bizTransaction></bizTransactionList>"
    ),
    **{
        f"{name}List/0: {says}": (
            f'<{name}List><{name} type="urn:epcglobal:cbv:sdt:location">{inner}</{name}></{name}List>'
        )
        for name in ("source", "destination")
        for says, inner in ((f"{name} must be there", ""), ("is closed", GLN + _EXTENSION))
    },
    **{
        f"{name}: id must be there": f'<{name}><ours:dock xmlns:ours="{_OURS}">1</ours:dock></{name}>'
        for name in ("readPoint", "bizLocation")
    },
    "persistentDisposition: is closed": (
        f"<persistentDisposition><set>active</set>{_EXTENSION}</persistentDisposition>"
    ),
    "errorDeclaration: declarationTime must be there": (
        "<errorDeclaration><reason>urn:epcglobal:cbv:er:incorrect_data</reason></errorDeclaration>"
    ),
    "sensorElementList/0: sensorReport must be there": _sensed("<sensorMetadata/>"),
    "sensorElementList/0: sensorMetadata is an object": _sensed(
        '<sensorMetadata/><sensorMetadata/><sensorReport type="gs1:Temperature"/>'
    ),
    **{
        f"sensorElementList/0/sensorReport/0: {name} has its form": _sensed(
            f'<sensorReport type="gs1:Temperature" {name}="five"/>'
        )
        for name in (*_NUMBERS, "booleanValue")
    },
    "sensorElementList/0/sensorReport/0: stringValue has its form": _sensed(
        '<sensorReport type="gs1:Temperature" stringValue="warm"><stringValue>cold</stringValue></sensorReport>'
    ),
    # A URN that XML knows, of the wrong vocabulary.
    "JSON has no URNs of CBV": "<bizStep>urn:epcglobal:cbv:disp:active</bizStep>",
    **{
        f"{kind}: the event's own context declares prefixes": '<ours:x xmlns:ours="no uri">1</ours:x>'
        for kind in ("TransactionEvent", "AssociationEvent", "TransformationEvent")
    },
    # Prefixes of XML are bound to namespaces and renamed where JSON gives them a meaning: what is left is the member.
    "the prefixes of EPCIS keep their meaning": _member(f"><cbvmda>{URI}</cbvmda>"),
    "members of the standard are not renamed": _member(f"><bizStep>{URI}</bizStep>"),
    "a context from elsewhere is not fetched": _member(f">{URI}"),
    "a context is an address or prefixes": (
        _member(f">{CONTEXT}") + _member(' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:nil="true">')
    ),
}


@dataclass(frozen=True)
class Unspelled:
    """Why XML has no such case, the nearest that it has, and the faults of that, as (field, code)."""

    reason: str
    nearest: str
    faults: tuple[tuple[str, str], ...] = ()


_SENSED = "sensorElementList/0/sensorReport"
NOT_IN_XML: dict[str, Unspelled] = {
    "a list of certificationInfo is not empty": Unspelled("a list of no elements is no list", ""),
    **{
        f"{name} has each identifier once": Unspelled(
            "an EPC that stands twice is read once", f"<{name}>{2 * f'<epc>{PACK}C</epc>'}</{name}>"
        )
        for name in ("epcList", "childEPCs", "inputEPCList", "outputEPCList")
    },
    "type must be there": Unspelled(
        "the name of the event's element is its type, and no element is without",
        '<d:member xmlns:d="urn:dosetrail:xml" name="type"/>',
        (("type", "event-type"), ("type", "type")),
    ),
    **{
        f"persistentDisposition: {name} is not empty": Unspelled(
            "an element that stands for one word of a list is there, or is not",
            f"<persistentDisposition><{name}/></persistentDisposition>",
            ((f"persistentDisposition/{name}/0", "length"),),
        )
        for name in ("set", "unset")
    },
    "sensorElementList/0: sensorReport has one or more": Unspelled(
        "a list of no elements is no list", _sensed("<sensorMetadata/>"), ((f"{_SENSED}", "missing"),)
    ),
    "a number is finite": Unspelled(
        "a number that no double holds stays the text that it is",
        _sensed('<sensorReport type="gs1:Temperature" value="1e999"/>'),
        ((f"{_SENSED}/0/value", "type"),),
    ),
    "a text has no NUL": Unspelled(
        "no XML has the character NUL; its picture is a character that no URI has",
        "<eventID>urn:x:␀</eventID>",
        (("eventID", "uri"),),
    ),
}
