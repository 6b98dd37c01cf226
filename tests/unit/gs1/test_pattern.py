"""Which keys a value of MATCH_* finds."""

import pytest

from traceability.gs1 import epc
from traceability.gs1.errors import Gs1Error
from traceability.gs1.pattern import pattern

ITEM = "urn:epc:id:sgtin:9521000.000100"


@pytest.mark.parametrize(
    ("asked", "found", "others"),
    [
        (f"{ITEM}.7", ["https://example.com/x/01/09521000001008/21/7?17=300131"], [f"{ITEM}.77"]),
        (
            "https://id.gs1.org/01/09521000001008",
            [f"{ITEM}.7", "urn:epc:class:lgtin:9521000.000100.L"],
            [f"{ITEM[:-1]}1.7"],
        ),
        (
            "urn:epc:idpat:sgtin:9521000.000100.*",
            [f"{ITEM}.7", f"{ITEM}.a.b"],
            ["urn:epc:class:lgtin:9521000.000100.L"],
        ),
        (
            "urn:epc:idpat:sgtin:9521000.*.*",
            [f"{ITEM}.7", "urn:epc:id:sgtin:9521000.900100.7"],
            ["urn:epc:id:sgtin:9521001.000100.7"],
        ),
        ("urn:epc:idpat:sgtin:*.*.*", [f"{ITEM}.7"], ["urn:epc:id:sscc:9521000.1234567890"]),
        ("urn:epc:idpat:lgtin:9521000.000100.*", ["urn:epc:class:lgtin:9521000.000100.L"], [f"{ITEM}.7"]),
        (
            "urn:epc:idpat:sscc:9521000.*",
            ["urn:epc:id:sscc:9521000.1234567890"],
            ["urn:epc:id:sscc:9521001.1234567890"],
        ),
        (
            "urn:epc:idpat:sgln:9521000.12345.*",
            ["urn:epc:id:sgln:9521000.12345.7"],
            ["urn:epc:id:sgln:9521000.12346.7"],
        ),
        (
            "urn:epc:idpat:grai:9521000.12345.*",
            ["urn:epc:id:grai:9521000.12345.7"],
            ["urn:epc:id:grai:9521000.12346.7"],
        ),
        ("urn:epc:idpat:giai:9521000.*", ["urn:epc:id:giai:9521000.A7"], ["urn:epc:id:giai:9521001.A7"]),
        (
            "urn:epc:idpat:itip:9521000.000100.*.*.*",
            ["urn:epc:id:itip:9521000.000100.01.02.7"],
            ["urn:epc:id:itip:9521000.000101.01.02.7"],
        ),
        ("https://example.com/party/acme", ["https://example.com/party/acme"], ["https://example.com/party/acme2"]),
    ],
)
def test_what_a_pattern_matches(asked: str, found: list[str], others: list[str]) -> None:
    assert [pattern(asked).matches(epc.canonical(uri)) for uri in found] == [True] * len(found)
    assert not any(pattern(asked).matches(epc.canonical(uri)) for uri in others)


@pytest.mark.parametrize(
    ("asked", "others"),
    [
        ("https://id.gs1.org/253/06141410000121618034", ["urn:epc:id:gdti:0614141.00001.1618034"]),
        ("urn:epc:id:gdti:0614141.00001.1618034", ["https://id.gs1.org/253/06141410000121618034"]),
        ("https://example.com/253/06141410000121618034", ["urn:epc:id:gdti:061414.100001.1618034"]),
        ("urn:epcglobal:cbv:bt:0614141073467:1152", []),
        ("http://transaction.acme.example/po/12345678", []),
        ("PO 7", []),
    ],
)
def test_every_spelling_of_a_document_s_number(asked: str, others: list[str]) -> None:
    found = epc.spellings(asked)
    assert found[0] == asked
    assert set(others) <= set(found)
    assert len(found) == (1 if not others else len(set(found)))


@pytest.mark.parametrize(
    "asked",
    [
        "urn:epc:idpat:sgtin:*.000100.7",
        "urn:epc:idpat:sgtin:9521000.*",
        "urn:epc:idpat:sgtin:abc.*.*",
        "urn:epc:idpat:gid:1.2.*",
        "urn:epc:id:sgtin:9521000",
        "https://id.gs1.org/01/09521000001009",
        "nothing",
    ],
)
def test_what_is_no_pattern_is_said(asked: str) -> None:
    with pytest.raises(Gs1Error):
        pattern(asked)
