"""The API's description says what is there, and what is there is described: operations, members, words, parameters."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.urls import URLPattern, URLResolver, get_resolver
from drf_spectacular.generators import SchemaGenerator
from jsonschema import Draft202012Validator

from traceability.api.epcis_base import Missing
from traceability.api.schema import epcis, inspector, operation, parameters
from traceability.api.schema.views import Description
from traceability.common.problems import ProblemError
from traceability.epcis import shapes, values
from traceability.queries import event_query
from traceability.queries import parameters as query_table
from traceability.queries.collections import COLLECTIONS

METHODS = ("get", "post", "put", "patch", "delete")
# What is not described: the description itself, and addresses that lead nowhere.
APART = (Missing, Description)


@pytest.fixture(scope="module")
def api() -> dict[str, Any]:
    return dict(SchemaGenerator().get_schema(public=True))


def _served() -> set[tuple[str, str]]:
    """Every (path, method) of the API that a view answers."""
    found: set[tuple[str, str]] = set()

    def walk(patterns: list[URLPattern | URLResolver], prefix: str) -> None:
        for pattern in patterns:
            address = prefix + str(pattern.pattern)
            if isinstance(pattern, URLResolver):
                walk(pattern.url_patterns, address)
            elif (
                address.startswith(("epcis/", "api/"))
                and (view := getattr(pattern.callback, "cls", Missing)) not in APART
            ):
                path = "/" + re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", address)
                found.update((path, method) for method in METHODS if hasattr(view, method))

    walk(get_resolver().url_patterns, "")
    return found


def test_every_operation_is_described_and_every_description_has_its_operation(api: dict[str, Any]) -> None:
    described = {(path, method) for path, item in api["paths"].items() for method in item}
    assert len(described) > 10
    assert described == _served()


def _ids(name: str) -> list[str]:
    kinds = COLLECTIONS if "{kind}" in name else [""]
    return [name.replace("{kind}", kind[:1].upper() + kind[1:]) for kind in kinds]


def test_no_row_is_left_over(api: dict[str, Any]) -> None:
    used = {found["operationId"] for item in api["paths"].values() for found in item.values()}
    assert used == {name for row in inspector.OPERATIONS.values() for name in _ids(row.id)}


def test_every_component_is_a_schema_and_every_reference_leads_to_one(api: dict[str, Any]) -> None:
    for schema in api["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)
    named = set(re.findall(r"'#/components/(\w+)/([\w-]+)'", str(api)))
    assert len(named) > 40
    assert {(room, name) for room, name in named if name not in api["components"][room]} == set()
    unused = {name for name in api["components"]["schemas"] if ("schemas", name) not in named}
    assert unused == set()


@pytest.mark.parametrize("name", shapes.EVENTS)
def test_an_event_type_has_the_members_that_validation_knows(name: str) -> None:
    schema, shape = epcis.EVENTS[name], shapes.EVENTS[name]
    assert set(schema["properties"]) == set(shape.members)
    assert set(schema["required"]) == {"type", *shape.required}


@pytest.mark.parametrize(
    ("component", "shape"),
    [
        ("QuantityElement", shapes.QUANTITY),
        ("BizTransaction", shapes.BIZ_TRANSACTION),
        ("Source", shapes.SOURCE),
        ("Destination", shapes.DESTINATION),
        ("Place", shapes.PLACE),
        ("PersistentDisposition", shapes.PERSISTENT_DISPOSITION),
        ("ErrorDeclaration", shapes.ERROR_DECLARATION),
        ("SensorElement", shapes.SENSOR_ELEMENT),
        ("SensorReport", shapes.SENSOR_REPORT),
        ("ExtendedEvent", shapes.EXTENDED),
    ],
)
def test_a_part_of_an_event_has_the_members_that_validation_knows(component: str, shape: shapes.Shape) -> None:
    schema = epcis.COMPONENTS[component]
    assert set(schema["properties"]) == set(shape.members)
    assert set(schema.get("required", ())) - {"type"} == set(shape.required) - {"type"}
    assert ("patternProperties" in schema) == shape.open


def _names(rows: tuple[parameters.Parameter, ...]) -> set[str]:
    return {row["name"] for row in rows}


def test_the_query_parameters_are_those_that_the_engine_knows() -> None:
    described = _names(parameters.EVENT_QUERY)
    typed = {name for name in described if name.startswith(("EQ_bizTransaction_", "EQ_source_", "EQ_destination_"))}
    assert described - typed == {*query_table.NAMES, *event_query.CONTROLS, "nextPageToken"}
    assert len(typed) > 10
    for name in typed:
        event_query.parse({name: ["https://id.gs1.org/417/9521000999992"]})
    with pytest.raises(ProblemError, match="EQ_wish"):
        event_query.parse({"EQ_wish": ["1"]})


def test_every_refusal_has_its_words(api: dict[str, Any]) -> None:
    statuses = {status for row in inspector.OPERATIONS.values() for status in row.refusals}
    assert statuses <= set(operation.REFUSALS)
    assert {401, 403, 404, 406, 409, 413, 415, 503, 507} <= {*statuses, 401, 406}


def test_every_operation_says_what_it_is_for(api: dict[str, Any]) -> None:
    for item in api["paths"].values():
        for found in item.values():
            assert found["summary"]
            assert found["tags"]


def _typed(value: Any, kind: str) -> Iterator[dict[str, Any]]:
    """Every value of this type that a schema within `value` describes."""
    if isinstance(value, dict):
        if kind in value.get("type", ()):
            yield value
        value = list(value.values())
    for item in value if isinstance(value, list) else ():
        yield from _typed(item, kind)


@pytest.fixture(scope="module")
def called(api: dict[str, Any]) -> list[dict[str, Any]]:
    """The schemas that bodies of calls name."""
    taken = [found.get("requestBody") or {} for item in api["paths"].values() for found in item.values()]
    names = {name for body in taken for name in re.findall(r"'#/components/schemas/(\w+)'", str(body))}
    return [api["components"]["schemas"][name] for name in sorted(names)]


def test_no_call_has_an_integer_that_the_reader_of_json_refuses(called: list[dict[str, Any]]) -> None:
    found = list(_typed(called, "integer"))
    assert found
    assert [one for one in found if not one.get("maximum", 2**53) < 2**53] == []


def test_no_call_has_just_any_text(called: list[dict[str, Any]]) -> None:
    """Each is bounded by a format at least: that of plain text leaves out NUL."""
    found = list(_typed(called, "string"))
    assert found
    assert [one for one in found if not {"format", "pattern", "enum", "const"} & set(one)] == []


def _judge(api: dict[str, Any], component: str) -> Draft202012Validator:
    return Draft202012Validator({**api, "$ref": f"#/components/schemas/{component}"})


def test_a_number_beyond_json_s_integers_is_none_of_the_description(api: dict[str, Any]) -> None:
    for query in ({"LE_percRank": 10**30}, {"EQ_percRank": [1e248]}):
        assert not _judge(api, "QueryParameters").is_valid(query)
    assert _judge(api, "QueryParameters").is_valid({"LE_percRank": 50.5, "EQ_percRank": [2**53 - 1]})
    for value, is_one in ((1e20, False), (2**53, False), (1 - 2**53, True), (1e21, True), (-1e300, True)):
        assert _judge(api, "SensorReport").is_valid({"type": "Temperature", "value": value}) == is_one


def test_a_detail_that_may_be_left_out_may_be_empty_and_no_other(api: dict[str, Any]) -> None:
    def call(**details: str) -> dict[str, Any]:
        return {"step": "ship", "codes": ["x"], "place": "maker-main", "details": details}

    for component in ("ScanCall", "ScanRecordCall"):
        assert _judge(api, component).is_valid(call(receiver="pharmacy", despatch=""))
        assert not _judge(api, component).is_valid(call(despatch="DA1"))


@pytest.mark.parametrize(
    ("text", "is_uri"),
    [
        ("urn:example:1%2F2", True),
        ("ours:#part", True),
        ("https://[2001:db8::1]/x?y#z", True),
        ("agxOELCS9FE07:nN[5&c", False),  # RFC 3986: brackets hold a host's address
        ("https://example.com/[::1]", False),
        ("urn:example:1%2", False),
        ("urn:example:1#2#3", False),
        ("https://user:word@example.com:8080//x", True),
        ("x:/", True),
        ("x:?y", True),
        ("https://example.com:80a/x", False),  # a port is a number
        ("w://[9]Cx#", False),
    ],
)
def test_what_is_a_uri_is_one_to_validation_and_in_the_description(text: str, is_uri: bool) -> None:
    assert values.is_uri(text) == is_uri
    assert Draft202012Validator(epcis.COMPONENTS["Uri"]).is_valid(text) == is_uri
