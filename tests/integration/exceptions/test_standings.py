"""How shipments of a list stand: in the order that people read, kept, and large ones counted ahead of the page."""

import csv
import io
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.db import DatabaseError, connection
from django.test.utils import CaptureQueriesContext

from tests.integration.conftest import EXPIRY, LOT, House, code
from tests.integration.portal.conftest import Portal, act, person, stocked
from tests.integration.portal.test_expected import give
from traceability.common import clock
from traceability.custody import sides
from traceability.exceptions import kept, standings
from traceability.exceptions.models import KeptStanding

__all__ = ["person", "stocked"]
Enter = Callable[..., Portal]


def listed(portal: Portal, **query: str) -> dict[str, tuple[str, list[str]]]:
    """Number -> (state, packs sent, received and missing), in the order of the page."""
    page = portal.get("shipments", **query)
    rows = re.findall(r'<th scope="row"><a href="[^"]*shipment\?[^"]*">([^<]+)</a></th>(.*?)</tr>', page)
    found = {}
    for number, row in rows:
        tag = re.search(r'<span class="tag [^"]*">([^<]+)</span>', row)
        found[number] = (tag[1] if tag else "", re.findall(r'<td class="num">([^<]*)</td>', row))
    return found


def ships(house: House, number: str, *serials: str, received: int = 0) -> None:
    codes = [code(serial) for serial in serials]
    act(house, "maker", "commission", codes, lot=LOT, expiry=EXPIRY.isoformat())
    act(house, "maker", "ship", codes, receiver="pharmacy", despatch=number)
    if received:
        act(house, "pharmacy", "receive", codes[:received], despatch=number)


@pytest.fixture
def three(stocked: House) -> House:
    """DA1 received, DA2 (a case) on the way, DA3 received in part."""
    ships(stocked, "DA3", "31", "32", received=1)
    return stocked


def test_what_needs_somebody_is_first_and_what_is_done_last(three: House, person: Enter) -> None:
    assert [(name, state) for name, (state, _) in listed(person("maker")).items()] == [
        ("DA3", "Partly received"),
        ("DA2", "On the way"),
        ("DA1", "Received"),
    ]
    ships(three, "DA4", "41")
    assert list(listed(person("maker", "quality"))) == ["DA4", "DA3", "DA2", "DA1"], "the newest first"
    try:
        clock.set_simulated_ms(clock.now_ms() + sides.PARTIAL_MS)
        later = listed(person("maker", "admin"))
    finally:
        clock.set_simulated_ms(0)
    assert list(later) == ["DA3", "DA4", "DA2", "DA1"], "goods are missing now, though nothing was recorded since"
    assert later["DA3"] == ("Goods are missing", ["2", "1", "1"])


def test_a_case_received_by_its_packs_is_done(three: House, person: Enter) -> None:
    """The fold compares names of things, and calls it partly received for good."""
    act(three, "pharmacy", "receive", [code("5"), code("6")], despatch="urn:dosetrail:document:DA2")
    found = listed(person("pharmacy"))
    assert list(found) == ["DA3", "DA2", "DA1"]
    assert found["DA2"] == ("Received", ["2", "2", "0"])


def test_large_ones_are_counted_by_the_engine(three: House, person: Enter, monkeypatch: pytest.MonkeyPatch) -> None:
    portal = person("pharmacy")
    at_once = listed(portal)
    KeptStanding.objects.all().delete()
    monkeypatch.setattr(standings, "LIVE", 1)  # DA1 and DA3 are larger
    waiting = listed(portal)
    assert {name: state for name, (state, _) in waiting.items()} == {
        "DA3": "Being counted", "DA2": "On the way", "DA1": "Being counted",
    }  # fmt: skip
    assert waiting["DA1"][1] == ["…", "…", "…"]
    with CaptureQueriesContext(connection) as queries:
        listed(portal)
    assert not [one for one in queries if '"custody_shipment"."despatched",' in one["sql"]], "no goods are read"
    while kept.run_once():
        pass
    assert listed(portal) == at_once
    assert not KeptStanding.objects.exclude(wanted_ms=None).exists(), "nobody waits"


def test_a_large_one_is_counted_again_when_its_own_events_speak(
    three: House, person: Enter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise a while later: a receipt by content changes nothing of its own record."""
    monkeypatch.setattr(standings, "LIVE", 0)
    portal = person("pharmacy")
    listed(portal)
    while kept.run_once():
        pass
    act(three, "pharmacy", "receive", [code("32")], despatch="urn:dosetrail:document:DA3")
    assert listed(portal)["DA3"][0] == "Being counted", "not as it stood before"
    while kept.run_once():
        pass
    assert listed(portal)["DA3"] == ("Received", ["2", "2", "0"])
    act(three, "pharmacy", "receive", [code("5"), code("6")])
    assert listed(portal)["DA2"][0] == "On the way"
    assert not kept.run_once()
    monkeypatch.setattr(standings, "RECOUNT_MS", 0)
    listed(portal)
    assert kept.run_once()
    monkeypatch.undo()
    assert listed(portal)["DA2"][0] == "Received"


def test_the_file_counts_all_of_them(three: House, person: Enter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(standings, "LIVE", 0)
    monkeypatch.setattr(standings, "BATCH", 1)
    text = person("pharmacy").client.get("/portal/shipments.csv").getvalue().decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [(row["despatch"], row["despatched"], row["received"], row["missing"]) for row in rows] == [
        ("DA3", "2", "1", "1"), ("DA2", "2", "0", "0"), ("DA1", "4", "4", "0"),
    ]  # fmt: skip


def test_nothing_is_kept_of_a_list_that_came_since(three: House, person: Enter) -> None:
    portal = person("pharmacy", "quality")
    listed(portal)
    assert KeptStanding.objects.filter(party="pharmacy", document="urn:dosetrail:document:DA1").exists()
    give(portal, code("1"), "DA1")
    assert not KeptStanding.objects.filter(party="pharmacy", document="urn:dosetrail:document:DA1").exists()


def test_where_nothing_can_be_kept_the_list_is_shown(
    three: House, person: Enter, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    portal = person("pharmacy")
    expected = listed(portal)
    KeptStanding.objects.all().delete()

    def full(*_: Any, **__: Any) -> None:
        raise DatabaseError("database or disk is full")

    monkeypatch.setattr(KeptStanding.objects, "bulk_create", full)
    assert listed(portal) == expected
    assert "were not kept" in caplog.text
