"""A regulator's reads leave receipts that it cannot deny; a party sees how often its records were read."""

import json
from typing import Any

import pytest
from django.test import Client

from tests.integration.conftest import code
from tests.integration.portal.conftest import PASSWORD
from traceability.capture.models import PublishedEvent
from traceability.common.models import Document
from traceability.parties import services as parties
from traceability.visibility import receipts
from traceability.visibility.models import Read

from .conftest import Chain, X


def _signed_in(chain: Chain, party: str, role: str) -> Client:
    parties.add_member(party=chain.house.parties[party], username=f"{party}-{role}", password=PASSWORD, role=role)
    client = Client()
    assert client.login(username=f"{party}-{role}", password=PASSWORD)
    return client


@pytest.fixture
def told(chain: Chain) -> Chain:
    chain.make("made", "maker", 0, [X])
    chain.ship("sent", "maker", 1, [X], to="pharmacy")
    chain.receive("got", "pharmacy", 2, [X])
    chain.house.settle()
    return chain


def test_a_query_of_the_regulators_system_is_receipted_on_the_log(told: Chain) -> None:
    told.house.client("regulator").get("/epcis/events?EQ_bizStep=shipping")
    note = Read.objects.get()
    sent = PublishedEvent.objects.get(biz_step="shipping")
    assert (note.door, note.events, note.reporters) == ("epcis:events", 1, {"urn:dosetrail:party:maker": 1})
    assert note.question == "GET /epcis/events?EQ_bizStep=shipping"
    assert note.reader.startswith("token:")
    assert note.indexes_sha256 == receipts.indexes_sha256([sent.index])
    assert receipts.submit() == 1
    told.house.settle()
    document = Document.objects.get(kind="read-receipts")
    assert document.party == "urn:dosetrail:party:regulator"
    assert json.loads(bytes(document.body))["reads"][0]["indexes"] == note.indexes_sha256
    assert receipts.submit() == 0


@pytest.mark.parametrize("path", ["/epcis/events", "/epcis/events/{id}", "/regulator/trace?code={code}"])
def test_every_read_of_events_leaves_a_note(told: Chain, path: str) -> None:
    client = told.house.client("regulator") if path.startswith("/epcis") else _signed_in(told, "regulator", "inspector")
    path = path.format(id=told.bodies["made"]["eventID"], code=code("X").replace("\x1d", "%1D"))
    assert client.get(path).status_code == 200
    assert Read.objects.get().events >= 1


def test_the_copy_by_a_follower_is_a_read(told: Chain) -> None:
    names = list(PublishedEvent.objects.values_list("statement_hash", flat=True))
    answer = told.house.post("regulator", "/log/content", names)
    assert len(answer.json()["entries"]) == len(names)
    assert (Read.objects.get().door, Read.objects.get().events) == ("log-content", len(names))


@pytest.mark.parametrize("party", ["maker", "pharmacy"])
def test_others_reads_and_empty_answers_leave_none(told: Chain, party: str) -> None:
    told.house.client(party).get("/epcis/events")
    told.house.client("regulator").get("/epcis/events?MATCH_anyEPC=urn:dosetrail:nothing:1")
    assert not Read.objects.exists()


def test_an_answer_whose_note_cannot_be_written_is_not_given(told: Chain, monkeypatch: Any) -> None:
    def no_room(**_: Any) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(Read.objects, "create", no_room)
    client = told.house.client("regulator")
    with pytest.raises(OSError, match="disk full"):
        client.get("/epcis/events")


def test_without_the_middleware_nothing_would_be_noted(told: Chain, settings: Any) -> None:
    """The negative control."""
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if not name.endswith("ReceiptMiddleware")]
    told.house.client("regulator").get("/epcis/events")
    assert not Read.objects.exists()


def test_a_party_sees_how_often_and_through_which_door(told: Chain) -> None:
    for _ in range(2):
        told.house.client("regulator").get("/epcis/events")
    receipts.submit()
    [row] = receipts.tallies(told.house.parties["maker"])
    assert (row.door, row.reads, row.events) == ("epcis:events", 2, 4)
    page = _signed_in(told, "maker", "operator").get("/portal/reads").content.decode()
    assert "Query by a system" in page
    assert '<td class="num">4</td>' in page
    assert "No read of your records" in _signed_in(told, "other", "operator").get("/portal/reads").content.decode()
