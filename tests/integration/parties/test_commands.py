"""Founding a house from the command line: the first organisation and its first administrator."""

import io
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from ledger import api as ledger
from traceability.parties.models import Party

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
