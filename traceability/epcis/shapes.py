"""The parts that events share, as tables: which members each has, how each is checked, which must be there."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from . import values
from . import vocabulary as cbv
from .context import PREFIXES
from .values import Check, Scope


@dataclass(frozen=True)
class Shape:
    """An object: its members, those it must have, whether names of its own (URIs, CURIEs) may join them."""

    name: str
    members: Mapping[str, Check]
    required: tuple[str, ...] = ()
    open: bool = False

    def __call__(self, value: Any, scope: Scope) -> None:
        if not values.is_object(value, scope):
            return
        for name in self.required:
            if name not in value:
                with scope.faults.at(name):
                    scope.add("missing", f"{self.name} needs {name}")
        path = scope.faults.path
        for name, member in value.items():
            path.append(name)
            check = self.members.get(name)
            if check is not None:
                check(member, scope)
            elif not self.open:
                scope.add("unknown-field", f"{self.name} has no member {name[:80]!r}")
            else:
                _extension(name, member, scope)
            path.pop()


def _extension(name: str, value: Any, scope: Scope) -> None:
    """A member of someone's own: a URI or a CURIE with a declared prefix, and so are all names within it."""
    values.own_name(name, scope)
    todo = [value] if isinstance(value, dict | list) else []
    while todo:
        item = todo.pop()
        if isinstance(item, dict):
            for inner in item:
                if ":" in inner:
                    values.own_name(inner, scope)
        members = item.values() if isinstance(item, dict) else item
        todo.extend(member for member in members if isinstance(member, dict | list))


def anything(value: Any, scope: Scope) -> None:
    """Content of an extension: any JSON."""


# Of a lot's attributes, those that we read: others are kept as they are.
_MASTER_ATTRIBUTES: dict[str, Check] = {
    f"{prefix}{name}": check
    for name, check in (("lotNumber", values.at_most(values.MAX_LOT, values.text)), ("itemExpirationDate", values.day))
    for prefix in ("cbvmda:", PREFIXES["cbvmda"])
}


def _ilmd(value: Any, scope: Scope) -> None:
    if values.is_object(value, scope):
        for name, member in value.items():
            with scope.faults.at(name):
                _MASTER_ATTRIBUTES.get(name, anything)(member, scope)
                _extension(name, member, scope)


def _certification(value: Any, scope: Scope) -> None:
    if isinstance(value, list):
        values.list_of(values.uri, minimum=1)(value, scope)
    else:
        values.uri(value, scope)


QUANTITY = Shape(
    "quantityElement", {"epcClass": values.identifier, "quantity": values.quantity, "uom": values.uom}, ("epcClass",)
)
BIZ_TRANSACTION = Shape(
    "bizTransaction",
    {"type": values.term(cbv.BIZ_TRANSACTION_TYPE), "bizTransaction": values.uri},
    ("bizTransaction",),
)
_SDT = values.term(cbv.SOURCE_DESTINATION_TYPE)
SOURCE = Shape("source", {"type": _SDT, "source": values.identifier}, ("type", "source"))
DESTINATION = Shape("destination", {"type": _SDT, "destination": values.identifier}, ("type", "destination"))
PLACE = Shape("place", {"id": values.identifier}, ("id",), open=True)
_DISPOSITION = values.term(cbv.DISPOSITION)
MAX_PERSISTENT = 10
PERSISTENT_DISPOSITION = Shape(
    "persistentDisposition",
    {
        "set": values.list_of(_DISPOSITION, minimum=1, maximum=MAX_PERSISTENT, unique=True),
        "unset": values.list_of(_DISPOSITION, minimum=1, maximum=MAX_PERSISTENT, unique=True),
    },
)
ERROR_DECLARATION = Shape(
    "errorDeclaration",
    {
        "declarationTime": values.time,
        "reason": values.term(cbv.ERROR_REASON),
        "correctiveEventIDs": values.list_of(values.uri),
    },
    ("declarationTime",),
    open=True,
)
_DEVICE = {
    "deviceID": values.at_most(values.MAX_TERM, values.uri),
    "deviceMetadata": values.uri,
    "rawData": values.uri,
    "dataProcessingMethod": values.uri,
    "time": values.time,
}
SENSOR_METADATA = Shape(
    "sensorMetadata",
    {**_DEVICE, "startTime": values.time, "endTime": values.time, "bizRules": values.uri},
    open=True,
)
SENSOR_REPORT = Shape(
    "sensorReport",
    {
        **_DEVICE,
        "bizRules": values.uri,  # a member of sensorMetadata that circulating documents repeat here
        "type": values.term(cbv.MEASUREMENT_TYPE),
        "exception": values.one_of(cbv.SENSOR_EXCEPTION),
        "microorganism": values.uri,
        "chemicalSubstance": values.uri,
        "coordinateReferenceSystem": values.uri,
        "component": values.term(cbv.COMPONENT),
        "stringValue": values.text,
        "hexBinaryValue": values.hexadecimal,
        "booleanValue": values.boolean,
        "uriValue": values.uri,
        "uom": values.uom,
        **dict.fromkeys(("value", "minValue", "maxValue", "meanValue", "sDev", "percRank", "percValue"), values.number),
    },
    open=True,
)
SENSOR_ELEMENT = Shape(
    "sensorElement",
    {"sensorMetadata": SENSOR_METADATA, "sensorReport": values.list_of(SENSOR_REPORT, minimum=1)},
    ("sensorReport",),
    open=True,
)

