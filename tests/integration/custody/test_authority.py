"""Items are found by their codes: what a turn does not name is not read, however much master data there is."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.integration.queries.test_plans import _explained
from traceability.common import masterdata
from traceability.common.models import MasterCode, MasterVersion
from traceability.custody.authority import Items
from traceability.gs1.epc import NMPA_PREFIX
from traceability.visibility import gather

pytestmark = pytest.mark.django_db

OTHERS = 3_000
PACK, COINED = "https://id.gs1.org/01/09521000001008/21/1", f"{NMPA_PREFIX}81234560000000000001"
LINK = "https://id.gs1.org/414/0952100000001"


def _keep(index: int, subject: str, body: dict[str, str]) -> None:
    MasterVersion.objects.create(index=index, subject=subject, effective_ms=0, body=body)
    for code in masterdata.codes_of(subject, body):
        MasterCode.objects.get_or_create(key=f"{code} {subject}", code=code, subject=subject)


@pytest.fixture
def versions() -> None:
    """An item that lost its NMPA prefix to another, a site that changed hands, and thousands of others."""
    _keep(1, "item:a", {"gtin": "09521000001008", "nmpa_prefix": "8123456", "manufacturer": "maker"})
    _keep(2, "site:s", {"party": "maker", "uri": LINK})
    _keep(10, "item:a", {"gtin": "09521000001008", "nmpa_prefix": "", "manufacturer": "heir"})
    _keep(11, "item:b", {"gtin": "09521000001015", "nmpa_prefix": "8123456", "manufacturer": "maker"})
    _keep(12, "site:s", {"party": "heir", "uri": LINK})
    others = [
        (100 + number, *one)
        for number in range(OTHERS)
        for one in [
            (f"item:{number}", {"gtin": f"{number:014}", "nmpa_prefix": f"{number:07}", "manufacturer": "other"})
            if number % 2
            else (f"site:{number}", {"party": f"p{number}", "uri": f"urn:x:{number}"})
        ]
    ]
    MasterVersion.objects.bulk_create(
        MasterVersion(index=index, subject=subject, effective_ms=0, body=body) for index, subject, body in others
    )
    MasterCode.objects.bulk_create(
        MasterCode(key=f"{code} {subject}", code=code, subject=subject)
        for _, subject, body in others
        for code in masterdata.codes_of(subject, body)
    )
    with connection.cursor() as cursor:
        for table in ("common_mastercode", "common_masterversion"):
            cursor.execute(f"ANALYZE {table}")


def _read() -> list[str]:
    """How the database reads what two packs and two parties name."""
    with CaptureQueriesContext(connection) as statements:
        items = Items([PACK, COINED])
        assert [items.gtin(COINED, at) for at in (0, 1, 10, 11)] == ["", "09521000001008", "", "09521000001015"]
        assert [items.maker("09521000001008", at) for at in (0, 1, 10)] == ["", "maker", "heir"]
        known = gather.aliases({"urn:dosetrail:party:maker", "urn:dosetrail:party:heir"})
        told = [LINK in known(f"urn:dosetrail:party:{name}", at) for name in ("maker", "heir") for at in (1, 2, 12)]
        assert told == [False, True, True, False, False, True]
    return [line for one in statements.captured_queries for line in _explained(one["sql"])]


def test_items_and_sites_are_found_without_reading_all_master_data(versions: None) -> None:
    lines = _read()
    assert len(lines) >= 5
    assert _whole(lines) == [], lines


@pytest.mark.parametrize("index", [table._meta.indexes[0].name for table in (MasterCode, MasterVersion)])
def test_an_index_gone_would_be_seen(versions: None, index: str) -> None:
    """Negative control."""
    with connection.cursor() as cursor:
        cursor.execute(f"DROP INDEX {index}")
    lines = _read()
    assert _whole(lines) != [], lines


def _whole(lines: list[str]) -> list[str]:
    """The lines that read one of the tables from one end to the other, be it in the order of an index."""
    return [
        line
        for line in lines
        if "common_master" in line
        and (line.startswith(("SCAN", "Seq Scan")) or (line.startswith("Index") and "(" not in line))
    ]
