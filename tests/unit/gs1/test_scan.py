"""What scanners send, and what we make of it: right, flagged, or refused; never a silent guess."""

import time
from contextlib import suppress
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from traceability.gs1 import element_string, scan
from traceability.gs1.errors import Gs1Error

from .test_keys import gtins, texts_82

GTIN = "09521141012345"
PACK = f"01{GTIN}"
TODAY = date(2026, 6, 1)


def read(raw):
    return scan.parse(raw, today=TODAY)


@pytest.mark.parametrize("prefix", ["", "]d2", "]C1", "]Q3", "]e0", "\x1d", "]d2\x1d"])
def test_a_pack_under_every_symbology_prefix(prefix):
    raw = f"{prefix}{PACK}21ABC123\x1d1726123110LOT-42"
    code = read(raw)
    assert (code.kind, code.gtin, code.serial, code.lot) == ("pack", GTIN, "ABC123", "LOT-42")
    assert code.epc == f"https://id.gs1.org/01/{GTIN}/21/ABC123"
    assert (code.expiry, code.flags, code.raw) == (date(2026, 12, 31), (), raw)


@pytest.mark.parametrize(
    "raw",
    [
        f"{PACK}21ABC1231726123110LOT42",
        f"]d2{PACK}21ABC12310LOT4217261231",
    ],
)
def test_a_missing_separator_is_read_by_most_elements_and_flagged(raw):
    code = read(raw)
    assert (code.serial, code.lot, code.expiry) == ("ABC123", "LOT42", date(2026, 12, 31))
    assert code.flags == ("missing-gs",)


def test_the_same_code_with_separators_bears_no_flag():
    assert read(f"{PACK}21ABC123\x1d10LOT42\x1d17261231").flags == ()


@pytest.mark.parametrize(
    "raw",
    [
        f"{PACK}21AB1726123110L1",  # fits as a serial, yet hides an expiry date and a lot
        f"{PACK}21AB17261231",
        f"{PACK}21A10B10C10D10E10F10G10H10",  # more than one equally good cut
    ],
)
def test_an_ambiguous_run_is_refused(raw):
    with pytest.raises(Gs1Error) as refusal:
        read(raw)
    assert refusal.value.code == "missing-gs"


def test_a_serial_that_looks_like_a_lot_inside_is_kept_whole_and_flagged():
    code = read(f"{PACK}2112310456789")
    assert (code.serial, code.lot, code.flags) == ("12310456789", None, ("unsure-gs",))


def test_a_closed_run_is_not_doubted():
    code = read(f"{PACK}21AB17261231\x1d10L1")
    assert (code.serial, code.lot, code.flags) == ("AB17261231", "L1", ())


@pytest.mark.parametrize(
    ("raw", "kind", "epc"),
    [
        ("00006141411234567890", "sscc", "https://id.gs1.org/00/006141411234567890"),
        ("]C100006141411234567890", "sscc", "https://id.gs1.org/00/006141411234567890"),
        ("006141411234567890", "sscc", "https://id.gs1.org/00/006141411234567890"),
        ("(00)006141411234567890", "sscc", "https://id.gs1.org/00/006141411234567890"),
        (f"(01){GTIN}(10)L(1)", "lot", f"https://id.gs1.org/01/{GTIN}/10/L%281%29"),
        (f"{PACK}10LOT42", "lot", f"https://id.gs1.org/01/{GTIN}/10/LOT42"),
        (PACK, "gtin", f"https://id.gs1.org/01/{GTIN}"),
        (GTIN, "gtin", f"https://id.gs1.org/01/{GTIN}"),
        (GTIN[1:] + "\r\n", "gtin", f"https://id.gs1.org/01/{GTIN}"),
        ("]E0" + GTIN[1:], "gtin", f"https://id.gs1.org/01/{GTIN}"),
        ("]C14144012345000054", "gln", "https://id.gs1.org/414/4012345000054"),
        ("https://id.gs1.org/414/4012345000054", "gln", "https://id.gs1.org/414/4012345000054"),
        ("https://id.gs1.org/00/006141411234567890", "sscc", "https://id.gs1.org/00/006141411234567890"),
        ("urn:epc:id:sscc:0614141.1234567890", "sscc", "https://id.gs1.org/00/106141412345678908"),
        ("urn:epc:id:sgtin:0614141.812345.6789", "pack", "https://id.gs1.org/01/80614141123458/21/6789"),
        ("urn:epc:id:giai:4000001.111", "unknown", "https://id.gs1.org/8004/4000001111"),
        ("81234560000000123456", "nmpa", "urn:dosetrail:nmpa:81234560000000123456"),
        ("]C081234560000000123456", "nmpa", "urn:dosetrail:nmpa:81234560000000123456"),
        ("https://trace.example/code?c=81234560000000123456&v=1", "nmpa", "urn:dosetrail:nmpa:81234560000000123456"),
        ("https://example.com/about", "unknown", ""),
        ("01-ABC", "unknown", ""),
        ("0012", "unknown", ""),
        ("20260102", "unknown", ""),
        ("paracetamol", "unknown", ""),
        ("", "unknown", ""),
    ],
)
def test_the_parsing_order(raw, kind, epc):
    code = read(raw)
    assert (code.kind, code.epc, code.raw) == (kind, epc, raw)


