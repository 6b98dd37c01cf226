"""Identifiers: one key for each thing, whatever its spelling, and nothing that is malformed."""

import json
import time
from contextlib import suppress
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from traceability.gs1 import check_digit, dates, digital_link, epc, ifa, keys, nmpa, urn
from traceability.gs1.errors import Gs1Error

ROOT = Path(__file__).resolve().parents[3]
VECTORS = json.loads((ROOT / "tests/vectors/gs1/keys.json").read_text())
SET_82 = "!\"%&'()*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"
gtins = st.text("0123456789", min_size=13, max_size=13).map(lambda body: body + check_digit.of(body))
texts_82 = st.text(SET_82, min_size=1, max_size=20)


@pytest.mark.parametrize("vector", VECTORS["check_digits"], ids=lambda vector: vector["body"])
def test_check_digit(vector):
    assert check_digit.of(vector["body"]) == vector["digit"]


@given(gtins, st.integers(0, 13), st.integers(1, 9))
def test_every_single_wrong_digit_is_caught(gtin, place, add):
    wrong = gtin[:place] + str((int(gtin[place]) + add) % 10) + gtin[place + 1 :]
    check_digit.require(gtin, name="GTIN")
    with pytest.raises(Gs1Error, match="expected"):
        check_digit.require(wrong, name="GTIN")


@pytest.mark.parametrize("vector", VECTORS["canonical"], ids=lambda vector: vector["in"])
def test_one_key_for_every_spelling(vector):
    assert epc.canonical(vector["in"]) == vector["out"]
    assert epc.canonical(vector["out"]) == vector["out"]


@pytest.mark.parametrize("vector", VECTORS["refused"], ids=lambda vector: vector["in"])
def test_malformed_keys_are_refused_with_their_code(vector):
    with pytest.raises(Gs1Error) as refusal:
        epc.canonical(vector["in"])
    assert refusal.value.code == vector["code"]


def test_against_foreign_vectors(shared_data):
    for vector in json.loads((shared_data / "digital-link/urn-to-dl.json").read_text()):
        if vector["out"] is not None:
            assert epc.canonical(vector["in"]) == vector["out"]
        else:
            with pytest.raises(Gs1Error):
                digital_link.parse(vector["in"])


def test_foreign_vectors_the_other_way(shared_data):
    vectors = json.loads((shared_data / "digital-link/urn-to-dl.json").read_text())
    told = [vector for vector in vectors if vector["out"] and urn.company_prefix(vector["in"])]
    for vector in told:
        prefix = urn.company_prefix(vector["in"])
        found = urn.to_urn(vector["out"], len(prefix))
        assert urn.with_prefixes(vector["out"], {prefix, "999999"}) == found
        # A pattern of third-party serials and one of serials are the same item, which has one link.
        assert found == vector["in"].replace("idpat:upui", "idpat:sgtin")
    assert len(told) >= 16


def _checked(digits, length):
    return digits[: length - 1] + check_digit.of(digits[: length - 1])


@given(
    st.sampled_from(sorted(key for key in keys.QUALIFIERS)),
    st.text("0123456789", min_size=17, max_size=17),
    st.none() | texts_82.map(lambda text: text[:16]),
    st.sampled_from(["21", "10", "235"]),
    st.sampled_from(urn.PREFIX_LENGTHS),
)
def test_a_link_becomes_a_urn_and_the_urn_the_link(key, digits, text, qualifier, length):
    fixed = keys.AIS[key].checked
    value = "0" + _checked(digits, 13) if key == "8003" else _checked(digits, fixed) if fixed else digits[:13]
    value += {"8006": "0102", "255": digits[:5]}.get(key, "")
    if text and key in {"253", "8003"}:
        value += text
    pairs = [(key, value)]
    if text and key in {"01", "414", "8006", "8010"}:
        pairs.append(
            {"01": (qualifier, text), "414": ("254", text), "8006": ("21", text), "8010": ("8011", digits[:4])}[key]
        )
    link = digital_link.CANONICAL_DOMAIN + digital_link._path(pairs)
    if key == "414" and text == "0":
        with pytest.raises(Gs1Error, match="does not lead back"):  # in a URN, 0 says that there is no extension
            urn.to_urn(link, length)
    else:
        found = urn.to_urn(link, length)
        assert urn.to_digital_link(found) == link
        assert urn.company_prefix(found) == digits_of_prefix(key, value)[:length]


def digits_of_prefix(key, value):
    """The value from where its company prefix begins."""
    return value[1:] if key in {"00", "01", "8003", "8006"} else value


@pytest.mark.parametrize(
    ("link", "length", "expected"),
    [
        ("https://id.gs1.org/01/04012345111118/10/L%2F1", 7, "urn:epc:class:lgtin:4012345.011111.L%2F1"),
        ("https://id.gs1.org/01/04012345111118", 7, "urn:epc:idpat:sgtin:4012345.011111.*"),
        ("https://id.gs1.org/414/4012345000054", 7, "urn:epc:id:sgln:4012345.00005.0"),
        ("https://shop.example/x/00/106141412345678908?17=260101", 7, "urn:epc:id:sscc:0614141.1234567890"),
        ("https://id.gs1.org/8003/04012345555554987", 7, "urn:epc:id:grai:4012345.55555.987"),
        ("https://id.gs1.org/8003/04012345555554", 7, "urn:epc:idpat:grai:4012345.55555.*"),
    ],
)
def test_urns_as_the_standard_spells_them(link, length, expected):
    assert urn.to_urn(link, length) == expected


