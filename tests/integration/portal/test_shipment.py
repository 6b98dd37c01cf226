"""A shipment's page: both sides, where it stands, receipts that belong to it by content."""

import html
import json
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from urllib.parse import parse_qs, quote

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from ledger import api as ledger
from tests.integration.conftest import EXPIRY, LOT, House, code
from traceability.custody import selectors as custody
from traceability.custody import shipments, trace
from traceability.scans import services as scans
from traceability.web.portal import shipment_views

from .conftest import CASE, SSCC, Portal, act

Enter = Callable[..., Portal]
DA1, DA2 = "urn:dosetrail:document:DA1", "urn:dosetrail:document:DA2"
LINE = re.compile(r'<th scope="row" class="mono small">(.*?)</th><td><span class="tag [\w-]+">(.*?)</span>')


def shown(portal: Portal, despatch: str) -> str:
    return html.unescape(portal.get("shipment", despatch=despatch))


def lines(page: str) -> dict[str, str]:
    return {re.sub("<[^>]*>", "", goods): state for goods, state in LINE.findall(page)}


def test_a_received_shipment_and_one_under_way(stocked: House, person: Enter) -> None:
    portal = person("pharmacy")
    page = shown(portal, DA1)
    assert '<span class="tag is-ok">Received</span>' in page
    assert set(lines(page).values()) == {"Received"}
    assert len(lines(page)) == 4
    assert "step/receive" not in page
    page = shown(portal, DA2)
    assert '<span class="tag is-unknown">On the way</span>' in page
    assert lines(page) == {f"(00){SSCC}": "Not received"}
    assert '<td class="num">2</td><td class="num">0</td><td class="num">2</td>' in page, "two packs in the case"
    assert "/portal/step/receive?despatch=DA2" in page
    assert 'value="DA2"' in portal.get("step/receive", despatch="DA2")
    assert "/portal/step/void_shipping?despatch=DA2" in shown(person("maker"), DA2)


def test_the_list_leads_to_the_page_and_a_stranger_sees_none(stocked: House, person: Enter) -> None:
    assert f"shipment?despatch={quote(DA2, safe='')}" in person("maker").get("shipments")
    stranger = person("other")
    for path in ("shipment", "shipment/proofs"):
        stranger.get(path, status=404, despatch=DA2)
    stranger.get("shipment", status=404)


def test_naming_a_stranger_s_number_on_a_receipt_opens_nothing(stocked: House, person: Enter) -> None:
    act(stocked, "other", "receive", [code("6")], despatch="DA2")
    person("other").get("shipment", status=404, despatch=DA2)


def test_its_proofs_verify(stocked: House, person: Enter, tmp_path: Path) -> None:
    file = tmp_path / "shipment.json"
    file.write_text(person("pharmacy").get("shipment/proofs", despatch=DA1))
    command = [sys.executable, "-m", "ledger.verify", str(file), "--vkey", ledger.vkey()]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(json.loads(file.read_text())["entries"]) == 2


def test_a_part_is_short_only_after_a_day(stocked: House, person: Enter, monkeypatch: pytest.MonkeyPatch) -> None:
    act(stocked, "pharmacy", "receive", [code("5")], despatch="DA2")
    portal = person("pharmacy")
    page = shown(portal, DA2)
    assert "Partly received" in page
    assert lines(page) == {f"(00){SSCC}": "A part is missing"}
    now = shipment_views.now_ms()
    monkeypatch.setattr(shipment_views, "now_ms", lambda: now + 86_400_000)
    assert "Goods are missing" in shown(portal, DA2)


def test_what_is_missing_of_a_case_and_what_came_besides_each_lead_to_an_exception(
    stocked: House, person: Enter
) -> None:
    act(stocked, "pharmacy", "receive", [code("5"), code("1")], despatch="DA2")
    page = shown(person("pharmacy"), DA2)
    goods = {serial: f"(01)09521000001008(21){serial}" for serial in ("1", "6")}
    assert f'Not received of it</summary><ul class="reasons"><li class="mono small">{goods["6"]}</li>' in page
    led = re.findall(r'href="/portal/exceptions/new\?([^"]+)">Open an exception: (\w+)', page)
    asked = {word: parse_qs(query) for query, word in led}
    assert (asked["missing"]["kind"], asked["missing"]["code"]) == (["data-no-product"], [goods["6"]])
    assert (asked["surplus"]["kind"], asked["surplus"]["code"]) == (["product-no-data"], [goods["1"]])
    assert asked["missing"]["partner"] == ["maker"]


