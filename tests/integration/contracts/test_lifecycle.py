"""Contracts on the log: approved by k of n with a regulator; the version of the index judges; noise changes nothing."""

import pytest
from django.core.management import CommandError, call_command

from ledger import api as ledger
from tests.integration.conftest import House, pack
from traceability.contracts import selectors, services
from traceability.contracts.lifecycle import LifecycleError
from traceability.contracts.models import Contract, Finding
from traceability.contracts.parameters import ParameterError
from traceability.parties import selectors as parties
from traceability.parties import services as party_services

from .conftest import DAY, MINUTE, START, Watched

A, B = pack("A1"), pack("B1")


def state(contract: str) -> list[tuple[int, str]]:
    return list(Contract.objects.filter(contract=contract).order_by("version").values_list("version", "state"))


def test_the_default_set(watched: Watched) -> None:
    names = {row.contract for row in selectors.active_at(ledger.published_size())}
    assert names == {
        "temperature-hot", "temperature-freeze", "expired-sale", "clone", "double-dispense", "quantity-mismatch",
        "movement-after-recall", "movement-after-freeze", "containment",
    }  # fmt: skip
    assert services.deploy_defaults() == []
    assert Contract.objects.get(contract="clone").parameters["max_km_per_hour"] == 900


def test_two_of_three_and_the_regulator(house: House) -> None:
    maker, pharmacy, regulator = (house.parties[name] for name in ("maker", "pharmacy", "regulator"))
    services.propose(
        party=maker, contract="joint", template="clone", approvals=2, approvers=[maker, pharmacy, regulator]
    )
    house.settle()
    for party in (maker, pharmacy):
        services.approve(party=party, contract="joint", version=1)
        house.settle()
        assert state("joint") == [(1, "proposed")]  # two approvals, no regulator among them
    services.approve(party=regulator, contract="joint", version=1)
    house.settle()
    assert state("joint") == [(1, "active")]


def test_an_outsider_cannot_approve(house: House) -> None:
    services.propose(party=house.parties["maker"], contract="joint", template="clone")
    house.settle()
    with pytest.raises(LifecycleError) as raised:
        services.approve(party=house.parties["maker"], contract="joint", version=1)
    assert raised.value.code == "not-an-approver"


@pytest.mark.parametrize(
    "content",
    [
        {"type": "approved", "contract": "joint", "version": 1, "definition": "0" * 64},
        {"type": "approved", "contract": "joint", "version": 7, "definition": "0" * 64},
        {"type": "proposed", "contract": "joint", "version": 2},
        {"type": "danced", "contract": "joint"},
        {"contract": 3},
        ["approved"],
    ],
)
def test_a_statement_that_does_not_fit_changes_nothing(house: House, content: object) -> None:
    services.propose(party=house.parties["regulator"], contract="joint", template="clone")
    house.settle()
    before = list(Contract.objects.values())
    submit(house, "regulator", content)
    assert list(Contract.objects.values()) == before


def test_a_statement_in_anothers_name_changes_nothing(house: House) -> None:
    """The maker's key, the regulator's name; then the regulator's own key as negative control."""
    proposal = services.propose(party=house.parties["regulator"], contract="joint", template="clone")
    house.settle()
    content = {"type": "approved", "contract": "joint", "version": 1, "definition": proposal.definition}
    submit(house, "regulator", content, key_of="maker")
    assert state("joint") == [(1, "proposed")]
    submit(house, "regulator", content)
    assert state("joint") == [(1, "active")]


def submit(house: House, name: str, content: object, *, key_of: str = "") -> None:
    signed = {"key": parties.signer_for(house.parties[key_of or name]), "iss": house.parties[name].uri}
    ledger.submit([ledger.sign_statement(**signed, kind="contract", payload=content, iat=1_790_000_000)])
    house.settle()


def sold_twice(watched: Watched, epc: str, minutes: int) -> None:
    watched.report("maker", watched.commission("maker", START, [epc]))
    for at_ms in (START + DAY, START + DAY + minutes * MINUTE):
        watched.report("pharmacy", watched.event("pharmacy", at_ms, step="dispensing", epcs=[epc]))


def test_the_version_of_the_index_judges(watched: Watched) -> None:
    sold_twice(watched, A, 20)
    services.deploy(contract="double-dispense", template="double-dispense", parameters={"same_party_s": 1800})
    watched.house.settle()
    sold_twice(watched, B, 20)
    found = dict(Finding.objects.values_list("subject", "severity"))
    assert found == {A: "S3", B: "S4"}
    assert dict(Finding.objects.values_list("subject", "judged_by")) == {A: "double-dispense/1", B: "double-dispense/2"}
    assert state("double-dispense") == [(1, "superseded"), (2, "active")]
    services.revoke(party=watched.house.parties["regulator"], contract="double-dispense", version=2)
    watched.house.settle()
    sold_twice(watched, pack("C1"), 20)
    assert Finding.objects.count() == 2


def test_a_contract_of_its_own_for_one_product(watched: Watched) -> None:
    call_command(
        "deploy_contracts", template="double-dispense", contract="double-dispense.glarvia",
        parameters='{"same_party_s": 0}', item=["glarvia"],
    )  # fmt: skip
    watched.house.settle()
    sold_twice(watched, A, 5)
    assert Finding.objects.get().judged_by == "double-dispense.glarvia/1"


def test_only_a_regulator_revokes(watched: Watched) -> None:
    with pytest.raises(LifecycleError) as raised:
        services.revoke(party=watched.house.parties["maker"], contract="clone", version=1)
    assert raised.value.code == "not-a-regulator"


def test_approval_by_a_person_asks_for_password_and_reason(house: House) -> None:
    regulator = house.parties["regulator"]
    member = party_services.add_member(party=regulator, username="ins", password="a-long-pass-9", role="inspector")
    services.propose(party=regulator, contract="joint", template="clone")
    house.settle()
    for password, reason, code in (("wrong", "because", "password-wrong"), ("a-long-pass-9", " ", "reason-missing")):
        with pytest.raises(party_services.ConfirmationError) as raised:
            services.approve_as_member(member=member, password=password, reason=reason, contract="joint", version=1)
        assert raised.value.code == code
    services.approve_as_member(member=member, password="a-long-pass-9", reason="tested", contract="joint", version=1)
    house.settle()
    assert state("joint") == [(1, "active")]


def test_bad_parameters_are_refused_by_name(house: House) -> None:
    with pytest.raises(ParameterError) as raised:
        services.deploy(contract="c", template="clone", parameters={"max_km_per_hour": 0})
    assert (raised.value.field, raised.value.code) == ("max_km_per_hour", "out-of-range")
    with pytest.raises(CommandError, match="max_km_per_hour"):
        call_command("deploy_contracts", template="clone", parameters='{"max_km_per_hour": "fast"}')
