"""The stock page: a page of rows and no more is read, and what is searched is found, in containers too."""

import csv
import io
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.integration.conftest import GTIN, LOT, House, pack, recall_event
from tests.integration.visibility.conftest import CASE, OTHER_CASE, PALLET, Chain
from traceability.common import clock
from traceability.gs1 import digital_link
from traceability.web.portal import stock_search, stock_views
from traceability.web.shared import names

from .conftest import Portal, act

A, B, C, D, E, F = (pack(serial) for serial in "ABCDEF")
OLD = digital_link.build(gtin=GTIN, serial="OLD")
NUMERIC = "20271231"  # a lot number that a GTIN-8 could be, but for its check digit


@pytest.fixture
def kept(house: House, person: Callable[..., Portal], writer: Any) -> Portal:
    """With the wholesaler: A, B (lot L1), OLD and F (without a lot) loose; C, D in a case, E (L1) in one on a pallet"""
    chain, here = Chain(house), {"id": house.place("wholesaler")}
    today = stock_search.datetime.fromtimestamp(clock.now_ms() / 1000, stock_search.UTC).date()

    def made(name: str, hour: float, epcs: list[str], lot: str, days: int) -> None:
        ilmd = {"cbvmda:lotNumber": lot, "cbvmda:itemExpirationDate": (today + timedelta(days)).isoformat()}
        chain.make(name, "maker", hour, epcs, ilmd={key: text for key, text in ilmd.items() if text}, bizLocation=here)

    made("one", 0, [A, B, E], LOT, 1000)  # registered until 2030
    made("two", 1, [C, D], NUMERIC, 30)
    made("old", 2, [OLD], "L0", -1)
    made("bare", 2, [F], "", 1000)
    for name, box, inside in (("case", CASE, [C, D]), ("box", OTHER_CASE, [E]), ("pallet", PALLET, [OTHER_CASE])):
        chain.pack(name, "maker", 3, box, inside)
    chain.event("seen", "wholesaler", 4, "stocking", [CASE, PALLET], bizLocation=here)
    house.settle()
    return person("wholesaler", "quality")


def found(portal: Portal, **query: str) -> set[str]:
    page = portal.get("stock", **query)
    return {epc for epc in (A, B, C, D, E, F, OLD, CASE, OTHER_CASE, PALLET) if f">{names.goods(epc)}</a>" in page}


def test_a_code_in_any_form_a_name_or_a_number_finds_it(kept: Portal) -> None:
    everything = {A, B, CASE, PALLET, OLD, F}
    for text, rows in (
        (f"(01){GTIN}(10){LOT}(21)A", {A}),
        (f"]d201{GTIN}21C\x1d10{NUMERIC}", {CASE}),  # as a scanner gives it: the case that it lies in
        (E, {PALLET}),  # in a case on a pallet
        (f"urn:epc:id:sgtin:9521000.000100.{'B'}", {B}),
        (names.goods(OTHER_CASE), {PALLET}),
        (CASE.rpartition("/")[2], {CASE}),
        (GTIN, everything),
        (f"(01){GTIN}(10){LOT}", {A, B, PALLET}),
        (LOT.lower(), {A, B, PALLET}),
        (NUMERIC, {CASE}),
        ("(10)" + NUMERIC, {CASE}),
        ("glar", everything),
        ("100 iu", everything),
        ("D", {CASE}),  # a serial number
        ("(21)E", {PALLET}),
        (pack("unheard-of"), set()),
        ("nothing", set()),
        ("", everything),
    ):
        assert found(kept, q=text) == rows, text


def test_a_code_that_cannot_be_read_says_why(kept: Portal) -> None:
    page = kept.get("stock", q=f"(01){GTIN[:-1]}9")
    assert str(names.code_fault("check-digit")) in page
    assert kept.client.get("/portal/stock.csv", {"q": f"(01){GTIN[:-1]}9"}).status_code == 404


def test_by_state(kept: Portal, writer: Any) -> None:
    """What stops one pack in a container is found at the container."""
    act(kept.house, "wholesaler", "hold", [A], reason="torn")
    assert found(kept, state="hold") == {A}
    assert found(kept, state="soon") == {CASE}
    assert found(kept, state="expired") == {OLD}
    assert found(kept, state="recalled") == found(kept, state="frozen") == set()
    assert kept.house.capture("maker", recall_event(writer("maker"), "urn:uuid:1-recall")).status_code == 202
    kept.house.settle()
    assert found(kept, state="recalled") == {A, B, PALLET}
    assert found(kept, state="recalled", q="E") == {PALLET}
    assert found(kept, state="no such state") == {A, B, CASE, PALLET, OLD, F}


def test_pages_and_the_file_keep_the_search(kept: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stock_views, "PAGE_SIZE", 2)
    first, second = (found(kept, q=LOT, page=page) for page in ("1", "2"))
    assert (len(first), len(second), first | second) == (2, 1, {A, B, PALLET})
    page = kept.get("stock", q=LOT)
    assert f'href="?page=2&amp;q={LOT}"' in page
    assert f'href="/portal/stock.csv?q={LOT}"' in page
    text = kept.client.get("/portal/stock.csv", {"q": LOT}).getvalue().decode("utf-8-sig")
    assert [row["epc"] for row in csv.DictReader(io.StringIO(text))] == [PALLET, A, B]


def test_it_reads_a_page_and_not_the_stock(kept: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two rows a page cost the queries of five, and no statement reads more rows than the page shows."""
    asked = []
    for size in (5, 2):
        monkeypatch.setattr(stock_views, "PAGE_SIZE", size)
        with CaptureQueriesContext(connection) as queries:
            kept.get("stock", q="Glarvia", state="")
        asked.append(len(queries))
        pages = [one["sql"] for one in queries if "custody_itemstate" in one["sql"] and "ORDER BY" in one["sql"]]
        assert [f"LIMIT {size}" in sql for sql in pages] == [True]
    assert asked[0] == asked[1]