def test_more_than_was_despatched(stocked: House, person: Enter) -> None:
    act(stocked, "maker", "commission", [code("9")], lot=LOT, expiry=EXPIRY.isoformat())
    act(stocked, "pharmacy", "receive", [f"(00){SSCC}", code("9")], despatch="DA2")
    page = shown(person("pharmacy"), DA2)
    assert "More than was despatched" in page
    assert sorted(lines(page).values()) == ["Not on the despatch", "Received"]


def test_called_back_before_and_after_receipt(stocked: House, person: Enter) -> None:
    act(stocked, "maker", "void_shipping", [f"(00){SSCC}"], despatch="DA2", receiver="pharmacy")
    assert "Called back before it was received" in shown(person("pharmacy"), DA2)
    scans.record(
        party=stocked.parties["maker"], step="void_shipping", codes=[code(str(n)) for n in range(1, 5)],
        place=stocked.place("maker"), details={"despatch": "DA1", "receiver": "pharmacy"}, override_reason="too late",
    )  # fmt: skip
    stocked.settle()
    assert "Called back after goods had been received" in shown(person("maker"), DA1)
    portal = person("pharmacy", "quality")
    assert "On the record they stay where they were received." in shown(portal, DA1)
    assert portal.get("stock").count('<th scope="row"') == 4, "nobody's word takes goods out of another's stock"
    steps = trace.ask(trace.subject(code("1"), today=date(2026, 6, 1))).trace
    here = {row.node.place: row.now for row in steps.nodes}
    assert here == {stocked.place("maker"): 0, stocked.place("pharmacy"): 1}, "the trace says the same"


@pytest.mark.parametrize("number", ["", "OTHER"])
@pytest.mark.parametrize("codes", [[f"(00){SSCC}"], [code("5"), code("6")]], ids=["case", "packs"])
def test_a_receipt_without_the_number_is_matched_by_content(
    stocked: House, person: Enter, number: str, codes: list[str]
) -> None:
    act(stocked, "pharmacy", "receive", codes, **({"despatch": number} if number else {}))
    row = custody.shipment(DA2)
    assert row is not None
    assert (row.status, row.received) == ("open", []), "the fold by number stays as it is"
    portal = person("pharmacy")
    page = shown(portal, DA2)
    assert '<span class="tag is-ok">Received</span>' in page
    assert "Matched by content" in page
    assert "Matched by content" in portal.get("shipments")
    sender = person("maker")
    assert "On the way" in shown(sender, DA2), "a receipt that does not name the sender is not the sender's to see"
    assert "Matched by content" not in sender.get("shipments")
    if number:
        page = shown(person("pharmacy", "admin"), f"urn:dosetrail:document:{number}")
        assert "Received without a recorded despatch" in page
        assert f"despatch={quote(DA2, safe='')}" in page


def test_the_sender_sees_a_match_whose_receipt_names_it(stocked: House, person: Enter) -> None:
    act(stocked, "pharmacy", "receive", [f"(00){SSCC}"], sender="maker")
    assert "Matched by content" in shown(person("maker"), DA2)


def test_what_one_s_own_number_covers_is_never_given_to_another(stocked: House) -> None:
    act(stocked, "maker", "ship", [code("1")], receiver="pharmacy", despatch="DA3")
    act(stocked, "pharmacy", "receive", [code("1")], despatch="DA3")
    act(stocked, "maker", "ship", [code("1")], receiver="pharmacy", despatch="DA4")
    row = custody.shipment("urn:dosetrail:document:DA4")
    assert row is not None
    assert shipments.by_content([row]) == {}
    act(stocked, "pharmacy", "receive", [code("1")])
    assert list(shipments.by_content([row])) == [row.despatch]


def test_a_third_party_s_receipt_is_no_match(stocked: House) -> None:
    act(stocked, "other", "receive", [f"(00){SSCC}"])
    row = custody.shipment(DA2)
    assert row is not None
    assert shipments.by_content([row]) == {}


