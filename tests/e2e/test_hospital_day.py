"""A hospital's day: a case is opened, packs and parts of packs go to patients, a mistake is taken back."""

import pytest

from tests.e2e.conftest import DemoHouse

pytestmark = pytest.mark.xdist_group("demo")  # one house for the four days

PARTY = "hosp-renji"
FINDINGS = "select count(*) from contracts_finding where retracted_index is null"


def test_a_day_on_the_ward(demo: DemoHouse) -> None:
    before = demo.rows(FINDINGS)
    case = demo.world["stock"][PARTY]["sscc"]
    packs = [
        row[0] for row in demo.rows(f"select child from custody_containment where parent = '{case}' and to_ms is null")
    ]
    assert len(packs) == 25
    assert demo.scan(PARTY, "unpack", [case]).status_code == 201
    demo.folded()
    assert demo.scan(PARTY, "dispense", packs[:3]).status_code == 201
    assert demo.scan(PARTY, "dispense_part", [packs[3]], details={"quantity_left": "12"}).status_code == 201
    demo.folded()
    again = demo.scan(PARTY, "dispense", packs[:1])
    assert (again.status_code, again.json()["code"]) == (409, "preflight-stop")
    assert demo.scan(PARTY, "undo", packs[:1], details={"reason": "patient was discharged"}).status_code == 201
    assert demo.scan(PARTY, "dispense_part", [packs[3]], details={"quantity_left": "0"}).status_code == 201
    demo.folded()
    assert demo.preflight(PARTY, "dispense", packs[:1])["verdict"] == "allow"
    assert demo.rows(FINDINGS) == before
