"""EPCIS 2.0 documents and events as JSON Schema, with the words and limits of our own validator (EPCIS 2.0, 10)."""

from traceability.common import strict_json
from traceability.epcis import context, shapes, values
from traceability.epcis import vocabulary as cbv

from .build import Schema, many, members, number, ref, text, words

# A URI or a CURIE: the name of a member that is not the standard's.
OWN_NAME = rf"^(?:{values.URI})$"
_TIME_DETAIL = "Date and time with zone, such as 2026-03-01T12:00:00.000+08:00."


def _term(vocabulary: cbv.Vocabulary) -> Schema:
    return {
        "description": f"A {vocabulary.name} of CBV 2.0 as a bare word (also in its Web URI), or a URI of one's own.",
        "anyOf": [words(vocabulary.words), text(format="own-term", maxLength=values.MAX_TERM, pattern=OWN_NAME)],
    }


def _open(properties: dict[str, Schema], required: tuple[str, ...] = (), description: str = "") -> Schema:
    """An object that members of one's own may join, under a URI or a CURIE whose prefix the context declares."""
    return {**members(properties, required, description), "patternProperties": {OWN_NAME: ref("Value")}}


def _needs(name: str) -> Schema:
    """Present, and not empty."""
    return {"required": [name], "properties": {name: {"minItems": 1}}}


_URI = ref("Uri")
_TIME = ref("DateTime")
_ID = ref("Identifier")
_EPCS = many(_ID, "Instances, each once.", uniqueItems=True)
_QUANTITIES = many(ref("QuantityElement"))
_DISPOSITIONS = many(ref("Disposition"), minItems=1, maxItems=shapes.MAX_PERSISTENT, uniqueItems=True)
_NUMBERS = ("value", "minValue", "maxValue", "meanValue", "sDev", "percRank", "percValue")
_DEVICE: dict[str, Schema] = {
    "deviceID": text(format="uri-or-curie", maxLength=values.MAX_TERM, pattern=OWN_NAME),
    "deviceMetadata": _URI,
    "rawData": _URI,
    "dataProcessingMethod": _URI,
    "time": _TIME,
}

_COMMON: dict[str, Schema] = {
    "@context": ref("Context"),
    "type": {"type": "string"},
    "eventTime": ref("PastTime"),
    "eventTimeZoneOffset": text("Offset of local time at the event.", pattern=rf"^(?:{values.OFFSET.pattern})$"),
    "recordTime": {**_TIME, "description": "Ignored on capture; in answers, when the log published the event."},
    "eventID": text(
        "Minted from the content where it is missing.",
        format="uri-or-curie",
        maxLength=values.MAX_EVENT_ID,
        pattern=OWN_NAME,
    ),
    "certificationInfo": {"anyOf": [_URI, many(_URI, minItems=1)]},
    "errorDeclaration": ref("ErrorDeclaration"),
}
_W: dict[str, Schema] = {
    "bizStep": ref("BizStep"),
    "disposition": ref("Disposition"),
    "readPoint": ref("Place"),
    "bizLocation": ref("Place"),
    "bizTransactionList": many(ref("BizTransaction")),
    "sourceList": many(ref("Source")),
    "destinationList": many(ref("Destination")),
    "sensorElementList": many(ref("SensorElement")),
    "persistentDisposition": ref("PersistentDisposition"),
}
_ACTION = {"action": words(cbv.ACTION.words, "What becomes of the objects' place in the world.")}
_CHILDREN = {"parentID": _ID, "childEPCs": _EPCS, "childQuantityList": _QUANTITIES}
_OUTPUTS = {"outputEPCList": _EPCS, "outputQuantityList": _QUANTITIES}
_INPUTS = {"inputEPCList": _EPCS, "inputQuantityList": _QUANTITIES}
_ILMD = {"ilmd": ref("Ilmd")}
_HAS_CHILDREN = [_needs("childEPCs"), _needs("childQuantityList"), {"properties": {"action": {"const": "DELETE"}}}]
_HAS_OBJECTS = [{"required": ["epcList"]}, _needs("quantityList")]
_GIVEN, _MADE = [_needs(name) for name in _INPUTS], [_needs(name) for name in _OUTPUTS]


def _event(name: str, own: dict[str, Schema], description: str, *rules: list[Schema]) -> Schema:
    """One event type: its members, and each list of `rules` of which at least one holds."""
    properties = {**_COMMON, "type": {"const": name}, **_W, **own}
    schema = _open(properties, ("type", *shapes.EVENTS[name].required), description)
    if len(rules) == 1:
        return {**schema, "anyOf": rules[0]}
    return {**schema, "allOf": [{"anyOf": rule} for rule in rules]}


