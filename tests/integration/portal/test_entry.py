"""Who enters the portal and what each role finds there."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.http import HttpResponse
from django.test import Client

from tests.integration.conftest import House
from traceability.common.clock import now_ms
from traceability.parties import throttle
from traceability.scans.tables import TABLES, steps_for

from .conftest import PASSWORD, Portal

PAGES = [
    "", "step/verify", "labels", "logger", "stock", "stock.csv", "shipments", "shipments.csv", "events.csv", "alerts",
    "alerts/x", "recorded/x", "logger/1",
]  # fmt: skip
ROLES = {"maker": "manufacturer", "wholesaler": "distributor", "pharmacy": "pharmacy", "ward": "hospital"}
Enter = Callable[..., Portal]


@pytest.fixture
def hospital(house: House) -> House:
    """The house with a hospital as well."""
    from traceability.parties import services as parties

    house.parties["ward"] = parties.create_party(id="ward", name="Ward", roles=["hospital"])
    parties.save_site(
        id="ward-main", party=house.parties["ward"], name="ward site", latitude_e6=0, longitude_e6=0,
        time_zone="Asia/Shanghai", city="Shanghai", country="CN",
    )  # fmt: skip
    return house


@pytest.mark.parametrize("page", PAGES)
def test_nobody_enters_unsigned(house: House, page: str) -> None:
    answer = Client().get(f"/portal/{page}")
    assert answer.status_code == 302
    assert answer["Location"].startswith("/portal/sign-in?next=")


@pytest.mark.parametrize("name", list(ROLES))
def test_each_role_finds_its_steps_and_no_others(hospital: House, person: Enter, name: str) -> None:
    portal = person(name)
    page = portal.get("")
    own = {step.id for step in steps_for([ROLES[name]])}
    for table in TABLES:
        for step in table.steps:
            assert (f'href="/portal/step/{step.id}"' in page) == (step.id in own)
            shown = portal.get(f"step/{step.id}", status=200 if step.id in own else 404)
            if step.id in own:
                assert str(step.label) in shown
                for field in (*step.needs, *step.optional):
                    assert f'<label for="id_{field}"' in shown
    for path in ("labels", "logger", "stock", "shipments", "alerts"):
        portal.get(path)


def test_a_wrong_password_says_so_and_not_which_part_is_wrong(house: House, person: Enter) -> None:
    person("pharmacy")
    texts = set()
    for username in ("pharmacy-operator", "nobody-at-all"):
        page = Client().post("/portal/sign-in", {"username": username, "password": "wrong-password"}).content.decode()
        assert "error-summary" in page
        texts.add("User name or password is not right" in page)
    assert texts == {True}


def test_guessing_a_password_comes_to_a_halt(house: House, person: Enter, monkeypatch: Any) -> None:
    """Also for names that nobody has; after the window, and for others at once, the right password opens."""
    person("pharmacy")
    person("maker")

    def enter(username: str, password: str) -> HttpResponse:
        return Client().post("/portal/sign-in", {"username": username, "password": password})

    for username in ("pharmacy-operator", "nobody-at-all"):
        answers = [enter(username, "wrong-password").status_code for _ in range(throttle.MAX_FAILURES + 1)]
        assert answers == [200] * throttle.MAX_FAILURES + [429]
    halted = enter("pharmacy-operator", PASSWORD)
    assert (halted.status_code, "Too many wrong passwords" in halted.content.decode()) == (429, True)
    assert 0 < int(halted["Retry-After"]) <= throttle.WINDOW_MS // 1000
    assert enter("maker-operator", PASSWORD).status_code == 302
    later = now_ms() + throttle.WINDOW_MS
    monkeypatch.setattr(throttle, "now_ms", lambda: later)
    assert enter("pharmacy-operator", PASSWORD).status_code == 302


def test_without_the_halt_guessing_goes_on(house: House, person: Enter, monkeypatch: Any) -> None:
    """The negative control."""
    person("pharmacy")
    monkeypatch.setattr(throttle, "MAX_FAILURES", 10_000)
    for _ in range(12):
        Client().post("/portal/sign-in", {"username": "pharmacy-operator", "password": "wrong-password"})
    given = {"username": "pharmacy-operator", "password": PASSWORD}
    assert Client().post("/portal/sign-in", given).status_code == 302


def test_sign_in_returns_to_the_page_asked_for_but_not_elsewhere(house: House, person: Enter) -> None:
    person("pharmacy")
    for asked, reached in (("/portal/stock", "/portal/stock"), ("https://evil.test/", "/portal/")):
        given = {"username": "pharmacy-operator", "password": PASSWORD, "next": asked}
        assert Client().post("/portal/sign-in", given)["Location"] == reached


def test_an_inspector_lands_on_the_alert_list(house: House, person: Enter) -> None:
    person("regulator", "inspector")
    given = {"username": "regulator-inspector", "password": PASSWORD}
    assert Client().post("/portal/sign-in", given)["Location"] == "/regulator/"


def test_an_account_without_party_is_told_so(house: House) -> None:
    get_user_model().objects.create_user("lonely", password=PASSWORD)
    client = Client()
    client.login(username="lonely", password=PASSWORD)
    answer = client.get("/portal/")
    assert answer.status_code == 403
    assert "belongs to no organisation" in answer.content.decode()


def test_signing_out_ends_it(person: Enter) -> None:
    portal = person("pharmacy")
    assert portal.client.get("/portal/sign-out").status_code == 405
    assert portal.post("sign-out", {})["Location"] == "/"
    assert portal.client.get("/portal/").status_code == 302


def test_a_form_from_elsewhere_is_refused(house: House, person: Enter) -> None:
    person("pharmacy")
    client = Client(enforce_csrf_checks=True)
    client.login(username="pharmacy-operator", password=PASSWORD)
    assert client.post("/portal/step/dispense", {"codes": "1"}).status_code == 403


def test_every_page_speaks_chinese(person: Enter) -> None:
    portal = person("pharmacy")
    portal.client.cookies["django_language"] = "zh-hans"
    for path in ("", "step/dispense", "labels", "logger", "stock", "shipments", "alerts"):
        assert '<html lang="zh-Hans">' in portal.get(path)


def test_signing_out_ends_the_session_wherever_its_cookie_was_copied_to(person: Callable[..., Portal]) -> None:
    portal = person("pharmacy")
    copied = portal.client.cookies["sessionid"].value
    other = Client()
    other.cookies["sessionid"] = copied
    assert other.get("/portal/").status_code == 200
    portal.client.post("/portal/sign-out")
    assert other.get("/portal/").status_code == 302
