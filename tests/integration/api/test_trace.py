"""The trace over HTTP: what each caller gets, and what each question that cannot be answered gets."""

import hashlib
from typing import Any

import pytest
from django.test import Client

from ledger import api as ledger
from tests.integration.conftest import EXPIRY, GTIN, LOT, House, code, pack
from tests.integration.scans.test_record import CASE, act
from traceability.visibility.models import Read

LOT_CODE = f"(01){GTIN}(10){LOT}"


@pytest.fixture
def sold(house: House) -> House:
    """Two packs in a case go from the maker to the pharmacy, which sells one."""
    act(house, "maker", "commission", [code("1"), code("2")], details={"lot": LOT, "expiry": EXPIRY.isoformat()})
    act(house, "maker", "pack", [code("1"), code("2")], details={"container": CASE})
    act(house, "maker", "ship", [CASE], details={"receiver": "pharmacy", "despatch": "DA1"})
    act(house, "pharmacy", "receive", [CASE])
    act(house, "pharmacy", "unpack", [CASE])
    act(house, "pharmacy", "dispense", [code("1")])
    return house


def ask(house: House, party: str, **params: str) -> Any:
    return house.client(party).get("/api/v1/trace", params)


def test_a_lot_s_trace_adds_up_and_names_its_checkpoint(sold: House) -> None:
    body = ask(sold, "regulator", of=LOT_CODE).json()
    assert (body["packs"], body["leftOut"], body["hidden"]) == (2, 0, 0)
    assert sum(node["now"] for node in body["nodes"]) == 2
    assert {(node["state"], node["now"]) for node in body["nodes"]} == {("", 0), ("", 1), ("dispensed", 1)}
    names = {node["id"] for node in body["nodes"]}
    assert {leg["to"] for leg in body["legs"]} <= names
    moved = [leg for leg in body["legs"] if leg["kind"] == "shipping"]
    assert [(leg["packs"], leg["evidence"], leg["eventCount"]) for leg in moved] == [(2, {"inferred": 2}, 2)]
    covering = body["asOf"]["checkpoint"]
    first = min((one for one in ledger.checkpoints(100) if one.size > body["asOf"]["index"]), key=lambda one: one.size)
    assert (covering["size"], covering["rootHash"]) == (first.size, first.root.hex())
    assert len(bytes.fromhex(covering["rootHash"])) == hashlib.sha256().digest_size


@pytest.mark.parametrize("of", ["DA1", CASE, code("1"), pack("1"), "place"])
def test_every_kind_of_subject(sold: House, of: str) -> None:
    named = sold.place("pharmacy") if of == "place" else of
    answer = ask(sold, "regulator", of=named)
    assert answer.status_code == 200, answer.content
    assert answer.json()["steps"]


def test_as_of_an_entry(sold: House) -> None:
    whole = ask(sold, "regulator", of=pack("1")).json()
    last = whole["steps"][-1]
    before = ask(sold, "regulator", of=pack("1"), as_of=str(last["index"] - 1)).json()
    assert before["steps"] == whole["steps"][:-1]
    assert before["asOf"]["index"] == last["index"] - 1
    answer = ask(sold, "regulator", of=pack("1"), as_of="99999999")
    assert (answer.status_code, answer.json()["code"]) == (404, "as-of")


def test_a_party_sees_its_part_and_a_stranger_nothing(sold: House) -> None:
    maker, pharmacy = (ask(sold, name, of=pack("1")).json() for name in ("maker", "pharmacy"))
    whole = ask(sold, "regulator", of=pack("1")).json()
    assert len(maker["steps"]) + maker["hidden"] == len(pharmacy["steps"]) == len(whole["steps"])
    assert maker["hidden"] > 0
    assert sold.parties["pharmacy"].uri not in {step["reporter"] for step in maker["steps"]}
    nobody, missing = ask(sold, "other", of=pack("1")), ask(sold, "other", of=pack("none"))
    assert nobody.status_code == missing.status_code == 404
    assert nobody.json()["detail"] == missing.json()["detail"]
    assert Client().get("/api/v1/trace", {"of": pack("1")}).status_code == 401


def test_a_regulator_s_trace_leaves_a_receipt(sold: House) -> None:
    ask(sold, "maker", of=pack("1"))
    assert not Read.objects.exists()
    ask(sold, "regulator", of=pack("1"))
    assert Read.objects.get().events == 6


@pytest.mark.parametrize(
    ("params", "parameter"),
    [
        ({}, "of"),
        ({"of": " "}, "of"),
        ({"of": "(01)123"}, "of"),
        ({"of": "nonsense"}, "of"),
        ({"of": GTIN}, "of"),
        ({"of": LOT_CODE, "direction": "sideways"}, "direction"),
        ({"of": LOT_CODE, "as_of": "-1"}, "as_of"),
        ({"of": LOT_CODE, "as_of": "9" * 30}, "as_of"),
        ({"of": LOT_CODE, "from": "yesterday"}, "from"),
        ({"of": LOT_CODE, "since": "1"}, "since"),
    ],
)
def test_a_question_that_cannot_be_answered_names_the_parameter(
    house: House, params: dict[str, str], parameter: str
) -> None:
    answer = ask(house, "regulator", **params)
    assert answer.status_code == 400, answer.content
    assert answer["Content-Type"] == "application/problem+json"
    assert [error["parameter"] for error in answer.json()["errors"]] == [parameter]


def test_long_answers_say_what_they_leave_out(sold: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("traceability.api.trace_views.MAX_STEPS", 2)
    monkeypatch.setattr("traceability.api.trace_views.MAX_LEG_EVENTS", 1)
    body = ask(sold, "regulator", of=LOT_CODE).json()
    assert (len(body["steps"]), body["stepsLeftOut"]) == (2, 4)
    assert [(len(leg["events"]), leg["eventCount"]) for leg in body["legs"] if leg["kind"] == "shipping"] == [(1, 2)]
