"""Each kind of parameter leans on its index: the databases' own plans say so (SQLite and PostgreSQL)."""

import json
import re
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.integration.conftest import House
from traceability.capture.models import PublishedEvent
from traceability.queries import conditions, engine, event_query
from traceability.visibility.rules import audiences_of

from .naive import CASES, LOTS, PACKS, PARTIES, SITES
from .test_against_naive import EXAMPLE, fill
from .world import World

PACK, LOT, CASE, SITE, PARTY = (next(iter(pairs)) for pairs in (PACKS, LOTS, CASES, SITES, PARTIES))
ITEM = "https://id.gs1.org/01/09521000001008"
BY_TIME = "event_time_ms"  # an index of events in their order
# Parameter, value, and the columns by which its rows are found.
KINDS = [
    ("MATCH_anyEPC", PACK, "epc="),
    ("MATCH_epc", "urn:epc:idpat:sgtin:9521000.000100.*", "epc>"),
    ("MATCH_anyEPC", ITEM, "epc"),
    ("MATCH_parentID", CASE, "epc="),
    ("MATCH_anyEPCClass", LOT, "epc_class="),
    ("MATCH_epcClass", ITEM, "epc_class"),
    ("EQ_bizStep", "shipping", "biz_step="),
    ("EQ_disposition", "in_transit", "disposition="),
    ("EQ_readPoint", SITE, "read_point="),
    ("EQ_bizLocation", SITE, "biz_location="),
    ("EQ_eventID", "urn:x:event:1", "event_id="),
    ("eventType", "AssociationEvent", "event_type="),
    ("GE_eventTime", "2026-03-01T00:00:00Z", "event_time_ms>"),
    ("LT_recordTime", "2026-03-01T00:00:00Z", ""),
    ("EQ_action", "ADD", ""),
    ("EQ_bizTransaction_po", "urn:x:1", "value="),
    ("EQ_source_owning_party", PARTY, "value="),
    ("EQ_destination", PARTY, "value="),
    ("EQ_transformationID", "urn:x:t:1", "name=? AND text="),
    ("EQ_persistentDisposition_set", "damaged", "name=? AND text="),
    ("EXISTS_errorDeclaration", "true", "name="),
    ("GE_errorDeclarationTime", "2026-03-01T00:00:00Z", "name=? AND time>"),
    ("EQ_correctiveEventID", "urn:x:event:1", "name=? AND text="),
    ("EQ_type", "Temperature", "name=? AND text="),
    ("GE_value_CEL", "8", "name=? AND number>"),
    ("LT_quantity", "8", "name=? AND number<"),
    ("LT_time", "2026-03-01T00:00:00Z", "name=? AND time<"),
    ("EQ_ILMD_cbvmda:lotNumber", "L1", "name=? AND text="),
    ("EQ_INNER_example:farm", "north", "name=? AND text="),
    ("GT_example:count", "3", "name=? AND number>"),
]


@pytest.fixture
def filled(house: House) -> None:
    """Events of every kind, among so many others that an index is worth its while."""
    fill(house, World(1), 60)
    if connection.vendor == "postgresql":
        _grow()


# Tables of events: the column of the log index, and those by which they are asked.
GROWN = {
    "capture_publishedevent": ("index", "event_id event_type biz_step disposition read_point biz_location"),
    "capture_eventepc": ("event_index", "epc"),
    "capture_eventclass": ("event_index", "epc_class"),
    "capture_eventtransaction": ("event_index", "value"),
    "capture_eventpartner": ("event_index", "value"),
    "capture_eventfacet": ("event_index", "name text"),
}


def _grow() -> None:
    """Of a table of a few rows PostgreSQL reads whatever it likes: 5,000 others, and it knows of them."""
    with connection.cursor() as cursor:
        for table, (index, columns) in GROWN.items():
            changed = ", ".join(f"'{column}', 'other ' || nth" for column in columns.split())
            cursor.execute(
                f"INSERT INTO {table} SELECT (jsonb_populate_record(NULL::{table}, to_jsonb(one) || jsonb_build_object("
                f"'{index}', 100000 + nth, {changed}))).* FROM (SELECT * FROM {table} LIMIT 1) AS one, "
                f"generate_series(1, 5000) AS nth"
            )
            cursor.execute(f"ANALYZE {table}")


def plan(parameter: str, value: str) -> list[str]:
    """How the database reads the first page of this query: one line for each table."""
    query = event_query.from_url({parameter: [value]}, EXAMPLE)
    rows = engine.matching(query, PublishedEvent.objects.all()).order_by("-event_time_ms", "-index")[:31]
    return _explained(*rows.query.sql_with_params())


