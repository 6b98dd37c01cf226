"""A key on its page: what it signed, who may end it, what the alert and the other faces then say."""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.test import Client, RequestFactory

from ledger import api as ledger
from tests.integration.api.test_capture import observed
from tests.integration.conftest import GTIN, House
from tests.integration.portal.conftest import PASSWORD, Portal, person  # noqa: F401
from traceability.alerts.models import Alert
from traceability.capture.models import PublishedEvent
from traceability.parties.models import KeyAct, PartyKey
from traceability.web.shared import key_pages

from .test_pages import _signed_in

Enter = Callable[..., Portal]
LONG_AGO = "2020-01-01T00:00"


def kid_of(party: str) -> str:
    return PartyKey.objects.get(party_id=party, sealed_seed__isnull=False).kid


@pytest.fixture
def sold(house: House, writer: Any) -> None:
    """Two packs of which a pharmacy recorded something."""
    house.capture("pharmacy", observed(writer, "1"), observed(writer, "2"))
    house.settle()


@pytest.mark.parametrize(
    ("given", "utc"),
    [
        ("2026-03-29T03:30", "2026-03-29T01:30"),
        ("2026-03-29T02:30", "2026-03-29T01:30"),  # an hour that never was
        ("2026-10-25T02:30", "2026-10-25T00:30"),  # one that came twice: the first
        ("2026-10-25T02:30:00+01:00", "2026-10-25T01:30"),
        ("1970-01-01T00:00", "1970-01-01T00:00"),
        ("0001-01-01T00:00", None),
        ("9999-12-31T23:59", None),
    ],
)
def test_a_moment_of_the_form_is_of_its_reader_s_place(given: str, utc: str | None) -> None:
    asked = key_pages.since(RequestFactory().get("/", {"since": given}), ZoneInfo("Europe/Berlin"))
    assert asked == (utc and int(datetime.fromisoformat(f"{utc}+00:00").timestamp() * 1000))


@pytest.mark.usefixtures("sold")
def test_the_regulator_looks_at_a_key_and_revokes_it(house: House) -> None:
    inspector = _signed_in(house, "regulator", "inspector")
    kid = kid_of("pharmacy")
    assert kid[:16] in inspector.get("/regulator/keys?q=pharm").content.decode()
    assert kid[:16] not in inspector.get("/regulator/keys?q=maker").content.decode()
    url = f"/regulator/keys/{kid}"
    page = inspector.get(url, {"since": LONG_AGO}).content.decode()
    assert "2 records that count now would count no more; they name 2 packs and containers" in page
    rows = b"".join(inspector.get(f"{url}/signed.csv").streaming_content).decode().splitlines()
    assert len(rows) == 3
    for given, status in (
        ({"password": "wrong", "reason": "stolen"}, 403),
        ({"password": PASSWORD, "reason": ""}, 403),
        ({"password": PASSWORD, "reason": "stolen", "since": "2999-01-01T00:00"}, 400),
        ({"password": PASSWORD, "reason": "stolen", "since": "yesterday"}, 400),
    ):
        answer = inspector.post(url, {"action": "revoke", **given})
        assert (answer.status_code, "error-summary" in answer.content.decode()) == (status, True)
    assert ledger.backlog() == 0
    given = {"action": "revoke", "password": PASSWORD, "reason": "stolen", "since": LONG_AGO}
    assert inspector.post(url, given).status_code == 302
    house.settle()
    assert KeyAct.objects.get(kid=kid, kind="revoked").reason == "stolen"
    alert = Alert.objects.get(rule="key")
    page = inspector.get(f"/regulator/alerts/{alert.id}").content.decode()
    assert "Records withdrawn: their key is not trusted" in page
    assert "2 records that it signed count no more; they name 2 packs" in page
    first = PublishedEvent.objects.order_by("index")[0]
    assert f'<td class="num">{first.index}</td>' in page
    table = b"".join(inspector.get(f"/regulator/alerts/{alert.id}/withdrawn.csv").streaming_content).decode()
    assert f"/01/{GTIN}/21/1" in table
    assert alert.id in inspector.get("/regulator/?rule=key&party=pharmacy").content.decode()
    trace = inspector.get("/regulator/trace", {"code": f"(01){GTIN}(21)1"}).content.decode()
    assert "Records about this were withdrawn" in trace


def test_the_patient_is_told(house: House, writer: Any) -> None:
    house.capture("pharmacy", observed(writer, "1", bizStep="dispensing"))
    house.settle()
    url = f"/01/{GTIN}/21/1"
    assert "was withdrawn" not in Client().get(url).content.decode()
    key = PartyKey.objects.get(kid=kid_of("pharmacy"))
    from traceability.parties import services as parties

    parties.revoke_key(key=key, bad_since_ms=0)
    house.settle()
    page = Client().get(url).content.decode()
    assert "A record about this pack was withdrawn" in page
    assert 'data-outcome="serial_unknown"' in page  # nothing else is recorded of it


@pytest.mark.usefixtures("sold")
def test_an_administrator_ends_the_own_organisation_s_keys_only(house: House, person: Enter) -> None:  # noqa: F811
    admin = person("pharmacy", "admin")
    kid = kid_of("pharmacy")
    assert f"/portal/keys/{kid}" in admin.get("organisation")
    admin.get(f"keys/{kid_of('maker')}", status=404)
    admin.get(f"keys/{kid_of('maker')}/signed.csv", status=404)
    admin.get("keys/nothing", status=404)
    person("pharmacy", "operator").get(f"keys/{kid}", status=403)
    given = {"action": "revoke", "password": PASSWORD, "reason": "laptop lost", "since": LONG_AGO}
    assert admin.post(f"keys/{kid_of('maker')}", given).status_code == 404
    assert admin.post(f"keys/{kid}", {**given, "action": "burn"}).status_code == 404
    assert admin.post(f"keys/{kid}", given).status_code == 302
    house.settle()
    assert "Revoked" in admin.get(f"keys/{kid}")
    assert "laptop lost" in admin.get(f"keys/{kid}")
    assert Alert.objects.filter(rule="key").exists()
    alert = Alert.objects.get(rule="key")
    page = admin.get(f"alerts/{alert.id}")
    assert "not trusted" in page
    assert "Records withdrawn" in page
    table = b"".join(admin.client.get(f"/portal/alerts/{alert.id}/withdrawn.csv").streaming_content).decode()
    assert len(table.splitlines()) == 3
    stranger = person("maker", "admin")
    assert stranger.client.get(f"/portal/alerts/{alert.id}/withdrawn.csv").status_code == 404


def test_a_device_s_next_key_is_registered_in_the_portal(house: House, person: Enter) -> None:  # noqa: F811
    from traceability.parties import services as parties

    device = parties.register_device_key(
        party=house.parties["pharmacy"], public=ledger.generate_key().public, label="till 3"
    )
    house.settle()
    admin = person("pharmacy", "admin")
    public = ledger.generate_key().public.hex()
    given = {"action": "rotate", "password": PASSWORD, "reason": "new till", "public": public, "overlap": "24"}
    for changes in ({"public": "00"}, {"public": "zz"}, {"overlap": "-1"}, {"overlap": "9999"}, {"public": "0" * 64}):
        assert admin.post(f"keys/{device.kid}", given | changes).status_code == 400
    assert ledger.backlog() == 0
    assert admin.post(f"keys/{device.kid}", given).status_code == 302
    house.settle()
    assert PartyKey.objects.get(public_key=bytes.fromhex(public)).label == "till 3"
    assert "In force until" in admin.get(f"keys/{device.kid}")
