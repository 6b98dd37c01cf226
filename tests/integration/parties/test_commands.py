"""Founding a house from the command line: the first organisation and its first administrator."""

import io
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from ledger import api as ledger
from tests.integration.conftest import LOT, House
from traceability.common import masterdata
from traceability.parties import selectors
from traceability.parties.models import Party, PartyKey

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


def test_from_nothing_to_signing_in(monkeypatch: Any) -> None:
    ledger.initialise(operator_name="test")
    assert "is registered" in run("add_party", "nmpa", "Inspectorate", "--role", "regulator")
    monkeypatch.setattr("sys.stdin", io.StringIO("three-blue-herons-42\n"))
    assert "may sign in" in run("add_member", "chief", "--party", "nmpa")
    given = {"username": "chief", "password": "three-blue-herons-42"}
    assert Client().post("/portal/sign-in", given)["Location"] == "/regulator/"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("add_party", "nmpa", "Twice", "--role", "regulator"), "already"),
        (("add_party", "maker", "Maker", "--role", "manufacturer", "--gln", "9521000900008"), "check digit"),
        (("add_party", "a b", "Maker", "--role", "manufacturer"), "valid"),
        (("add_member", "someone", "--party", "nobody"), "no party"),
        (("add_member", "someone", "--party", "nmpa"), "short"),
    ],
)
def test_what_is_wrong_is_said(monkeypatch: Any, arguments: tuple[str, ...], words: str) -> None:
    ledger.initialise(operator_name="test")
    run("add_party", "nmpa", "Inspectorate", "--role", "regulator")
    monkeypatch.setattr("sys.stdin", io.StringIO("short\n"))
    with pytest.raises(CommandError, match=words):
        run(*arguments)
    assert Party.objects.count() == 1


def test_a_partys_own_device_and_its_words(house: House) -> None:
    public = ledger.generate_key().public.hex()
    assert "signs for" in run("add_device_key", "maker", public, "--label", "line 1")
    assert PartyKey.objects.get(party="maker", label="line 1").sealed_seed is None
    for wrong in ("zz", "00" * 31, "00" * 32):
        with pytest.raises(CommandError, match="no public key"):
            run("add_device_key", "maker", wrong)
    with pytest.raises(CommandError, match="no party"):
        run("add_device_key", "nobody", public)
    run("add_party", "strict", "Strict", "--role", "distributor", "--cbv-compliant")
    assert Party.objects.get(id="strict").cbv_compliant


def test_company_prefixes(house: House) -> None:
    run("add_party", "acme", "Acme", "--role", "manufacturer", "--company-prefix", "4012345")
    assert "EPC URNs" in run("add_company_prefix", "maker", "9521000")
    assert selectors.company_prefixes() == {"4012345", "9521000"}
    for wrong in ("95210", "9521000900013", "４０１２３４５", "9521000"):
        with pytest.raises(CommandError):
            run("add_company_prefix", "acme", wrong)
    with pytest.raises(CommandError, match="no party"):
        run("add_company_prefix", "nobody", "9521001")
    house.settle()
    version = masterdata.at("party:maker", 10**9)
    assert version is not None
    assert {"scheme": "gcp", "value": "9521000"} in version["identifiers"]


def test_a_lots_inspection_report(house: House, tmp_path: Path) -> None:
    report = tmp_path / "L1.pdf"
    report.write_bytes(b"%PDF- conformant")
    sha256 = run("add_report", "glarvia", LOT, str(report), "--verdict", "conformant").split()[0]
    house.settle()
    version = masterdata.at(f"lot:glarvia:{LOT}", 10**9)
    assert version is not None
    assert version["reports"] == [{"sha256": sha256, "verdict": "conformant"}]
    for arguments, words in (
        (("glarvia", "L9", str(report)), "no lot"),
        (("glarvia", LOT, str(tmp_path / "gone")), "cannot be read"),
    ):
        with pytest.raises(CommandError, match=words):
            run("add_report", *arguments, "--verdict", "conformant")
