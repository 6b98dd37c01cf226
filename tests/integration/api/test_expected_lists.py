"""Despatch lists and orders over HTTP: kept whole or not at all, the caller's own, compared with the record."""

import json
from typing import Any

import pytest

from tests.integration.conftest import EXPIRY, GTIN, LOT, House, code, pack
from tests.integration.portal.conftest import SSCC, act, stocked
from traceability.exceptions import despatch_list, kept
from traceability.exceptions.models import ExpectedList

__all__ = ["stocked"]
LISTS = "/api/v1/expected-lists"
CSV = f"gtin,lot,expiry,serial\n{GTIN},{LOT},{EXPIRY},21\n{GTIN},,,22\n"


def give(house: House, body: Any, query: str = "kind=advice&number=DA7", *, party: str = "pharmacy") -> Any:
    """A text as CSV, anything else as JSON."""
    kind = "text/csv" if isinstance(body, str) else "application/json"
    content = body if isinstance(body, str) else json.dumps(body)
    return house.client(party).post(f"{LISTS}?{query}", content.encode(), content_type=kind)


def pages(house: House, path: str, size: int = 2) -> list[Any]:
    found, url = [], f"{path}?perPage={size}"
    while url:
        answer = house.client("pharmacy").get(url)
        assert answer.status_code == 200, answer.content
        assert len(answer.json()) <= size
        found += answer.json()
        url = answer.get("Link", "").partition(">")[0].lstrip("<")
    return found


def test_csv_and_json_are_the_same_list(house: House) -> None:
    first = give(house, CSV, "kind=advice&number=DA7&partner=maker")
    assert first.status_code == 201, first.content
    row = ExpectedList.objects.get()
    assert (row.by_quality, row.actor, row.partner_id) == (False, "", "maker")
    things = row.things
    lines = [
        {"gtin": GTIN, "lot": LOT, "expiry": EXPIRY.isoformat(), "serial": "21"},
        {"code": f"https://id.gs1.org/01/{GTIN}/21/22"},
    ]
    second = give(house, {"lines": lines}, "kind=advice&number=DA7&partner=maker")
    assert (second.status_code, second["Location"]) == (200, first["Location"])
    row.refresh_from_db()
    assert row.things == things == [[pack("21"), LOT, EXPIRY.isoformat()], [pack("22"), "", ""]]
    shown = house.client("pharmacy").get(first["Location"]).json()
    assert shown == second.json()
    assert (shown["document"], shown["lines"]) == ("urn:dosetrail:document:DA7", 2)
    assert (shown["kind"], shown["partner"]) == ("advice", house.parties["maker"].uri)
    assert pages(house, f"{first['Location']}/lines", 1) == [
        {"epc": pack("21"), "lot": LOT, "expiry": EXPIRY.isoformat()}, {"epc": pack("22"), "lot": "", "expiry": ""},
    ]  # fmt: skip


def test_lists_are_read_in_pages_the_newest_first(house: House) -> None:
    for number in ("A1", "A2", "A3"):
        give(house, f"gtin,quantity\n{GTIN},5", f"kind=order&number={number}")
    give(house, code("1"), "kind=advice&number=A1")
    give(house, code("1"), party="maker")
    found = pages(house, LISTS)
    assert [(one["kind"], one["document"][-2:]) for one in found] == [
        ("advice", "A1"), ("order", "A3"), ("order", "A2"), ("order", "A1"),
    ]  # fmt: skip
    client = house.client("pharmacy")
    assert len(client.get(f"{LISTS}?kind=order").json()) == 3
    assert len(client.get(f"{LISTS}?number=A1").json()) == 2
    assert client.get(f"{LISTS}?kind=wish").status_code == 400
    assert pages(house, f"{LISTS}/{found[-1]['listID']}/lines") == [
        {"gtin": GTIN, "lot": "", "expiry": "", "quantity": 5}
    ]


@pytest.mark.parametrize(
    ("body", "faults"),
    [
        (f"hello\n{code('1')}\n{code('1')}", [(1, "", None), (3, "twice", None)]),
        ("\n \n", [(0, "empty", None)]),
        ({"lines": []}, [(0, "empty", "/lines")]),
        (
            {"lines": [
                {"code": "hello"}, {"gtin": GTIN, "quantity": 0}, {"gtin": GTIN, "quantity": True},
                {"gtin": GTIN, "wish": "1"}, {"code": code("1"), "lot": LOT}, 7, {"sscc": SSCC}, {"sscc": SSCC},
            ]},
            [
                (1, "", "/lines/0"), (2, "quantity", "/lines/1"), (3, "columns", "/lines/2"),
                (4, "columns", "/lines/3"), (5, "columns", "/lines/4"), (6, "columns", "/lines/5"),
                (8, "twice", "/lines/7"),
            ],
        ),
    ],
)  # fmt: skip
def test_every_fault_is_told_by_its_line_and_nothing_is_kept(
    house: House, body: Any, faults: list[tuple[int, str, str | None]]
) -> None:
    give(house, code("9"))
    answer = give(house, body)
    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")
    problem = answer.json()
    assert problem["code"] == "list-faults"
    told = [(one["line"], one["code"], one.get("pointer")) for one in problem["errors"]]
    assert [(line, place) for line, _, place in told] == [(line, place) for line, _, place in faults]
    assert all(code in {"", said} for (_, code, _), (_, said, _) in zip(faults, told, strict=True))
    assert ExpectedList.objects.get().things == [[pack("9"), LOT, EXPIRY.isoformat()]], "the earlier one stays"