def test_what_has_no_urn_stays_a_link():
    place = "https://id.gs1.org/414/4012345000054/7040/1abc"
    for link, length in ((place, 7), ("https://id.gs1.org/01/04012345111118", 5), ("https://acme.example/party", 7)):
        with pytest.raises(Gs1Error):
            urn.to_urn(link, length)
    for uri in (place, "https://acme.example/party", "urn:epc:id:sscc:0614141.1234567890", "urn:x:y"):
        assert urn.with_prefixes(uri, {"4012345"}) == uri
    assert (
        urn.with_prefixes("https://id.gs1.org/01/04012345111118", {"401234"}) == "urn:epc:idpat:sgtin:401234.0511111.*"
    )
    assert urn.with_prefixes("https://id.gs1.org/01/04012345111118", {"0614141"}).startswith("https://")
    assert [urn.company_prefix(one) for one in ("urn:epc:id:gid:1.2.3", "urn:epc:id:sgtin:1.2.3", "urn:x:y")] == [
        ""
    ] * 3


@given(gtins, st.none() | texts_82, st.none() | texts_82, st.none() | st.dates(date(1990, 1, 1), date(2049, 12, 31)))
def test_a_built_link_reads_back(gtin, serial, lot, expiry):
    link = digital_link.parse(
        digital_link.build(gtin=gtin, serial=serial, lot=lot, expiry=expiry, domain="https://x.example/stem/")
    )
    assert (link.key, link.value) == ("01", gtin)
    assert (link.qualifier("21"), link.qualifier("10")) == (serial, lot)
    assert link.attributes.get("17") == (expiry.strftime("%y%m%d") if expiry else None)
    if serial:
        assert link.canonical == digital_link.build(gtin=gtin, serial=serial)


@given(st.text(max_size=200) | st.text("/01234567890urn:epcidsgtlpHTtps.%*?=&", max_size=200))
def test_nothing_but_gs1_errors_comes_out(text):
    for read in (epc.canonical, digital_link.parse):
        with suppress(Gs1Error):
            assert read(text)


@pytest.mark.parametrize(
    ("digits", "expected"),
    [
        ("261231", date(2026, 12, 31)),
        ("280200", date(2028, 2, 29)),
        ("270200", date(2027, 2, 28)),
        ("760101", date(2076, 1, 1)),  # today + 50 years
        ("770101", date(1977, 1, 1)),  # today - 49 years
        ("990101", date(1999, 1, 1)),
    ],
)
def test_dates_with_day_zero_and_century_window(digits, expected):
    assert dates.parse(digits, today=date(2026, 6, 1)) == expected


def test_the_century_window_moves_with_today():
    assert dates.parse("100101", today=date(2070, 1, 1)) == date(2110, 1, 1)
    assert dates.parse("100101", today=date(2026, 1, 1)) == date(2010, 1, 1)


@pytest.mark.parametrize("digits", ["261301", "260001", "260230", "260431", "2612", "26123a", "٢٦١٢٣١", ""])
def test_dates_that_do_not_exist(digits):
    with pytest.raises(Gs1Error):
        dates.parse(digits, today=date(2026, 6, 1))


def test_ifa_sample_names_its_ntin():
    fields = ifa.parse("[)>\x1e06\x1d9N110375286414\x1d1TABC\x1dD261200\x1dSXYZ123\x1e\x04")
    assert ifa.gtin(fields) == "04150037528643"
    assert (fields["1T"], fields["S"], fields["D"]) == ("ABC", "XYZ123", "261200")


@pytest.mark.parametrize("ppn", ["110375286415", "110375286514", "110375285414"])
def test_ifa_check_digits(ppn):
    with pytest.raises(Gs1Error):
        ifa.gtin({"9N": ppn})
    with pytest.raises(Gs1Error):  # a PZN with a good PPN check but a wrong one of its own
        ifa.gtin({"9N": "1103752865" + ifa.ppn_check("1103752865")})


def test_trace_codes():
    assert nmpa.is_code("8" + "1" * 19)
    for wrong in ("9" + "1" * 19, "8" + "1" * 18, "8" + "1" * 20, "8" + "١" * 19):
        assert not nmpa.is_code(wrong)
    assert nmpa.product_prefix("81234560000000123456") == "8123456"


def test_every_key_has_a_form_and_every_qualifier_too():
    for key, qualifiers in keys.QUALIFIERS.items():
        for ai in (key, *qualifiers):
            assert ai in keys.AIS
    assert not [ai for ai in keys.AIS for other in keys.AIS if ai != other and other.startswith(ai)]


def test_long_input_costs_little():
    hostile = ["https://" + "/01" * 600, "urn:epc:id:sgtin:" + "1" * 900, "https://x/" + "%" * 1500]
    started = time.process_time()
    for text in hostile * 20:
        with pytest.raises(Gs1Error):
            digital_link.parse(text)
    assert time.process_time() - started < 2