EVENTS: dict[str, Schema] = {
    "ObjectEvent": _event(
        "ObjectEvent",
        {**_ACTION, "epcList": _EPCS, "quantityList": _QUANTITIES, **_ILMD},
        "Something happened to the objects themselves: made, seen, shipped, dispensed, destroyed.",
        [*_HAS_OBJECTS, {**_needs("sensorElementList"), "required": ["sensorElementList", "readPoint"]}],
        [{"properties": {"action": {"const": "ADD"}}}, {"properties": {"ilmd": False}}],
    ),
    "AggregationEvent": _event(
        "AggregationEvent",
        {**_ACTION, **_CHILDREN},
        "Things were packed into a container, seen in it, or taken out of it. ADD and DELETE need the parent.",
        _HAS_CHILDREN,
        [{"required": ["parentID"]}, {"properties": {"action": {"const": "OBSERVE"}}}],
    ),
    "AssociationEvent": _event(
        "AssociationEvent",
        {**_ACTION, **_CHILDREN},
        "Something was bound to an asset or a place, such as a logger to a container.",
        _HAS_CHILDREN,
    ),
    "TransactionEvent": _event(
        "TransactionEvent",
        {
            **_ACTION,
            "bizTransactionList": many(ref("BizTransaction"), minItems=1),
            "parentID": _ID,
            "epcList": _EPCS,
            "quantityList": _QUANTITIES,
        },
        "Objects were bound to business documents.",
        [*_HAS_OBJECTS, {"properties": {"action": {"const": "DELETE"}}}],
    ),
    "TransformationEvent": _event(
        "TransformationEvent",
        {**_INPUTS, **_OUTPUTS, "transformationID": _URI, **_ILMD},
        "Inputs were used up to make outputs; in one event, or in several under a transformationID.",
        [
            *({"allOf": [given, made]} for given in _GIVEN for made in _MADE),
            *({"allOf": [{"required": ["transformationID"]}, part]} for part in (*_GIVEN, *_MADE)),
        ],
    ),
}

_OWN_MEMBERS = {**_W, **_ACTION, **_CHILDREN, "epcList": _EPCS, "quantityList": _QUANTITIES, **_INPUTS, **_OUTPUTS}
_OWN_MEMBERS |= {"transformationID": _URI, **_ILMD}
_VOCABULARY_ELEMENT = _open(
    {
        "id": _URI,
        "attributes": many(_open({"id": _URI, "attribute": ref("Value")}, ("id",))),
        "children": many(_URI),
        "isA": ref("Value"),
    },
    ("id",),
)
_HEADER = _open(
    {
        "epcisMasterData": _open(
            {
                "vocabularyList": many(
                    _open({"type": _URI, "vocabularyElementList": many(_VOCABULARY_ELEMENT)}, ("type",))
                )
            }
        )
    },
    description="Master data of the sender about what the events name.",
)


def _document(kind: str, body: Schema, description: str) -> Schema:
    return _open(
        {
            "@context": ref("Context"),
            "id": _URI,
            "type": {"const": kind},
            "schemaVersion": text(pattern=r"^[0-9]+(\.[0-9]+)*$", maxLength=16),
            "creationDate": _TIME,
            "instanceIdentifier": text(minLength=1, format="plain-text"),
            "sender": text(minLength=1, format="plain-text"),
            "receiver": text(minLength=1, format="plain-text"),
            "epcisHeader": _HEADER,
            "epcisBody": body,
        },
        ("@context", "type", "schemaVersion", "creationDate", "epcisBody"),
        description,
    )


_LIST: Schema = members({"eventList": many(ref("Event"))}, ("eventList",))
_RESULTS = _open(
    {
        "queryName": text(minLength=1, format="plain-text"),
        "subscriptionID": text(minLength=1, format="plain-text"),
        "resultsBody": _LIST,
    },
    ("queryName", "resultsBody"),
)