def plans_of_a_party(house: House, party: str, asked: dict[str, str]) -> list[str]:
    """How the database reads the first page of what `party` asks: the lines of every statement."""
    query = event_query.from_url({name: [value] for name, value in asked.items()}, EXAMPLE)
    with CaptureQueriesContext(connection) as statements:
        engine.first_page(query, house.parties[party])
    return [line for one in statements.captured_queries for line in _explained(one["sql"])]


def _explained(sql: str, values: tuple[Any, ...] | None = None) -> list[str]:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL enable_seqscan = off")  # so that a scan stays only where no index serves
            cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}", values)
            found = cursor.fetchone()[0]
            return list(_nodes((found if isinstance(found, list) else json.loads(found))[0]["Plan"]))
        cursor.execute(f"EXPLAIN QUERY PLAN {sql}", values)
        return [line for *_, line in cursor.fetchall()]


def _full(lines: list[str]) -> list[str]:
    """The lines that read a table from one end to the other."""
    return [line for line in lines if line.startswith("Seq Scan") or (line.startswith("SCAN") and "INDEX" not in line)]


def _nodes(node: dict[str, Any]) -> list[str]:
    about = [f"{node[name]}" for name in ("Relation Name", "Index Name", "Index Cond") if name in node]
    return [" ".join([node["Node Type"], *about]), *(line for one in node.get("Plans", ()) for line in _nodes(one))]


def _sorted(lines: list[str]) -> list[str]:
    return [line for line in lines if "TEMP B-TREE" in line or "Sort" in line]


def _sort_last() -> None:
    """PostgreSQL would rather sort the few rows of a test: so that it does only where no index gives the order."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_sort = off")
            cursor.execute("SET LOCAL enable_bitmapscan = off")


@pytest.mark.parametrize(("parameter", "value", "found_by"), KINDS)
def test_no_parameter_scans_a_table_of_events(filled: None, parameter: str, value: str, found_by: str) -> None:
    lines = plan(parameter, value)
    assert (_full(lines), bool(lines)) == ([], True), lines
    if connection.vendor == "sqlite":
        assert any(found_by in line for line in lines), lines
    elif found_by.endswith(("=", ">", "<")):  # of two alternatives on a small table it may choose another index
        columns = re.findall(r"\w+(?=[=<>])", found_by)
        assert any(column in line.partition("(")[2] for column in columns for line in lines), lines


@pytest.mark.parametrize("few", [5_000, 0])
def test_no_question_of_a_party_scans_a_table(
    house: House, filled: None, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever leads, its audience or what it asks."""
    monkeypatch.setattr(conditions, "_FEW", few)
    found = {}
    for parameter, value, _ in KINDS:
        lines = plans_of_a_party(house, "pharmacy", {parameter: value})
        assert any("visibility_audience" in line for line in lines), parameter
        found[parameter] = [line for line in _full(lines) if "capture_" in line or "visibility_" in line]
    assert {name: full for name, full in found.items() if full} == {}


@pytest.mark.parametrize("step", ["", "shipping", "shipping|receiving"])
@pytest.mark.parametrize("since", ["", "2026-03-01T00:00:00Z"])
def test_steps_and_times_of_a_party_come_in_order_out_of_one_index(
    house: House, filled: None, step: str, since: str
) -> None:
    _sort_last()
    asked = {"EQ_bizStep": step, "GE_eventTime": since}
    lines = plans_of_a_party(house, "pharmacy", {name: value for name, value in asked.items() if value})
    read = [line for line in lines if "visibility_audience" in line]
    assert len(read) == len(audiences_of(house.parties["pharmacy"])), lines
    assert all("visibility_in_order" in line and "party" in line for line in read), lines
    assert _sorted(lines) == []


def test_a_party_s_index_gone_would_be_seen(house: House, filled: None) -> None:
    """Negative control."""
    with connection.cursor() as cursor:
        cursor.execute("DROP INDEX visibility_in_order")
    _sort_last()
    lines = plans_of_a_party(house, "pharmacy", {"EQ_bizStep": "shipping"})
    assert _sorted(lines)


def test_a_column_without_an_index_would_be_seen(filled: None) -> None:
    """Negative control: the same look at a condition that no index serves."""
    sql = "SELECT event_index FROM capture_eventclass WHERE uom = 'KGM'"
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute(f"EXPLAIN {sql}")
            assert "Seq Scan" in cursor.fetchone()[0]
        else:
            cursor.execute(f"EXPLAIN QUERY PLAN {sql}")
            assert [line for *_, line in cursor.fetchall()] == ["SCAN capture_eventclass"]
