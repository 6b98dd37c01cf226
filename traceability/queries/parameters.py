"""The parameters of SimpleEventQuery: each name to the criterion that its values ask (EPCIS 2.0, 8.2.7.1). PURE."""

import re
from collections.abc import Callable, Mapping, Sequence

from traceability.epcis import facets, scalar, vocabulary
from traceability.epcis.context import expanded
from traceability.gs1 import epc, pattern
from traceability.gs1.errors import Gs1Error

from . import values
from .criteria import (
    Attribute,
    Comparison,
    Criterion,
    FacetAmong,
    FacetCompares,
    FacetExists,
    FacetIn,
    Span,
    Things,
    Typed,
    Within,
    Words,
)
from .values import QueryFault

Values = Sequence[str]
Namespaces = Mapping[str, str]
_Reader = Callable[[str, Values], Criterion]

_COMPARE: dict[str, Comparison] = {"GT": "gt", "GE": "gte", "LT": "lt", "LE": "lte"}
_ANY = ("epc", "child", "parent", "input", "output")
_ANY_CLASS = ("quantity", "child_quantity", "input_quantity", "output_quantity")
_TYPES = {
    "bizTransaction": ("transaction", vocabulary.BIZ_TRANSACTION_TYPE),
    "source": ("source", vocabulary.SOURCE_DESTINATION_TYPE),
    "destination": ("destination", vocabulary.SOURCE_DESTINATION_TYPE),
}
_TYPED = re.compile(r"EQ_(bizTransaction|source|destination)(?:_(.+))?", re.DOTALL)
_MEASURED = re.compile(
    r"(EQ|GT|GE|LT|LE)_(value|minValue|maxValue|meanValue|sDev|percValue|quantity)(?:_([A-Z0-9]{2,3}))?"
)
_FIELD = re.compile(
    r"(EQ|GT|GE|LT|LE|EXISTS)_(INNER_)?"
    r"(?:(ILMD|ERROR_DECLARATION|SENSORELEMENT|SENSORMETADATA|SENSORREPORT|readPoint|bizLocation)_)?(.+:.+)",
    re.DOTALL,
)
_PLACES = {
    None: facets.EVENT,
    "ILMD": facets.ILMD,
    "ERROR_DECLARATION": facets.DECLARATION,
    "SENSORELEMENT": facets.ELEMENT,
    "SENSORMETADATA": facets.METADATA,
    "SENSORREPORT": facets.REPORT,
    "readPoint": facets.READ_POINT,
    "bizLocation": facets.BIZ_LOCATION,
}
ATTRIBUTE_FIELDS = ("bizStep", "disposition", "readPoint", "bizLocation", "source", "destination", "epcClass")
_ATTRIBUTE = re.compile(rf"(EQATTR|HASATTR)_({'|'.join(ATTRIBUTE_FIELDS)})(?:_(.+))?", re.DOTALL)


def criterion(name: str, given: Values, namespaces: Namespaces) -> Criterion:
    """What the parameter asks; QueryFault names a parameter that is unknown and a value that cannot be one."""
    if not given:
        raise QueryFault(name, "has no value")
    if reader := _NAMED.get(name):
        return reader(name, given)
    if match := _MEASURED.fullmatch(name):
        return _measured(name, match, given)
    if match := _TYPED.fullmatch(name):
        return _typed(match, given, namespaces)
    if match := _ATTRIBUTE.fullmatch(name):
        return _attribute(name, match, given, namespaces)
    if match := _FIELD.fullmatch(name):
        return _field(name, match, given, namespaces)
    raise QueryFault(name, "is not a query parameter that this server knows")


def terms_expanded(name: str, given: tuple[str, ...], namespaces: Namespaces) -> tuple[str, ...]:
    """The values of a parameter, where they are terms with CURIEs as full URIs: so the index keeps them."""
    return tuple(scalar.text_key(expanded(value, namespaces)) for value in given) if name in _OF_TERMS else given


def field(name: str, text: str, namespaces: Namespaces) -> str:
    """The full URI of an extension field; QueryFault where nothing declares its prefix."""
    full = expanded(text, namespaces)
    prefix, _, rest = full.partition(":")
    if full == text and not rest.startswith("//") and prefix.lower() not in {"urn", "ni", "tag", "did"}:
        raise QueryFault(
            name,
            f"nothing declares the prefix {prefix[:40]!r}: send GS1-Extensions: {prefix[:40]}=<URI>, or the full URI",
        )
    return full


