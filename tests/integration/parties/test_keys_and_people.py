"""Keys, tokens and people: sealed, revocable, confirmed; versions stay what they were."""

from typing import Any

import pytest

from ledger import api as ledger
from tests.integration.conftest import House
from traceability.common import masterdata
from traceability.common.models import MasterVersion
from traceability.gs1.epc import canonical
from traceability.parties import selectors, services
from traceability.parties.models import ApiToken, PartyKey

PASSWORD = "a-long-demo-password"


def test_a_revoked_token_is_refused_at_once(house: House) -> None:
    client = house.client("pharmacy")
    assert client.get("/epcis/events").status_code == 200
    services.revoke_token(digest=selectors.token_digest(house.tokens["pharmacy"]))
    assert client.get("/epcis/events").status_code == 401
    assert house.tokens["maker"] not in {token.digest for token in ApiToken.objects.all()}


def test_seeds_are_sealed_at_rest(house: House) -> None:
    key = PartyKey.objects.get(party=house.parties["maker"])
    seed = selectors.signer_for(house.parties["maker"]).seed
    assert seed not in bytes(key.sealed_seed or b"")
    assert ledger.key_from_seed(seed).kid.hex() == key.kid


def test_with_its_key_revoked_a_party_can_record_nothing(house: House) -> None:
    services.revoke_key(key=PartyKey.objects.get(party=house.parties["pharmacy"]))
    with pytest.raises(LookupError):
        selectors.signer_for(house.parties["pharmacy"])


def test_a_later_edit_leaves_the_earlier_version_as_it_was(house: House) -> None:
    row = MasterVersion.objects.filter(subject="site:maker-main").get()
    site = house.parties["maker"].sites.get()
    fields: dict[str, Any] = {
        name: getattr(site, name) for name in ("name", "gln", "latitude_e6", "longitude_e6", "time_zone", "country")
    }
    services.save_site(id=site.id, party=house.parties["maker"], city="Elsewhere", **fields)
    house.settle()
    before, after = masterdata.at("site:maker-main", row.index), masterdata.at("site:maker-main", 10**9)
    assert before is not None
    assert after is not None
    assert (before["city"], after["city"]) == ("Shanghai", "Elsewhere")


def test_high_risk_actions_need_the_password_and_a_reason(house: House) -> None:
    member = services.add_member(party=house.parties["maker"], username="qa", password=PASSWORD, role="quality")
    assert services.confirm(member, PASSWORD, " release of lot L1 ") == "release of lot L1"
    for password, reason, code in (("wrong", "why", "password-wrong"), (PASSWORD, " ", "reason-missing")):
        with pytest.raises(services.ConfirmationError) as refused:
            services.confirm(member, password, reason)
        assert refused.value.code == code


@pytest.mark.parametrize(
    ("uri", "found"),
    [
        ("urn:dosetrail:party:maker", True),
        ("urn:epc:id:pgln:9521000.90001", True),
        ("urn:epc:id:sgln:9521000.90001.0", True),  # as software of EPCIS 1.2 names owners
        ("https://id.gs1.org/414/9521000900011", True),
        ("https://id.gs1.org/417/4012345000009", False),
        ("https://id.gs1.org/414/4012345000009", False),
        ("anything", False),
    ],
)
def test_a_party_is_found_by_any_of_its_names(house: House, uri: str, found: bool) -> None:
    assert (selectors.party_by_uri(uri) == house.parties["maker"]) is found
    key = canonical(uri) if ":" in uri else uri
    assert (selectors.names_of_parties([key])[key] == "Maker") is found
    assert (selectors.ids_by_uri([key]) == {key: "maker"}) is found
    for known in (selectors.uris_of(house.parties["maker"]), selectors.uris_of_many([house.parties["maker"].uri])):
        assert (key in (known if isinstance(known, list) else known[house.parties["maker"].uri])) is found
