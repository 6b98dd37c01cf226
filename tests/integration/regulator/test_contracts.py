"""A proposed contract is approved by an inspector: password once more, a reason, both on the log."""

import json
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from ledger import api as ledger
from tests.integration.conftest import House
from tests.integration.scans.test_record import PASSWORD
from traceability.contracts import services
from traceability.contracts.models import Contract
from traceability.parties import services as parties
from traceability.parties.models import Member

PATH = "/regulator/contracts"
APPROVE = {"contract": "clone.strict/1", "reason": "agreed with the industry", "password": PASSWORD}


@pytest.fixture
def inspector(house: House) -> Client:
    parties.add_member(
        party=house.parties["regulator"], username="inspector", password=PASSWORD, role=Member.Role.INSPECTOR
    )
    client = Client()
    assert client.login(username="inspector", password=PASSWORD)
    return client


@pytest.fixture
def proposed(house: House) -> House:
    call_command("deploy_contracts", "--template", "clone", "--contract", "clone.strict", "--propose", verbosity=0)
    house.settle()
    return house


def state() -> str:
    return str(Contract.objects.get(key="clone.strict/1").state)


def test_an_inspector_approves_with_password_and_reason(proposed: House, inspector: Client) -> None:
    assert state() == "proposed"
    assert "Approve this version" in inspector.get(PATH).content.decode()
    assert inspector.post(PATH, APPROVE).status_code == 302
    proposed.settle()
    assert state() == "active"
    assert "Approve this version" not in inspector.get(PATH).content.decode()
    said = _newest_contract_statement()
    member = Member.objects.get(user__username="inspector")
    assert (said["type"], said["reason"], said["member"]) == ("approved", APPROVE["reason"], member.pseudonym)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"password": "wrong"}, "The password is not right"),
        ({"password": ""}, "The password is not right"),
        ({"reason": " "}, "Say why."),
    ],
)
def test_without_password_or_reason_nothing_is_approved(
    proposed: House, inspector: Client, changes: dict[str, str], words: str
) -> None:
    refused = inspector.post(PATH, APPROVE | changes)
    assert refused.status_code == 403
    assert words in refused.content.decode()
    proposed.settle()
    assert state() == "proposed"


def test_what_is_in_force_cannot_be_approved_again(proposed: House, inspector: Client) -> None:
    inspector.post(PATH, APPROVE)
    proposed.settle()
    assert inspector.post(PATH, APPROVE).status_code == 409
    assert inspector.post(PATH, APPROVE | {"contract": "nothing/1"}).status_code == 404


def test_whom_the_proposal_does_not_name_is_not_asked(house: House, inspector: Client) -> None:
    services.propose(contract="joint", template="clone", approvers=[house.parties["maker"]])
    house.settle()
    assert "Approve this version" not in inspector.get(PATH).content.decode()
    assert inspector.post(PATH, APPROVE | {"contract": "joint/1"}).status_code == 409


def test_only_a_named_contract_can_be_proposed(house: House) -> None:
    with pytest.raises(CommandError, match="name its --template"):
        call_command("deploy_contracts", "--propose")


def test_the_products_in_scope_are_named(house: House, inspector: Client) -> None:
    services.propose(contract="clone.some", template="clone", items=["glarvia", "unheard-of"])
    house.settle()
    assert "Glarvia, unheard-of" in inspector.get(PATH).content.decode()


def test_numbers_are_said_in_words(house: House, inspector: Client) -> None:
    services.deploy_defaults()
    house.settle()
    page = inspector.get(PATH).content.decode()
    for words in ("The limit itself is still good", "three times the interval of the readings", "24 h", "15 min"):
        assert words in page
    assert ">strict<" not in page


def _newest_contract_statement() -> dict[str, Any]:
    statements = [ledger.parse_statement(entry.statement) for entry in ledger.published(0, 10_000)]
    said: dict[str, Any] = json.loads([one.payload for one in statements if one.kind == "contract"][-1])
    return said