COMPONENTS: dict[str, Schema] = {
    "Uri": text("A URI or a CURIE.", format="uri-or-curie", maxLength=values.MAX_URI, pattern=OWN_NAME),
    "DateTime": text(_TIME_DETAIL, format="date-time"),
    "PastTime": text(f"{_TIME_DETAIL} At most five minutes in the future.", format="past-time"),
    "Identifier": text(
        "What names a thing, a class, a place or a party: a GS1 Digital Link URI, an EPC URN, or another URI. "
        "A GS1 form must be well formed, its check digit included.",
        format="gs1-identifier",
        maxLength=values.MAX_URI,
        pattern=OWN_NAME,
    ),
    "Number": {
        "description": "At most 2^53 - 1 away from 0 (RFC 7493), or 1e21 and more, written with an exponent.",
        "anyOf": [
            number(),
            {"type": "number", "minimum": strict_json.EXPONENT_FROM},
            {"type": "number", "maximum": -strict_json.EXPONENT_FROM},
        ],
    },
    "Value": {
        "description": "Any JSON.",
        "anyOf": [
            {"type": ["string", "boolean", "null"]},
            ref("Number"),
            many(ref("Value")),
            {"type": "object", "additionalProperties": ref("Value")},
        ],
    },
    "Context": {
        "description": "The EPCIS context, alone or in a list with objects that declare prefixes of one's own.",
        "anyOf": [
            words(context.CONTEXT_URLS),
            many(
                {"anyOf": [words(context.CONTEXT_URLS), {"type": "object", "additionalProperties": _URI}]},
                minItems=1,
                contains=words(context.CONTEXT_URLS),
            ),
        ],
    },
    "BizStep": _term(cbv.BIZ_STEP),
    "Disposition": _term(cbv.DISPOSITION),
    "BizTransactionType": _term(cbv.BIZ_TRANSACTION_TYPE),
    "SourceDestinationType": _term(cbv.SOURCE_DESTINATION_TYPE),
    "ErrorReason": _term(cbv.ERROR_REASON),
    "Component": _term(cbv.COMPONENT),
    "MeasurementType": _term(cbv.MEASUREMENT_TYPE),
    "Place": _open({"id": _ID}, ("id",)),
    "QuantityElement": members(
        {
            "epcClass": _ID,
            "quantity": {"anyOf": [{"const": 0}, {"type": "number", "minimum": 1e-9, "maximum": 1e15}]},
            "uom": ref("UnitOfMeasure"),
        },
        ("epcClass",),
        "How many or how much of a class; without a unit, pieces.",
    ),
    "UnitOfMeasure": text("UN/CEFACT Recommendation 20, such as CEL or KGM.", pattern="^[A-Z0-9]{2,3}$"),
    "BizTransaction": members(
        {"type": ref("BizTransactionType"), "bizTransaction": _URI}, ("bizTransaction",), "A business document."
    ),
    "Source": members({"type": ref("SourceDestinationType"), "source": _ID}, ("type", "source")),
    "Destination": members({"type": ref("SourceDestinationType"), "destination": _ID}, ("type", "destination")),
    "PersistentDisposition": {
        **members({"set": _DISPOSITIONS, "unset": _DISPOSITIONS}),
        "anyOf": [{"required": ["set"]}, {"required": ["unset"]}],
    },
    "ErrorDeclaration": _open(
        {
            "declarationTime": ref("PastTime"),
            "reason": ref("ErrorReason"),
            "correctiveEventIDs": many(_URI),
        },
        ("declarationTime",),
        "The event of this eventID did not happen as it was told.",
    ),
    "Ilmd": {
        "type": "object",
        "description": "Of the lot or the instances that this event makes; members are URIs or CURIEs.",
        "properties": {
            "cbvmda:lotNumber": text(minLength=1, maxLength=values.MAX_LOT, format="plain-text"),
            "cbvmda:itemExpirationDate": text("Such as 2030-01-31.", format="date"),
        },
        "patternProperties": {OWN_NAME: ref("Value")},
        "additionalProperties": False,
    },
    "SensorElement": _open(
        {
            "sensorMetadata": {
                **_open({**_DEVICE, "startTime": _TIME, "endTime": _TIME, "bizRules": _URI}),
                "anyOf": [
                    {"required": ["startTime", "endTime"]},
                    {"not": {"anyOf": [{"required": ["startTime"]}, {"required": ["endTime"]}]}},
                ],
            },
            "sensorReport": many(ref("SensorReport"), minItems=1),
        },
        ("sensorReport",),
        "What a sensor observed.",
    ),
    "SensorReport": {
        **_open(
            {
                **_DEVICE,
                "bizRules": _URI,
                "type": ref("MeasurementType"),
                "exception": words(cbv.SENSOR_EXCEPTION.words),
                "microorganism": _URI,
                "chemicalSubstance": _URI,
                "coordinateReferenceSystem": _URI,
                "component": ref("Component"),
                "stringValue": text(minLength=1, format="plain-text"),
                "hexBinaryValue": text(pattern="^[0-9A-Fa-f]+$", maxLength=values.MAX_TEXT),
                "booleanValue": {"type": "boolean"},
                "uriValue": _URI,
                "uom": ref("UnitOfMeasure"),
                **dict.fromkeys(_NUMBERS, ref("Number")),
            }
        ),
        "anyOf": [{"required": ["type"]}, {"required": ["exception"]}],
    },
    **EVENTS,
    "ExtendedEvent": _open(
        {
            **_COMMON,
            **_OWN_MEMBERS,
            "type": text("Of one's own.", format="own-term", pattern=OWN_NAME, maxLength=values.MAX_EVENT_TYPE),
        },
        ("type", "eventTime", "eventTimeZoneOffset"),
        "An event of a type that is not the standard's; the standard's members keep their form.",
    ),
    "Event": {"anyOf": [ref(name) for name in (*EVENTS, "ExtendedEvent")]},
    "EPCISDocument": _document("EPCISDocument", _LIST, "Events on their way to someone."),
    "EPCISQueryDocument": _document(
        "EPCISQueryDocument", members({"queryResults": _RESULTS}, ("queryResults",)), "Events as a query answered them."
    ),
}