def _measured(name: str, match: re.Match[str], given: Values) -> Criterion:
    verb, member, uom = match[1], match[2], match[3]
    if uom is None and member == "quantity":
        found = [("quantity", scalar.rank(exact)) for exact in values.numbers(name, given)]
    else:
        found = [facets.measured(member, exact, uom or "") for exact in values.numbers(name, given)]
    return _compared(name, verb, found)


def _compared(name: str, verb: str, found: Sequence[tuple[str, int]]) -> Criterion:
    """A comparison of a facet's number: with each of several for equality, else with one."""
    facet, rank = found[0]
    if verb == "EQ":
        return FacetAmong((facet,), tuple(dict.fromkeys(rank for _, rank in found)))
    if len(found) > 1:
        raise QueryFault(name, "stands once, with one value")
    return FacetCompares((facet,), "number", _COMPARE[verb], rank)


def _typed(match: re.Match[str], given: Values, namespaces: Namespaces) -> Criterion:
    member, types = _TYPES[match[1]]
    kind = None if match[2] is None else values.term(types, match[2])
    if kind is not None and kind not in types.words:
        kind = scalar.text_key(expanded(kind, namespaces))
    if member == "transaction":
        # The index keeps a document's number as its event spells it; a partner may ask for it as another spells it.
        return Typed("transaction", kind, tuple(dict.fromkeys(one for text in given for one in epc.spellings(text))))
    return Typed("source" if member == "source" else "destination", kind, values.keys(match[0], given))


def _attribute(name: str, match: re.Match[str], given: Values, namespaces: Namespaces) -> Criterion:
    if match[1] == "HASATTR":
        if match[3] is not None:
            raise QueryFault(name, f"is HASATTR_{match[2]}, its values are the names of attributes")
        return Attribute(match[2], tuple(expanded(value, namespaces) for value in given))
    if match[3] is None:
        raise QueryFault(name, f"is EQATTR_{match[2]}_ and the name of an attribute")
    return Attribute(match[2], (expanded(match[3], namespaces),), tuple(given))


def _field(name: str, match: re.Match[str], given: Values, namespaces: Namespaces) -> Criterion:
    verb, inner, place = match[1], match[2], _PLACES[match[3]]
    facet = facets.name_of(place + (facets.NESTED if inner else ""), field(name, match[4], namespaces))
    if verb == "EXISTS":
        return FacetExists((facet,), values.boolean(name, given))
    if verb == "EQ":
        return FacetIn((facet,), tuple(scalar.text_key(value) for value in given))
    text = values.single(name, given)
    exact = scalar.number(text)
    if exact is not None:
        return FacetCompares((facet,), "number", _COMPARE[verb], scalar.rank(exact))
    try:
        return FacetCompares((facet,), "time", _COMPARE[verb], values.time(name, given))
    except QueryFault as error:
        raise QueryFault(name, "must be one number, or one date-time with zone") from error


def _words(column: str, words: vocabulary.Vocabulary) -> _Reader:
    return lambda _, given: Words(column, values.terms(words, given))


def _plain(column: str) -> _Reader:
    return lambda _, given: Words(column, tuple(dict.fromkeys(given)))


def _actions(name: str, given: Values) -> Criterion:
    if wrong := [value for value in given if value not in vocabulary.ACTION.words]:
        raise QueryFault(name, f"{wrong[0][:40]!r} is not ADD, OBSERVE or DELETE")
    return Words("action", tuple(dict.fromkeys(given)))


def _places(column: str) -> _Reader:
    return lambda name, given: Words(column, values.keys(name, given))


def _span(column: str, verb: str) -> _Reader:
    return lambda name, given: Span(column, _COMPARE[verb], values.time(name, given))


def _things(kind: str, roles: tuple[str, ...]) -> _Reader:
    def read(name: str, given: Values) -> Criterion:
        try:
            found = [pattern.pattern(value) for value in given]
        except Gs1Error as error:
            raise QueryFault(name, error.detail) from error
        exact = dict.fromkeys(key for one in found for key in one.exact)
        prefixes = dict.fromkeys(prefix for one in found for prefix in one.prefixes)
        return Things("epc" if kind == "epc" else "class", roles, tuple(exact), tuple(prefixes))

    return read


def _facet_in(facet: str, words: vocabulary.Vocabulary) -> _Reader:
    return lambda _, given: FacetIn((facet,), values.terms(words, given))


