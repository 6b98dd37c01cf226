"""Where the members of each event type stand in XML, in the order of the schemas (EPCIS 2.0 and 1.2, section 9.5).

1.2 has wrappers for what came after 1.0: `baseExtension` and `extension`. What came after 1.2 goes where GS1's own
conversion puts it, one `extension` deeper, which the schema of 1.2 lets pass: sensorElementList, persistentDisposition,
certificationInfo, and the AssociationEvent as such. So 1.2 loses nothing.
"""

from collections.abc import Mapping

# A member, or a wrapper with what stands in it.
Place = str | tuple[str, tuple["Place", ...]]

_BASE_2_0: tuple[Place, ...] = (
    *("eventTime", "recordTime", "eventTimeZoneOffset", "eventID", "errorDeclaration", "certificationInfo"),
)
_BASE_1_2: tuple[Place, ...] = (
    *("eventTime", "recordTime", "eventTimeZoneOffset"),
    ("baseExtension", ("eventID", "errorDeclaration", ("extension", ("certificationInfo",)))),
)
_WHY = ("action", "bizStep", "disposition", "readPoint", "bizLocation")
_PARTNERS = ("sourceList", "destinationList")
_NEW = ("sensorElementList", "persistentDisposition")
_MADE = (
    *("inputEPCList", "inputQuantityList", "outputEPCList", "outputQuantityList", "transformationID"),
    *(*_WHY[1:], "bizTransactionList", *_PARTNERS),
)
_BUILT = ("parentID", "childEPCs", "childQuantityList", *_WHY, "bizTransactionList", *_PARTNERS, *_NEW)

EVENTS_2_0: Mapping[str, tuple[Place, ...]] = {
    "ObjectEvent": (*_BASE_2_0, "epcList", *_WHY, "bizTransactionList", "quantityList", *_PARTNERS, *_NEW, "ilmd"),
    "AggregationEvent": (
        *(*_BASE_2_0, "parentID", "childEPCs", *_WHY, "bizTransactionList", "childQuantityList", *_PARTNERS, *_NEW),
    ),
    "TransactionEvent": (
        *(*_BASE_2_0, "bizTransactionList", "parentID", "epcList", *_WHY, "quantityList", *_PARTNERS, *_NEW),
    ),
    "TransformationEvent": (*_BASE_2_0, *_MADE, *_NEW, "ilmd"),
    "AssociationEvent": (*_BASE_2_0, *_BUILT),
}
EVENTS_1_2: Mapping[str, tuple[Place, ...]] = {
    "ObjectEvent": (
        *(*_BASE_1_2, "epcList", *_WHY, "bizTransactionList"),
        ("extension", ("quantityList", *_PARTNERS, "ilmd", ("extension", _NEW))),
    ),
    "AggregationEvent": (
        *(*_BASE_1_2, "parentID", "childEPCs", *_WHY, "bizTransactionList"),
        ("extension", ("childQuantityList", *_PARTNERS, ("extension", _NEW))),
    ),
    "TransactionEvent": (
        *(*_BASE_1_2, "bizTransactionList", "parentID", "epcList", *_WHY),
        ("extension", ("quantityList", *_PARTNERS, ("extension", _NEW))),
    ),
    "TransformationEvent": (*_BASE_1_2, *_MADE, "ilmd", ("extension", _NEW)),
    "AssociationEvent": (*_BASE_1_2, *_BUILT),
}
# Types of someone's own: all that an event can have.
_ALL = (
    *("bizTransactionList", "parentID", "epcList", "childEPCs", "quantityList", "childQuantityList", *_MADE[:5]),
    *(*_WHY, *_PARTNERS, *_NEW, "ilmd"),
)
EXTENDED: Mapping[str, tuple[Place, ...]] = {"2.0": (*_BASE_2_0, *_ALL), "1.2": (*_BASE_1_2, *_ALL)}
# How deep in `extension` an event stands in the event list of 1.2.
DEPTH_1_2: Mapping[str, int] = {"TransformationEvent": 1, "AssociationEvent": 2}
# The lists that the schemas want to see, empty if need be.
REQUIRED: Mapping[str, str] = {
    "ObjectEvent": "epcList",
    "AggregationEvent": "childEPCs",
    "TransactionEvent": "epcList",
}
# The schemas have no empty ones of these; an empty list says what none says.
NEVER_EMPTY = frozenset({"bizTransactionList", "sourceList", "destinationList", "sensorElementList"})