_COMMON: dict[str, Check] = {
    "@context": anything,
    "type": values.at_most(values.MAX_EVENT_TYPE, values.text),
    "eventTime": values.time,
    "eventTimeZoneOffset": values.offset,
    "recordTime": values.time,
    "eventID": values.at_most(values.MAX_EVENT_ID, values.uri),
    "certificationInfo": _certification,
    "errorDeclaration": ERROR_DECLARATION,
}
_W: dict[str, Check] = {
    "bizStep": values.term(cbv.BIZ_STEP),
    "disposition": _DISPOSITION,
    "readPoint": PLACE,
    "bizLocation": PLACE,
    "bizTransactionList": values.list_of(BIZ_TRANSACTION),
    "sourceList": values.list_of(SOURCE),
    "destinationList": values.list_of(DESTINATION),
    "sensorElementList": values.list_of(SENSOR_ELEMENT),
    # Contested among implementations on three of the types: accepted everywhere.
    "persistentDisposition": PERSISTENT_DISPOSITION,
}
_ACTION: dict[str, Check] = {"action": values.one_of(cbv.ACTION)}
_EPCS = values.list_of(values.identifier, unique=True)
_QUANTITIES = values.list_of(QUANTITY)
_CHILDREN: dict[str, Check] = {
    "parentID": values.identifier,
    "childEPCs": _EPCS,
    "childQuantityList": _QUANTITIES,
}
_TIMES = ("eventTime", "eventTimeZoneOffset")

EVENTS: dict[str, Shape] = {
    "ObjectEvent": Shape(
        "ObjectEvent",
        {**_COMMON, **_W, **_ACTION, "epcList": _EPCS, "quantityList": _QUANTITIES, "ilmd": _ilmd},
        (*_TIMES, "action"),
        open=True,
    ),
    "AggregationEvent": Shape(
        "AggregationEvent", {**_COMMON, **_W, **_ACTION, **_CHILDREN}, (*_TIMES, "action"), open=True
    ),
    "AssociationEvent": Shape(
        "AssociationEvent", {**_COMMON, **_W, **_ACTION, **_CHILDREN}, (*_TIMES, "action", "parentID"), open=True
    ),
    "TransactionEvent": Shape(
        "TransactionEvent",
        {
            **_COMMON,
            **_W,
            **_ACTION,
            "parentID": values.identifier,
            "epcList": _EPCS,
            "quantityList": _QUANTITIES,
            "bizTransactionList": values.list_of(BIZ_TRANSACTION, minimum=1),
        },
        (*_TIMES, "action", "bizTransactionList"),
        open=True,
    ),
    "TransformationEvent": Shape(
        "TransformationEvent",
        {
            **_COMMON,
            **_W,
            "inputEPCList": _EPCS,
            "inputQuantityList": _QUANTITIES,
            "outputEPCList": _EPCS,
            "outputQuantityList": _QUANTITIES,
            "transformationID": values.uri,
            "ilmd": _ilmd,
        },
        _TIMES,
        open=True,
    ),
}
# An event type of someone's own: the standard's members, where it has them, keep their form.
EXTENDED = Shape(
    "event", {name: check for shape in EVENTS.values() for name, check in shape.members.items()}, _TIMES, open=True
)
