"""What a CSV file of master data may not do: take what is another's, or bring in keys that no event will name."""

import pytest

from tests.integration.conftest import GTIN, House
from traceability.common import masterdata
from traceability.parties.models import Licence, Party, PartyIdentifier, Site
from traceability.products import selectors
from traceability.products import services as products
from traceability.products.csv_import import Report, import_csv
from traceability.products.models import Lot, TradeItem

HEADERS = {
    "sites": "id,name,gln,latitude,longitude,time_zone,city,country",
    "items": "id,gtin,name,generic_name,strength,pack_size,authorisation,profile,nmpa_prefix",
    "parties": "id,name,roles,gln",
    "licences": "party,kind,number,authority,valid_from,valid_to",
    "lots": "item,number,production_date,expiry_date",
}
ITEM = "Name,insulin,100 IU,5 pens,MA-1,fridge"
SITE = "121,Asia/Shanghai,Shanghai,CN"


def imported(house: House, kind: str, *rows: str, party: str = "maker") -> Report:
    return import_csv(kind, "\n".join([HEADERS[kind], *rows, ""]).encode(), party=house.parties[party])


def test_a_place_of_another_party_stays_its_own(house: House) -> None:
    report = imported(house, "sites", f"pharmacy-main,Mine,,31,{SITE}", party="wholesaler")
    assert [(error.line, error.column) for error in report.errors] == [(2, "id")]
    assert Site.objects.get(id="pharmacy-main").party_id == "pharmacy"


def test_a_product_of_another_maker_stays_its_own(house: House) -> None:
    report = imported(house, "items", f"glarvia,{GTIN},{ITEM},", party="wholesaler")
    assert [(error.line, error.column) for error in report.errors] == [(2, "id")]
    assert TradeItem.objects.get(id="glarvia").manufacturer_id == "maker"
    assert imported(house, "items", f"glarvia,{GTIN},{ITEM},").rows == 1  # its maker may


def test_keys_in_use_are_row_errors(house: House) -> None:
    taken = Site.objects.get(id="pharmacy-main").gln
    named = PartyIdentifier.objects.get(party="maker", scheme="gln").value
    assert imported(house, "items", f"second,{GTIN},{ITEM},").errors
    assert imported(house, "sites", f"maker-2,Second,{taken},31,{SITE}").errors
    assert imported(house, "parties", f"new,New,pharmacy,{named}", party="regulator").errors
    assert not Party.objects.filter(id="new").exists()


@pytest.mark.parametrize(
    ("kind", "row"),
    [
        ("items", f"second,00,{ITEM},"),
        ("items", f"second,,{ITEM},abc"),
        ("parties", "new,New,pharmacy,00"),
        ("sites", f"maker-2,Second,00,31,{SITE}"),
        ("sites", f"maker-2,Second,,1e999,{SITE}"),
        ("sites", f"maker-2,Second,,nan,{SITE}"),
        ("sites", f"maker-2,Second,,500,{SITE}"),
        ("licences", "nobody,wholesale,W-1,NMPA,2026-01-01,2027-01-01"),
        ("licences", "wholesaler,baking,W-1,NMPA,2026-01-01,2027-01-01"),
        ("licences", "wholesaler,wholesale,W-1,NMPA,2027-01-01,2026-01-01"),
        ("lots", "glarvia,,2026-01-01,2027-01-01"),
        ("lots", f"glarvia,{'X' * 60},2026-01-01,2027-01-01"),
        ("lots", "glarvia,A\x07,2026-01-01,2027-01-01"),
        ("lots", "glarvia,A1,2026-01-01,20270101"),
        ("lots", "glarvia,A1,2026-01-01,2027-W05-1"),
        ("lots", "glarvia,A1,2026-01-01,2027-01-01,2029-01-01"),
        ("lots", f"glarvia,{'x' * 200_000},2026-01-01,2027-01-01"),
    ],
)
def test_values_that_mean_nothing_are_row_errors(house: House, kind: str, row: str) -> None:
    report = imported(house, kind, row, party="regulator" if kind in {"parties", "licences"} else "maker")
    assert (len(report.errors), report.rows) == (1, 0), report.errors


def test_two_rows_about_one_lot_contradict_each_other(house: House) -> None:
    report = imported(house, "lots", "glarvia,A1,2026-01-01,2027-01-01", "glarvia,A1,2026-01-01,2028-01-01")
    assert [(error.line, error.column) for error in report.errors] == [(3, "number")]
    assert not Lot.objects.filter(number="A1").exists()


def test_a_shorter_gtin_is_kept_with_its_zeros(house: House) -> None:
    """Spreadsheets drop them, and an event names the GTIN-14."""
    assert imported(house, "items", f"second,4006381333931,{ITEM},").errors == []
    assert TradeItem.objects.get(id="second").gtin == "04006381333931"


def test_what_master_data_knows_by_now_leaves_the_stewards_list(house: House) -> None:
    products.note_unknown(
        [("gln", "4006381333931"), ("gtin", "04006381333931"), ("nmpa", "8123456")], event_id="e", reporter="r"
    )
    assert selectors.open_unknowns().count() == 3
    imported(house, "items", f"second,04006381333931,{ITEM},8123456")
    imported(house, "sites", f"maker-2,Second,4006381333931,31,{SITE}")
    assert not selectors.open_unknowns().exists()


def test_licences_are_the_regulators_word_and_stay_with_their_holder(house: House) -> None:
    row = "wholesaler,wholesale,W-1,NMPA,2026-01-01,2027-01-01"
    assert imported(house, "licences", row).errors  # not the maker's
    assert imported(house, "licences", row, party="regulator").errors == []
    longer = imported(house, "licences", row.replace("2027", "2029"), party="regulator")
    assert (longer.rows, Licence.objects.get().valid_to.year) == (1, 2029)
    assert imported(house, "licences", row.replace("wholesaler", "other"), party="regulator").errors
    house.settle()
    version = masterdata.at("licence:wholesale:W-1", 10**9)
    assert version is not None
    assert (version["party"], version["valid_to"]) == ("wholesaler", "2029-01-01")