def _facet_text(facet: str) -> _Reader:
    return lambda _, given: FacetIn((facet,), tuple(dict.fromkeys(scalar.text_key(value) for value in given)))


def _sensor_text(member: str) -> _Reader:
    return lambda _, given: FacetIn((member,), tuple(dict.fromkeys(facets.sensor_text(member, one) for one in given)))


def _facet_exists(facet: str) -> _Reader:
    return lambda name, given: FacetExists((facet,), values.boolean(name, given))


def _facet_time(facet: str, verb: str) -> _Reader:
    return lambda name, given: FacetCompares((facet,), "time", _COMPARE[verb], values.time(name, given))


def _percent_rank(verb: str) -> _Reader:
    return lambda name, given: _compared(
        name, verb, [("percRank", scalar.rank(exact)) for exact in values.numbers(name, given)]
    )


_OF_TERMS = frozenset(
    """eventType EQ_bizStep EQ_disposition EQ_persistentDisposition_set EQ_persistentDisposition_unset EQ_errorReason
    EQ_type""".split()
)
_NAMED: dict[str, _Reader] = {
    "eventType": _plain("event_type"),
    "EQ_action": _actions,
    "EQ_bizStep": _words("biz_step", vocabulary.BIZ_STEP),
    "EQ_disposition": _words("disposition", vocabulary.DISPOSITION),
    "EQ_readPoint": _places("read_point"),
    "EQ_bizLocation": _places("biz_location"),
    "EQ_eventID": _plain("event_id"),
    "WD_readPoint": lambda name, given: Within("read_point", values.keys(name, given)),
    "WD_bizLocation": lambda name, given: Within("biz_location", values.keys(name, given)),
    "EQ_transformationID": _facet_text("transformationID"),
    "EQ_persistentDisposition_set": _facet_in("persistentDisposition set", vocabulary.DISPOSITION),
    "EQ_persistentDisposition_unset": _facet_in("persistentDisposition unset", vocabulary.DISPOSITION),
    "MATCH_epc": _things("epc", ("epc", "child")),
    "MATCH_parentID": _things("epc", ("parent",)),
    "MATCH_inputEPC": _things("epc", ("input",)),
    "MATCH_outputEPC": _things("epc", ("output",)),
    "MATCH_anyEPC": _things("epc", _ANY),
    "MATCH_epcClass": _things("class", ("quantity", "child_quantity")),
    "MATCH_inputEPCClass": _things("class", ("input_quantity",)),
    "MATCH_outputEPCClass": _things("class", ("output_quantity",)),
    "MATCH_anyEPCClass": _things("class", _ANY_CLASS),
    "EXISTS_errorDeclaration": _facet_exists("declarationTime"),
    "EQ_errorReason": _facet_in("errorReason", vocabulary.ERROR_REASON),
    "EQ_correctiveEventID": _facet_text("correctiveEventID"),
    "EXISTS_sensorElementList": _facet_exists("sensorElementList"),
    **{
        f"{verb}_{member}": _span(column, verb)
        for verb in ("GE", "LT")
        for member, column in (("eventTime", "event_time_ms"), ("recordTime", "record_time_ms"))
    },
    **{
        f"{verb}_{spelling}": _facet_time("declarationTime", verb)
        for verb in ("GE", "LT")
        for spelling in ("errorDeclarationTime", "errorDeclaration_Time")
    },
    **{f"{verb}_{member}": _facet_time(member, verb) for verb in ("GE", "LT") for member in facets.TIMES},
    **{f"EQ_{member}": _sensor_text(member) for member in facets.TEXTS},
    **{f"{verb}_percRank": _percent_rank(verb) for verb in ("EQ", *_COMPARE)},
}


def spelled_out(name: str, namespaces: Namespaces) -> str:
    """A parameter's name with the field in it as full URI, so that it means the same without the prefixes."""
    if name in _NAMED or _MEASURED.fullmatch(name):
        return name
    if match := _ATTRIBUTE.fullmatch(name):
        return name if match[3] is None else name[: -len(match[3])] + expanded(match[3], namespaces)
    match = _TYPED.fullmatch(name)
    found = match[2] if match else ((match := _FIELD.fullmatch(name)) and match[4])
    return name[: -len(found)] + expanded(found, namespaces) if found else name


# The parameters that have a name of their own; the open families (a type, a unit, a field within the name) are matched.
NAMES = frozenset(_NAMED)
