"""What readers type, scan and follow, as one pack."""

from datetime import date

import pytest
from hypothesis import given, strategies

from traceability.web.consumer import codes
from traceability.web.consumer.codes import CodeError, OnPack, PackCode

TODAY = date(2026, 11, 1)
GTIN = "09504000059118"
PACK = PackCode(f"https://id.gs1.org/01/{GTIN}/21/ABC123", GTIN, "ABC123")
SERIAL_CHARACTERS = "!\"%&'()*+,-./0123456789:;<=>?ABCXYZ_abcxyz"


@pytest.mark.parametrize(
    ("raw", "given"),
    [
        (f"https://id.gs1.org/01/{GTIN}/21/ABC123", OnPack()),
        (f"https://trace.example/01/{GTIN}/10/L1/21/ABC123?17=280331", OnPack("L1", date(2028, 3, 31))),
        (f"(01){GTIN}(21)ABC123", OnPack()),
        (f"(01){GTIN}(17)280300(10)L1(21)ABC123", OnPack("L1", date(2028, 3, 31))),
        (f"]d201{GTIN}1728033110L1\x1d21ABC123", OnPack("L1", date(2028, 3, 31))),
        ("urn:epc:id:sgtin:9504000.005911.ABC123", OnPack()),
    ],
)
def test_every_spelling_names_the_pack(raw: str, given: OnPack) -> None:
    assert codes.read(raw, today=TODAY) == (PACK, given)


def test_a_drug_trace_code_names_a_pack() -> None:
    code = "81234567890123456789"
    assert codes.read(code, today=TODAY) == (PackCode(f"urn:dosetrail:nmpa:{code}", nmpa=code), OnPack())
    assert codes.path(codes.nmpa(code), OnPack("L/1", date(2028, 3, 31))) == f"/c/{code}?10=L%2F1&17=280331"


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        ("", "malformed"),
        ("hello", "malformed"),
        ("(01)09504000059119(21)A", "malformed"),
        (f"(01){GTIN}", "not_a_pack"),
        (f"https://id.gs1.org/01/{GTIN}/10/L1", "not_a_pack"),
        ("https://id.gs1.org/00/095040000500000017", "malformed"),
    ],
)
def test_what_names_no_pack_is_refused(raw: str, code: str) -> None:
    with pytest.raises(CodeError) as refusal:
        codes.read(raw, today=TODAY)
    assert refusal.value.code == code


@pytest.mark.parametrize("text", ["2028-03-31", "2028-03", "280331", "280300"])
def test_expiry_is_read_as_people_write_it(text: str) -> None:
    assert codes.expiry(text, today=TODAY) == date(2028, 3, 31)


@pytest.mark.parametrize("text", ["", "2028", "281331", "2028-13", "2028-02-30", "２０２８-03-31", "31.03.2028"])
def test_other_text_is_no_expiry(text: str) -> None:
    with pytest.raises(CodeError):
        codes.expiry(text, today=TODAY)


@given(strategies.text(SERIAL_CHARACTERS, min_size=1, max_size=20), strategies.text("AZ09-/.", max_size=20))
def test_the_path_leads_back_to_the_pack(serial: str, lot: str) -> None:
    code = codes.pack(GTIN, serial)
    on_pack = OnPack(lot, date(2028, 3, 31) if lot else None)
    assert codes.read(f"https://trace.example{codes.path(code, on_pack)}", today=TODAY) == (code, on_pack)
