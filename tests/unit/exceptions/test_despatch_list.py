"""Despatch lists and orders read: every form of a code, columns, and each fault at its line."""

from datetime import date

import pytest

from traceability.exceptions import despatch_list
from traceability.exceptions.despatch_list import Listed, read
from traceability.gs1.epc import canonical

TODAY = date(2026, 1, 1)
GTIN, SSCC = "09521000001008", "095210000000000018"
PACK = f"https://id.gs1.org/01/{GTIN}/21/S1"
CASE = f"https://id.gs1.org/00/{SSCC}"


def listed(text: str, *, is_order: bool = False) -> Listed:
    return read(text.encode(), today=TODAY, is_order=is_order)


@pytest.mark.parametrize(
    ("line", "epc", "said"),
    [
        (f"(01){GTIN}(17)300131(10)L1(21)S1", PACK, ("L1", "2030-01-31")),
        (f"]d201{GTIN}1730013110L1\x1d21S1", PACK, ("L1", "2030-01-31")),
        (f"https://id.gs1.org/01/{GTIN}/10/L1/21/S1?17=300131", PACK, ("L1", "2030-01-31")),
        (PACK, PACK, ("", "")),
        ("urn:epc:id:sgtin:9521000.000100.S1", canonical("urn:epc:id:sgtin:9521000.000100.S1"), ("", "")),
        (f"(00){SSCC}", CASE, ("", "")),
        (SSCC, CASE, ("", "")),
        ("83014300000000000001", "urn:dosetrail:nmpa:83014300000000000001", ("", "")),
    ],
)
def test_a_line_may_be_any_code_that_scanners_know(line: str, epc: str, said: tuple[str, str]) -> None:
    found = listed(f"\ufeff\n  {line}\r\n\n")
    assert (found.things, found.lines, found.faults) == ({epc: said}, 1, [])


@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_columns_name_packs_amounts_and_cases(mark: str) -> None:
    rows = [
        "GTIN,lot,Expiry,serial,quantity,sscc", f"{GTIN},L1,2030-01-31,S1,,", f"{GTIN},L1,300131,S2,1,",
        f"{GTIN},L2,,,10,", "9521000001008,L2,,,5,", f"{GTIN},,,,3,", f",,,,,{SSCC}",
    ]  # fmt: skip
    found = listed("\n".join(rows).replace(",", mark))
    assert found.faults == []
    assert found.things == {
        PACK: ("L1", "2030-01-31"), PACK.replace("S1", "S2"): ("L1", "2030-01-31"), CASE: ("", ""),
    }  # fmt: skip
    assert found.amounts == {(GTIN, "L2", ""): 15, (GTIN, "", ""): 3}
    assert found.lines == 6


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        (f"(01){GTIN}(21)S1\nhello\n(01){GTIN[:-1]}9(21)S1", [(2, "unknown"), (3, "check-digit")]),
        (f"{PACK}\n\n(01){GTIN}(21)S1", [(3, "twice")]),
        (f"(01){GTIN}(10)L1", [(1, "no-serial")]),
        (GTIN, [(1, "no-serial")]),
        ("", [(0, "empty")]),
        ("gtin,quantity\n", [(0, "empty")]),
        ("gtin,colour\n1,red", [(1, "columns")]),
        ("gtin,gtin\n1,1", [(1, "columns")]),
        (f"gtin,quantity\n{GTIN}", [(2, "cells")]),
        (f"gtin,quantity\n{GTIN},0\n{GTIN},1.5\n{GTIN},\n{GTIN},99999999", [(n, "quantity") for n in (2, 3, 4, 5)]),
        (f"gtin,quantity\n{GTIN},²", [(2, "quantity")]),
        ("gtin,quantity\n12,1\n,1", [(2, "gtin"), (3, "gtin")]),
        (f"gtin,serial,quantity\n{GTIN},S1,2", [(2, "quantity")]),
        (f"gtin,serial,sscc\n{GTIN},S1,{SSCC}", [(2, "columns")]),
        (f"gtin,expiry,quantity\n{GTIN},31.01.2030,1\n{GTIN},2030-02-31,1", [(2, "date"), (3, "date")]),
        (f"gtin,serial\n{GTIN},S1\n{GTIN},S1", [(3, "twice")]),
        (f'gtin,quantity\n"{GTIN},1', [(2, "csv")]),
        ("x" * 501, [(1, "line")]),
        ("a\x00b", [(1, "line")]),
    ],
)
def test_each_fault_has_its_line(text: str, faults: list[tuple[int, str]]) -> None:
    assert [(one.line, one.code) for one in listed(text).faults] == faults


def test_an_order_has_no_serial_numbers() -> None:
    assert [one.code for one in listed(PACK, is_order=True).faults] == ["order-serial"]
    assert listed(f"gtin,quantity\n{GTIN},5", is_order=True).faults == []


def test_what_is_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [one.code for one in read(b"\xff", today=TODAY).faults] == ["encoding"]
    monkeypatch.setattr(despatch_list, "MAX_LINES", 2)
    for text in (f"{PACK}1\n{PACK}2\n{PACK}3\n{PACK}4", f"gtin,serial\n{GTIN},1\n{GTIN},2\n{GTIN},3\n{GTIN},4"):
        assert [one.code for one in listed(text).faults] == ["too-many"]
    assert listed(f"gtin,serial\n{GTIN},1\n{GTIN},2").faults == []
    monkeypatch.setattr(despatch_list, "MAX_BYTES", 10)
    assert [one.code for one in listed(PACK).faults] == ["too-large"]


def test_faults_beyond_the_first_ones_are_counted() -> None:
    found = listed("\n".join("?" * 5 for _ in range(despatch_list.MAX_FAULTS + 7)))
    assert (len(found.faults), found.more_faults) == (despatch_list.MAX_FAULTS, 7)
