"""Out of a table by any number of values, of whatever text."""

import pytest
from django.db import connection

from traceability.capture.models import EventEpc
from traceability.common import bulk
from traceability.common.models import MasterVersion

ODD = ["", "'", '"', "\\", "{a,b}", "NULL", "null", "%s", "麻黄", "\u001d", "\U0001f48a", "1", " 1"]
COLUMNS = ("event_index", "role", "epc", "event_time_ms")


@pytest.mark.django_db
def test_by_thousands_of_values_of_any_text() -> None:
    names = [*ODD, *(f"urn:{number}" for number in range(2 * bulk.CHUNK))]
    bulk.insert(EventEpc, COLUMNS, [(index, "epc", name, 0) for index, name in enumerate(names)])
    rows = EventEpc.objects.values_list("epc", flat=True)
    assert sorted(bulk.among(rows, "epc", [*names, "urn:none", "2"])) == sorted(names)
    assert sorted(bulk.among(rows, "event_index", list(range(len(names))))) == sorted(names)
    assert list(bulk.among(rows, "epc", [])) == []
    bulk.delete(EventEpc, "epc", [*ODD, "urn:none"])
    assert set(rows) == set(names) - set(ODD)


@pytest.mark.django_db
def test_the_index_is_used() -> None:
    found = EventEpc.objects.filter(epc__among=frozenset(["a", "b"])).order_by()
    if connection.vendor == "postgresql":  # of an empty table it takes any index that the condition fits
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")
    plan = found.explain()
    assert ("Index Cond: ((epc)" if connection.vendor == "postgresql" else "event_epc_by_key") in plan, plan


@pytest.mark.django_db
def test_a_statement_written_once_finds_what_the_query_finds() -> None:
    names = [*ODD, *(f"urn:{number}" for number in range(bulk.CHUNK))]
    bulk.insert(EventEpc, COLUMNS, [(index, "ab"[index % 2], name, 0) for index, name in enumerate(names)])
    select = bulk.Select(
        EventEpc.objects.filter(role="a").order_by("-event_index").values_list("event_index", "epc"), "epc"
    )
    for asked in (names, ODD, ["urn:none"], []):
        wanted = set(asked)
        assert sorted(select(asked)) == [(at, name) for at, name in enumerate(names) if name in wanted and at % 2 == 0]
    assert list(select(ODD)) == sorted(select(ODD), reverse=True)
    assert set(bulk.Select(EventEpc.objects.values_list("epc", flat=True), "event_index")([0, 2])) == {
        names[0],
        names[2],
    }


@pytest.mark.django_db
def test_a_column_that_does_not_come_as_it_is_stored_is_refused() -> None:
    with pytest.raises(TypeError, match="body"):
        list(bulk.Select(MasterVersion.objects.values_list("index", "body"), "index")([1]))