@pytest.mark.parametrize(
    ("query", "at_fault"),
    [
        ("number=DA7", "kind"),
        ("kind=wish&number=DA7", "kind"),
        ("kind=advice", "number"),
        ("kind=advice&number=%20", "number"),
        ("kind=advice&number=" + "x" * 101, "number"),
        ("kind=advice&number=1&number=2", "number"),
        ("kind=advice&number=1&partner=nobody", "partner"),
        ("kind=advice&number=1&partner=", "partner"),
        ("kind=advice&number=1&partner=pharmacy", "partner"),
        ("kind=advice&number=1&wish=1", "wish"),
    ],
)
def test_a_parameter_at_fault_is_named(house: House, query: str, at_fault: str) -> None:
    answer = give(house, code("1"), query)
    assert answer.status_code == 400
    assert [one["parameter"] for one in answer.json()["errors"]] == [at_fault]
    assert not ExpectedList.objects.exists()


def test_what_is_no_list(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    for body in ([], {}, {"lines": {}}, {"lines": [], "more": 1}):
        assert give(house, body).status_code == 400
    client, path = house.client("pharmacy"), f"{LISTS}?kind=advice&number=1"
    assert client.post(path, b"<a/>", content_type="application/xml").status_code == 415
    assert client.post(path, b"x", content_type="text/csv; charset=latin-1").status_code == 415
    assert client.post(path, b"\xff", content_type="text/csv").json()["errors"][0]["code"] == "encoding"
    order = give(house, code("1"), "kind=order&number=1").json()
    assert order["errors"][0]["code"] == "order-serial"
    monkeypatch.setattr(despatch_list, "MAX_LINES", 1)
    for body in (CSV, {"lines": [{"sscc": SSCC}, {"code": code("1")}]}):
        assert [one["code"] for one in give(house, body).json()["errors"]] == ["too-many"]
    assert not ExpectedList.objects.exists()


def compared(house: House, list_id: str, party: str = "pharmacy") -> Any:
    return house.client(party).get(f"{list_id}/comparison").json()


def test_the_comparison_says_what_the_page_says(stocked: House) -> None:
    """Three on the list, two received of them, and one besides; nobody recorded the third."""
    codes = [code(serial) for serial in ("21", "22", "24")]
    act(stocked, "maker", "commission", codes, lot=LOT, expiry=EXPIRY.isoformat())
    listed = "\n".join(code(serial) for serial in ("21", "22", "23"))
    path = give(stocked, listed, "kind=advice&number=DA7&partner=maker")["Location"]
    assert compared(stocked, path)["state"] == "expected"
    act(stocked, "pharmacy", "receive", codes, despatch="DA7")
    found = compared(stocked, path)
    assert (found["state"], found["current"], found["sender"]) == ("partial", True, stocked.parties["maker"].uri)
    assert (found["advice"], found["order"]) == (int(path.rpartition("/")[2]), None)
    assert found["counts"] == {
        "lines": 4, "lots": 1, "products": 1, "unrecorded": 1, "missing": 0, "besides": 0, "differing": 0,
    }  # fmt: skip
    assert [(one["epc"][-2:], one["state"], one["missing"]) for one in pages(stocked, f"{path}/comparison/lines")] == [
        ("24", "surplus", 0), ("23", "awaited", 1), ("21", "received", 0), ("22", "received", 0),
    ]  # fmt: skip
    assert pages(stocked, f"{path}/comparison/lots") == [{"gtin": GTIN, "lot": LOT, "expected": 3, "received": 3}]
    assert pages(stocked, f"{path}/comparison/products") == [
        {"gtin": GTIN, "ordered": None, "advised": 3, "despatched": None, "received": 3, "short": 0, "over": 0}
    ]
    assert pages(stocked, f"{path}/comparison/unrecorded") == [{"epc": pack("23")}]
    assert stocked.client("pharmacy").get(f"{path}/comparison/wish").status_code == 404


def test_a_large_one_is_compared_ahead_of_the_answer(stocked: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "LIVE", 2)
    path = give(stocked, "\n".join(code(serial) for serial in "123"), "kind=advice&number=DA1")["Location"]
    answer = stocked.client("pharmacy").get(f"{path}/comparison")
    assert (answer.status_code, answer.json()["code"], answer["Retry-After"]) == (503, "comparison-pending", "3")
    assert kept.run_once()
    found = compared(stocked, path)
    assert (found["state"], found["current"]) == ("received", True)
    assert pages(stocked, f"{path}/comparison/besides") == [{"epc": pack("4")}]


def test_another_s_lists_do_not_exist(stocked: House) -> None:
    path = give(stocked, code("1"), "kind=advice&number=DA1")["Location"]
    for rest in ("", "/lines", "/comparison", "/comparison/lines"):
        assert stocked.client("pharmacy").get(path + rest).status_code == 200
        for party in ("maker", "wholesaler", "other", "regulator"):
            assert stocked.client(party).get(path + rest).status_code == 404
    assert stocked.client("maker").get(LISTS).json() == []


def test_a_list_of_a_system_releases_no_goods_from_hold(house: House) -> None:
    """Only one that a person with the quality role gave does (test_expected.py)."""
    give(house, CSV)
    assert not ExpectedList.objects.get().by_quality
