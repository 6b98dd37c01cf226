"""The trace pages of members and of the regulator."""

import csv
import io
from typing import Any

import pytest
from django.test import Client

from tests.integration.api.test_trace import sold
from tests.integration.conftest import EXPIRY, GTIN, LOT, House, code, pack
from tests.integration.portal.conftest import act
from tests.integration.scans.test_record import CASE, PASSWORD
from traceability.parties import services as parties
from traceability.visibility.models import Read

__all__ = ["sold"]


@pytest.fixture
def browsers(sold: House) -> dict[str, Client]:
    """A signed-in member of each party."""
    found = {}
    for name in ("regulator", "maker", "pharmacy", "other"):
        role = "inspector" if name == "regulator" else "operator"
        parties.add_member(party=sold.parties[name], username=f"{name}-member", password=PASSWORD, role=role)
        found[name] = Client()
        assert found[name].login(username=f"{name}-member", password=PASSWORD)
    return found


def page(client: Client, face: str, **params: str) -> str:
    answer = client.get(f"/{face}/trace", params)
    assert answer.status_code == 200
    return answer.content.decode()


def test_the_graph_and_the_tables_say_the_same(browsers: dict[str, Client]) -> None:
    shown = page(browsers["regulator"], "regulator", code=f"(01){GTIN}(10){LOT}")
    boxes = {part.split('"')[0] for part in shown.split('data-spot="')[1:]}
    rows = {part.split('"')[0] for part in shown.split('<tr id="spot-')[1:]}
    assert boxes == rows == {"0", "1", "2"}
    for word in ("2 packs traced", "Maker", "Pharmacy", "Dispensed", "Inferred", "Covered by the checkpoint of size"):
        assert word in shown


def test_a_member_is_told_how_much_is_not_its_to_see(browsers: dict[str, Client]) -> None:
    maker = page(browsers["maker"], "portal", code=pack("1"))
    assert "records of these goods are not yours to see" in maker
    assert "Pharmacy site" not in maker
    assert "not yours to see" not in page(browsers["pharmacy"], "portal", code=pack("1"))
    stranger, nothing = (page(browsers["other"], "portal", code=pack(serial)) for serial in ("1", "none"))
    assert "Nothing is recorded of this that you may see." in stranger
    told, of_nothing = (shown.split("<main")[1] for shown in (stranger, nothing))
    assert told.replace(pack("1"), "") == of_nothing.replace(pack("none"), "")
    answer = browsers["other"].get("/portal/trace.csv", {"code": pack("1")})
    assert len(b"".join(answer.streaming_content).splitlines()) == 1  # type: ignore[attr-defined]


def test_as_of_an_entry_leaves_out_what_came_later(browsers: dict[str, Client]) -> None:
    now = page(browsers["regulator"], "regulator", code=code("1"))
    assert "Dispensed" in now
    index = int(now.rsplit("Log entry ", 1)[1].split("<")[0])
    then = page(browsers["regulator"], "regulator", code=code("1"), as_of=str(index - 1))
    assert f"As the log held it after entry {index - 1}." in then
    assert "Dispensed" not in then


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"code": "hello"}, "This names nothing that can be traced."),
        ({"code": "(01)123"}, "This code cannot be read."),
        ({"code": CASE, "as_of": "99999999"}, "The log has no such entry."),
        ({"code": CASE, "as_of": "x"}, "The log has no such entry."),
        ({"code": CASE, "from": "soon"}, "This is no date."),
        ({"code": CASE, "to": "9999-12-31"}, "This is no date."),
        ({"code": CASE, "direction": "sideways"}, "Step by step"),
    ],
)
@pytest.mark.parametrize("face", ["portal", "regulator"])
def test_what_cannot_be_answered_is_said(browsers: dict[str, Client], face: str, params: Any, words: str) -> None:
    assert words in page(browsers["regulator" if face == "regulator" else "maker"], face, **params)


def test_a_place_in_a_period(sold: House, browsers: dict[str, Client]) -> None:
    place = sold.place("pharmacy")
    assert "2 packs traced" in page(browsers["regulator"], "regulator", code=place)
    assert "Nothing is recorded" in page(browsers["regulator"], "regulator", code=place, to="2001-01-01")


def test_steps_as_csv(browsers: dict[str, Client]) -> None:
    def steps(party: str, face: str) -> list[dict[str, str]]:
        answer = browsers[party].get(f"/{face}/trace.csv", {"code": pack("1")})
        content = b"".join(answer.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
        return list(csv.DictReader(io.StringIO(content)))

    whole, mine = steps("regulator", "regulator"), steps("maker", "portal")
    known = [row["evidence"] for row in whole]
    assert known == ["observed", "observed", "inferred", "inferred", "observed", "observed"]
    assert mine == whole[: len(mine)]
    assert len(mine) == 3
    assert Read.objects.get(door="regulator:trace-csv").events == 6
    assert browsers["maker"].get("/portal/trace.csv", {"code": "hello"}).status_code == 404


def test_stock_and_shipments_lead_to_the_trace(browsers: dict[str, Client]) -> None:
    listed = browsers["pharmacy"].get("/portal/shipments").content.decode()
    shipment = "shipment?" + listed.split('href="/portal/shipment?')[1].split('"')[0].replace("&amp;", "&")
    for address in ("stock", shipment):
        shown = browsers["pharmacy"].get(f"/portal/{address}").content.decode()
        link = shown.split('href="/portal/trace?')[1].split('"')[0].replace("&amp;", "&")
        assert "packs traced" in (found := browsers["pharmacy"].get(f"/portal/trace?{link}").content.decode()) or (
            "pack traced" in found
        )


def test_a_number_that_is_no_code_is_traced_and_a_case_says_how_many_packs_it_holds(
    sold: House, browsers: dict[str, Client]
) -> None:
    made = [code("n1"), code("n2")]
    act(sold, "maker", "commission", made, lot=LOT, expiry=EXPIRY.isoformat())
    case, pallet = (f"(00)095210000000{number}" for number in ("000353", "000360"))
    act(sold, "maker", "pack", made, container=case)
    act(sold, "maker", "pack", [case], container=pallet)
    act(sold, "maker", "ship", [pallet], receiver="pharmacy", despatch="12345678")  # a GTIN-8 but for its check digit
    assert "2 packs traced" in page(browsers["regulator"], "regulator", code="12345678")
    assert "Packs inside</dt><dd>2<" in page(browsers["regulator"], "regulator", code=pallet)