def test_list_csv_and_page_agree_where_a_case_is_received_pack_by_pack(stocked: House, person: Enter) -> None:
    portal = person("pharmacy")

    def listed() -> tuple[list[tuple[str, str]], tuple[str, ...]]:
        row = re.search(r">DA2</a></th>.*?</tr>", portal.get("shipments"), re.S)
        assert row
        line = next(line for line in download(portal, "shipments.csv").splitlines() if line.startswith("DA2,"))
        return re.findall(r'<span class="tag [\w-]+">(.*?)</span>|<td class="num">(\d+)', row[0]), tuple(
            line.split(",")[-3:]
        )

    def states(found: list[tuple[str, str]]) -> list[str]:
        return [state or figure for state, figure in found]

    assert states(listed()[0]) == ["On the way", "2", "0", "0"]
    act(stocked, "pharmacy", "receive", [code("5")], despatch="DA2")
    assert states(listed()[0]) == ["Partly received", "2", "1", "1"]
    assert "DA2" in portal.get("step/receive").split("<datalist")[-1]
    act(stocked, "pharmacy", "receive", [code("6")], despatch="DA2")
    row = custody.shipment(DA2)
    assert row is not None
    assert row.status == "partial", "the fold counts what the despatch names: a case"
    shown_there, in_csv = listed()
    assert states(shown_there) == ["Received", "2", "2", "0"]
    assert in_csv == ("2", "2", "0")
    assert '<span class="tag is-ok">Received</span>' in shown(portal, DA2)
    assert "DA2" not in portal.get("step/receive").split("<datalist")[-1]


def download(portal: Portal, name: str) -> str:
    return b"".join(portal.client.get(f"/portal/{name}").streaming_content).decode("utf-8-sig")


def test_the_lines_of_many_shipments_are_those_of_each_alone(stocked: House) -> None:
    """Each at its own moment: a case that travels twice, with another content the second time."""
    act(stocked, "pharmacy", "receive", [f"(00){SSCC}"], despatch="DA2")
    act(stocked, "pharmacy", "unpack", [f"(00){SSCC}"])
    again = [code("7"), code("8"), code("9")]
    act(stocked, "maker", "commission", again, lot=LOT, expiry=EXPIRY.isoformat())
    act(stocked, "maker", "pack", again, container=CASE)
    act(stocked, "maker", "ship", [f"(00){SSCC}"], receiver="other", despatch="DA5")
    act(stocked, "other", "receive", [code("7"), code("8"), code("5")], despatch="DA5")
    rows = list(custody.shipments_of([stocked.parties["maker"].uri]))
    together = shipments.lines_of([(row, ()) for row in rows])
    assert together == [shipments.lines(row) for row in rows]
    figures = {
        row.despatch: [(sum(line.expected.values()), sum(line.received.values())) for line in lines]
        for row, lines in zip(rows, together, strict=True)
    }
    assert figures[DA2] == [(2, 2)]
    assert sorted(figures["urn:dosetrail:document:DA5"]) == [(0, 1), (3, 2)], "the fifth pack did not lie in it then"


def test_a_lane_tells_how_long_it_takes(stocked: House, person: Enter) -> None:
    assert "on this lane" not in shown(person("pharmacy"), DA2)
    for number in range(3):
        act(stocked, "maker", "ship", [code("1")], receiver="pharmacy", despatch=f"L{number}")
        act(stocked, "pharmacy", "receive", [code("1")], despatch=f"L{number}")
    assert "on this lane, over the last 4" in shown(person("pharmacy", "quality"), DA2)


def test_the_statements_of_the_list_do_not_grow_with_its_rows(stocked: House, person: Enter) -> None:
    portal = person("pharmacy")

    def statements(numbers: range) -> int:
        for number in numbers:
            act(stocked, "maker", "commission", [code(str(number))], lot=LOT, expiry=EXPIRY.isoformat())
            act(stocked, "maker", "ship", [code(str(number))], receiver="pharmacy", despatch=f"M{number}")
            act(stocked, "pharmacy", "receive", [code(str(number))])
        with CaptureQueriesContext(connection) as found:
            portal.get("shipments")
        return len(found)

    statements(range(10, 12))
    first = statements(range(12, 13))
    assert statements(range(13, 16)) == first, "documents and receipts of the matches: once for all of them"
    assert statements(range(0)) < first, "what was counted as of this entry is not counted again"


def test_the_counts_know_cases_on_pallets(stocked: House) -> None:
    row = custody.shipment(DA2)
    assert row is not None
    (line,) = shipments.lines(row)
    assert (line.epc, sum(line.expected.values()), list(line.expected)) == (CASE, 2, [("09521000001008", LOT)])