def test_digital_link_with_expiry_and_lot():
    code = read(f"https://pack.example/01/{GTIN}/10/L%2F1/21/S-1?17=280200&11=260101")
    assert (code.kind, code.serial, code.lot, code.expiry) == ("pack", "S-1", "L/1", date(2028, 2, 29))


def test_ifa_pack_is_a_pack():
    code = read("[)>\x1e06\x1d9N110375286414\x1d1TABC\x1dD261200\x1dSXYZ123\x1e\x04")
    assert (code.kind, code.gtin, code.serial, code.lot) == ("pack", "04150037528643", "XYZ123", "ABC")
    assert (code.expiry, code.flags) == (date(2026, 12, 31), ("ifa",))


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        ("0109521141012346", "check-digit"),
        (f"{PACK}1726133110L", "date"),
        (f"{PACK}17260230", "date"),
        (f"]d2{PACK}21A\x1d21B", "repeated-ai"),
        (f"]d2{PACK}21A\x1d05B", "unknown-ai"),
        ("]d2", "empty"),
        (f"]d2{PACK}21A B", "format"),
        (f"]d2{PACK}21{'A' * 21}", "format"),
        (f"(01){GTIN}(21)A(21)B", "repeated-ai"),
        ("9521141012346", "check-digit"),
        ("]d2" + "1" * 300, "too-long"),
        (f"https://x.example/01/{GTIN}/21/A/10/B", "qualifiers"),
        (f"https://x.example/01/{GTIN}/21/A?17=261301", "date"),
    ],
)
def test_malformed_codes_are_refused_by_code(raw, code):
    with pytest.raises(Gs1Error) as refusal:
        read(raw)
    assert refusal.value.code == code


@given(gtins, texts_82, texts_82, st.dates(date(2000, 1, 1), date(2049, 12, 31)))
def test_encoded_elements_read_back(gtin, serial, lot, expiry):
    elements = (("01", gtin), ("21", serial), ("17", f"{expiry:%y%m%d}"), ("10", lot))
    code = read("]d2" + element_string.encode(elements))
    assert (code.gtin, code.serial, code.lot, code.expiry) == (gtin, serial, lot, expiry)
    assert code.flags == ()


def test_encode_puts_separators_where_the_length_is_not_promised():
    assert element_string.encode([("402", "40123452223334442"), ("17", "261231"), ("10", "L"), ("11", "260101")]) == (
        "40240123452223334442\x1d1726123110L\x1d11260101"
    )
    assert element_string.bracketed([("01", GTIN), ("21", "A")]) == f"(01){GTIN}(21)A"


@given(st.text(max_size=260) | st.text("0123456789]dCQ12\x1d()ABC\x1e[>", max_size=260))
def test_nothing_but_gs1_errors_comes_out(raw):
    with suppress(Gs1Error):
        assert read(raw).raw == raw


def test_hostile_runs_cost_little():
    started = time.process_time()
    for raw in (f"{PACK}21" + "10A21B17261231" * 16, f"{PACK}21" + "1" * 230, f"{PACK}21" + "10" * 55, "(" * 250):
        with suppress(Gs1Error):
            read(raw)
    assert time.process_time() - started < 1
