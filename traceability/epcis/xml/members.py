"""Which elements and attributes of EPCIS XML become which members of JSON, as tables (EPCIS 2.0, section 9)."""

from traceability.epcis import vocabulary as cbv

from .content import Read, boolean, leaf, list_of, number, structure, term, typed

_URN = "urn:epcglobal:cbv:"
_DISPOSITION = leaf(term(cbv.DISPOSITION, f"{_URN}disp:"))
_SDT = term(cbv.SOURCE_DESTINATION_TYPE, f"{_URN}sdt:")
_TEXT = leaf()
# The schemas of XML let an EPC stand twice, those of JSON do not; a set of things has it once.
_EPCS = list_of("epc", _TEXT, once=True)
_QUANTITIES = list_of("quantityElement", structure({"epcClass": _TEXT, "quantity": leaf(number), "uom": _TEXT}))
_PLACE = structure({"id": _TEXT})
_ERROR_DECLARATION = structure(
    {
        "declarationTime": _TEXT,
        "reason": leaf(term(cbv.ERROR_REASON, f"{_URN}er:")),
        "correctiveEventIDs": list_of("correctiveEventID", _TEXT),
    }
)
_NUMBERS = ("value", "minValue", "maxValue", "meanValue", "sDev", "percRank", "percValue")
_SENSOR_ELEMENT = structure(
    {
        "sensorMetadata": structure({}),
        "sensorReport": structure(
            {},
            attributes={
                "type": term(cbv.MEASUREMENT_TYPE),
                "component": term(cbv.COMPONENT, f"{_URN}comp:"),
                "booleanValue": boolean,
                **dict.fromkeys(_NUMBERS, number),
            },
        ),
    },
    lists=("sensorReport",),
)

# An event of any type; which members each may have is the validator's to say.
EVENT: dict[str, Read] = {
    **dict.fromkeys(
        (
            *("eventTime", "recordTime", "eventTimeZoneOffset", "eventID", "certificationInfo"),
            *("action", "parentID", "transformationID"),
        ),
        _TEXT,
    ),
    **dict.fromkeys(("epcList", "childEPCs", "inputEPCList", "outputEPCList"), _EPCS),
    **dict.fromkeys(("quantityList", "childQuantityList", "inputQuantityList", "outputQuantityList"), _QUANTITIES),
    **dict.fromkeys(("readPoint", "bizLocation"), _PLACE),
    "errorDeclaration": _ERROR_DECLARATION,
    "bizStep": leaf(term(cbv.BIZ_STEP, f"{_URN}bizstep:")),
    "disposition": _DISPOSITION,
    "bizTransactionList": list_of(
        "bizTransaction", typed("bizTransaction", term(cbv.BIZ_TRANSACTION_TYPE, f"{_URN}btt:"))
    ),
    "sourceList": list_of("source", typed("source", _SDT)),
    "destinationList": list_of("destination", typed("destination", _SDT)),
    "sensorElementList": list_of("sensorElement", _SENSOR_ELEMENT),
    "persistentDisposition": structure({"set": _DISPOSITION, "unset": _DISPOSITION}, lists=("set", "unset")),
    "ilmd": structure({}),
}
