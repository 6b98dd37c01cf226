"""CSV import: all rows or none, every fault by line and column."""

from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from tests.integration.conftest import House
from traceability.common import masterdata
from traceability.parties import selectors
from traceability.parties.models import Site
from traceability.products.csv_import import import_csv

HEADER = "id,name,gln,latitude,longitude,time_zone,city,country\n"
GOOD = "ward-1,Ward 1,,31.2304,121.4737,Asia/Shanghai,Shanghai,CN\n"


def test_good_rows_are_stored_and_logged(house: House) -> None:
    report = import_csv(
        "sites", ("\ufeff" + HEADER.replace(",", ";") + GOOD.replace(",", ";")).encode(), party=house.parties["maker"]
    )
    assert (report.rows, report.errors) == (1, [])
    house.settle()
    version = masterdata.at("site:ward-1", 10**9)
    assert version is not None
    assert version["latitude_e6"] == 31_230_400


@pytest.mark.parametrize(
    ("row", "column"),
    [
        ("w,W,9521000000041,31,121,Asia/Shanghai,S,CN\n", ""),  # check digit
        ("w,W,,north,121,Asia/Shanghai,S,CN\n", "latitude"),
        ("w,W,,31,121,Mars/Base,S,CN\n", "time_zone"),
        ("w,W,,31,121,Asia/Shanghai,S,CHINA\n", "country"),
    ],
)
def test_one_bad_row_stores_nothing_and_is_named(house: House, row: str, column: str) -> None:
    before = Site.objects.count()
    report = import_csv("sites", (HEADER + GOOD + row).encode(), party=house.parties["maker"])
    assert [(error.line, error.column) for error in report.errors] == [(3, column)]
    assert report.rows == 0
    assert Site.objects.count() == before


def test_a_missing_column_and_a_stranger_s_item(house: House) -> None:
    assert import_csv("sites", b"id,name\n", party=house.parties["maker"]).errors[0].line == 1
    lots = b"item,number,production_date,expiry_date\nglarvia,L9,2026-01-01,2027-01-01\n"
    assert import_csv("lots", lots, party=house.parties["other"]).errors[0].column == "item"
    assert import_csv("lots", lots, party=house.parties["maker"]).rows == 1
    assert import_csv("parties", b"id,name,roles,gln\nx,X,pharmacy,\n", party=house.parties["maker"]).errors
    with_prefix = b"id,name,roles,gln,company_prefix\nx,X,pharmacy,,4012345 9521001\n"
    assert import_csv("parties", with_prefix, party=house.parties["regulator"]).rows == 1
    assert selectors.company_prefixes() == {"4012345", "9521001"}


def test_the_command_prints_the_faults(house: House, tmp_path: Path) -> None:
    file = tmp_path / "sites.csv"
    file.write_text(HEADER + "w,W,,31,121,Mars/Base,S,CN\n")
    with pytest.raises(CommandError, match="nothing was stored"):
        call_command("import_csv", "sites", str(file), "--as", "maker")
