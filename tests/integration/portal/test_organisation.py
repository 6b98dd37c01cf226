"""An organisation's administrator: people, tokens and keys; nobody else gets in, and nothing of others is touched."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from ledger import api as ledger
from tests.integration.conftest import House
from traceability.parties.models import KeyAct, Member, PartyKey

from .conftest import PASSWORD, Portal

Enter = Callable[..., Portal]
PAGE = "organisation"


@pytest.fixture
def admin(house: House, person: Enter) -> Portal:
    return person("pharmacy", "admin")


def test_only_administrators_get_in(house: House, person: Enter, admin: Portal) -> None:
    assert "Pharmacy" in admin.get(PAGE)
    for role in ("operator", "quality"):
        assert "Your role cannot do this" in person("pharmacy", role).get(PAGE, status=403)
    assert 'href="/portal/organisation"' in admin.get("")
    assert 'href="/portal/organisation"' not in person("maker").get("")


def test_a_person_is_added_works_and_leaves(house: House, admin: Portal) -> None:
    given = {"action": "add-member", "username": "lin", "role": "quality", "new_password": "three-blue-herons-42"}
    assert admin.post(PAGE, given).status_code == 302
    credentials = {"username": "lin", "password": "three-blue-herons-42"}
    lin = Client()
    assert lin.post("/portal/sign-in", credentials).status_code == 302
    assert lin.get("/portal/").status_code == 200
    row = Member.objects.get(user__username="lin")
    assert (row.party_id, row.role) == ("pharmacy", "quality")
    assert admin.post(PAGE, {"action": "end-member", "member": row.pseudonym}).status_code == 302
    assert Client().post("/portal/sign-in", credentials).status_code == 200  # not signed in
    assert lin.get("/portal/").status_code == 302  # the open session has ended too


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"username": "pharmacy-admin"}, "Choose another user name"),
        ({"username": "a b c"}, "Choose another user name"),
        ({"new_password": "short"}, "too short or too common"),
        ({"role": "inspector"}, "Choose a role"),  # the regulator's people only
        ({"role": "king"}, "Choose a role"),
    ],
)
def test_what_is_wrong_is_said_and_nobody_is_added(admin: Portal, changes: dict[str, str], words: str) -> None:
    given = {"action": "add-member", "username": "lin", "role": "quality", "new_password": "three-blue-herons-42"}
    before = Member.objects.count()
    answer = admin.post(PAGE, given | changes)
    assert (answer.status_code, words in answer.content.decode()) == (400, True)
    assert Member.objects.count() == before


def test_nobody_ends_their_own_access_or_that_of_others_people(person: Enter, admin: Portal) -> None:
    stranger = person("maker")
    own = admin.post(PAGE, {"action": "end-member", "member": admin.member.pseudonym})
    assert (own.status_code, "cannot end your own" in own.content.decode()) == (400, True)
    assert admin.post(PAGE, {"action": "end-member", "member": stranger.member.pseudonym}).status_code == 404
    stranger.get("")


def test_a_token_is_shown_once_opens_the_api_and_ends(house: House, admin: Portal) -> None:
    page = admin.post(PAGE, {"action": "issue-token", "label": "till 7"}).content.decode()
    (token,) = re.findall(r"dt_[\w-]{40,}", page)
    assert token not in admin.get(PAGE)
    till = Client(headers={"Authorization": f"Bearer {token}"})
    assert till.get("/epcis/events").status_code == 200
    digest = admin.member.party.tokens.get(label="till 7").digest
    assert admin.post(PAGE, {"action": "revoke-token", "token": digest}).status_code == 302
    assert till.get("/epcis/events").status_code == 401
    others = house.parties["maker"].tokens.get().digest
    assert admin.post(PAGE, {"action": "revoke-token", "token": others}).status_code == 404


def test_the_key_is_replaced_with_password_and_reason_only(house: House, admin: Portal, writer: Any) -> None:
    from tests.integration.api.test_capture import observed

    house.settle()
    old = PartyKey.objects.get(party_id="pharmacy", revoked_ms=None)
    for given, status in (({"password": "wrong", "reason": "leak"}, 403), ({"password": PASSWORD, "reason": " "}, 403)):
        assert admin.post(PAGE, {"action": "replace-key", **given}).status_code == status
    assert PartyKey.objects.get(party_id="pharmacy", revoked_ms=None) == old
    assert admin.post(PAGE, {"action": "replace-key", "password": PASSWORD, "reason": "leak"}).status_code == 302
    house.settle()
    new = PartyKey.objects.get(party_id="pharmacy", retired_ms=None)
    assert new.kid != old.kid
    act = KeyAct.objects.get(kid=old.kid, kind="retired")
    assert (act.actor, act.reason) == (admin.member.pseudonym, "leak")
    assert house.capture("pharmacy", observed(writer, "1")).status_code == 202
    house.settle()
    newest = ledger.parse_statement(ledger.published(ledger.published_size() - 1, 1)[0].statement)
    assert newest.kid.hex() == new.kid
    assert list(ledger.fsck(lambda _done, _total: None)) == []


def test_an_action_that_there_is_not_is_nothing(admin: Portal) -> None:
    assert admin.post(PAGE, {"action": "burn"}).status_code == 404
