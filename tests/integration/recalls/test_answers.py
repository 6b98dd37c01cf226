"""Delivered, opened, answered with counts: each with who and when; whom it did not reach, the owner calls."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from django.core import mail
from django.test import Client

from ledger import api as ledger
from tests.integration.conftest import GTIN, LOT, House, pack
from tests.integration.portal.conftest import CASE, PASSWORD
from traceability.common import clock
from traceability.common.models import Document
from traceability.common.problems import ProblemError
from traceability.exchange import channels, dispatch
from traceability.recalls import delivery, gather, reach, responses, selectors
from traceability.recalls import services as recalls
from traceability.recalls.models import Acknowledgement, Notice, NoticeStep, Recall
from traceability.recalls.responses import Answer

from .conftest import later, look, person, published


@pytest.fixture
def told(stocked: House) -> House:
    """The lot is recalled and its holders have their notices."""
    published(stocked)
    look(stocked)
    delivery.run()
    return stocked


def of(party: str) -> Notice:
    return Notice.objects.select_related("recall__owner", "party").get(party=party)


def steps(party: str) -> list[tuple[str, str]]:
    rows = NoticeStep.objects.filter(notice__party=party).order_by("id")
    return [(one.kind, one.channel) for one in rows]


def said(kind: str) -> list[dict[str, Any]]:
    bodies = [json.loads(bytes(row.body)) for row in Document.objects.filter(kind="recall-step")]
    return [one for one in bodies if one["@type"] == kind]


def test_on_the_portal_it_is_sent_and_opened_it_is_delivered(told: House) -> None:
    assert steps("pharmacy") == [("sent", "portal")]
    assert of("pharmacy").delivered_ms is None, "that it lies there proves nothing"
    chemist, stranger = person(told, "pharmacy", "chemist", "operator"), person(told, "other", "stranger")
    responses.open_notice(notice=of("pharmacy"), member=stranger)
    assert of("pharmacy").opened_ms is None
    responses.open_notice(notice=of("pharmacy"), member=chemist)
    responses.open_notice(notice=of("pharmacy"), member=person(told, "pharmacy", "second"))
    assert of("pharmacy").opened_ms == of("pharmacy").delivered_ms
    assert of("pharmacy").opened_ms is not None
    assert steps("pharmacy") == [("sent", "portal"), ("opened", "portal")]
    (opened,) = said("NoticeOpened")
    assert (opened["actor"], opened["notice"]) == (chemist.pseudonym, of("pharmacy").id)


def test_answered_with_counts(told: House) -> None:
    chemist = person(told, "pharmacy", "chemist", "operator")
    row = responses.acknowledge(notice=of("pharmacy"), actor=chemist.pseudonym, answer=Answer(1, {"set_aside": 5}, ""))
    assert of("pharmacy").answered_ms is not None
    (answer,) = said("RecallAcknowledgement")
    assert answer["counts"] == {"set_aside": 5, "sold": 0, "passed_on": 0, "destroyed": 0, "not_found": 0}
    there = told.place("pharmacy")
    standing = {(GTIN, LOT, "", there, "active"): 3, (GTIN, LOT, CASE, "", "shipped"): 2}
    assert answer["standing"] == row.list_digest == gather.standing_digest(standing)
    told.settle()
    (entry,) = ledger.positions([row.statement_hash]).values()
    assert entry.index > 0
    found = selectors.progress(Recall.objects.get())
    assert (found.notices, found.answered, found.packs, found.answered_packs) == (2, 1, 7, 5)
    assert (found.answered_percent, found.set_aside_percent) == (50, 71)


@pytest.mark.parametrize(
    ("answer", "wanted"),
    [
        (Answer(1, {"set_aside": 4}), "recall-answer-difference"),
        (Answer(1, {"set_aside": 6}), "recall-answer-difference"),
        (Answer(1, {"set_aside": -1}), "recall-answer-count"),
        (Answer(1, {"set_aside": True}), "recall-answer-count"),
        (Answer(1, {"eaten": 5}), "recall-answer-count"),
        (Answer(2, {"set_aside": 5}), "notice-changed"),
        (Answer(1, {"set_aside": 5}, "x" * 501), "recall-answer-reason"),
    ],
)
def test_an_answer_that_does_not_add_up(told: House, answer: Answer, wanted: str) -> None:
    with pytest.raises(ProblemError, match=wanted):
        responses.acknowledge(notice=of("pharmacy"), actor="m-1", answer=answer)
    assert not Acknowledgement.objects.exists()
    assert of("pharmacy").answered_ms is None
    assert said("RecallAcknowledgement") == []


def test_with_a_reason_it_need_not_add_up(told: House) -> None:
    answer = Answer(1, {"set_aside": 4}, "One was broken.")
    assert responses.acknowledge(notice=of("pharmacy"), actor="m-1", answer=answer).reason == "One was broken."


def test_what_comes_after_the_answer_is_to_be_answered_again(told: House) -> None:
    """Setting the packs aside is no news; a pack that comes is."""
    responses.acknowledge(notice=of("pharmacy"), actor="m-1", answer=Answer(1, {"set_aside": 5}))
    chain = later(told)
    chain.event("aside", "pharmacy", 20, "holding", [pack("1"), pack("2")])
    look(told)
    assert of("pharmacy").answered_ms is not None
    chain.ship("more", "maker", 21, [pack("7")], to="pharmacy")
    look(told)
    notice = of("pharmacy")
    assert (notice.packs, notice.answered_ms, notice.delivered_ms, notice.to_send) == (6, None, None, True)
    assert notice.answer_by_ms > notice.created_ms + 24 * reach.HOUR_MS
    with pytest.raises(ProblemError, match="notice-changed"):
        responses.acknowledge(notice=notice, actor="m-1", answer=Answer(1, {"set_aside": 5}))


def test_what_moves_while_it_is_answered_is_seen(told: House) -> None:
    later(told).ship("away", "pharmacy", 20, [pack("1")], to="other")
    told.settle()  # custody has moved and no look has come yet
    with pytest.raises(ProblemError, match="notice-changed"):
        responses.acknowledge(notice=of("pharmacy"), actor="m-1", answer=Answer(1, {"set_aside": 5}))
    assert of("pharmacy").packs == 4, "the refusal renewed it"


@pytest.fixture
def later_clock() -> Any:
    """Move the house's clock by hours; the machine's own comes back afterwards."""
    base = clock.now_ms()
    yield lambda hours: clock.set_simulated_ms(base + int(hours * reach.HOUR_MS))
    clock.set_simulated_ms(0)


def names(recall: Recall) -> set[str]:
    return {one.holder.rpartition(":")[2] for one in selectors.late(recall)}


def test_the_call_list(told: House, later_clock: Any) -> None:
    recall = Recall.objects.get()
    assert names(recall) == set()
    later_clock(25)
    assert names(recall) == {"maker", "pharmacy"}
    owner = person(told, "maker", "maker-one")
    responses.note_call(member=owner, notice=of("pharmacy"), remark="Spoke to Ms Wang.")
    assert ("delivered", "phone") in steps("pharmacy")
    assert names(recall) == {"maker", "pharmacy"}, "told, and the answer is late"
    responses.acknowledge(notice=of("pharmacy"), actor="m-1", answer=Answer(1, {"set_aside": 5}))
    assert names(recall) == {"maker"}
    with pytest.raises(ProblemError, match="role"):
        responses.note_call(member=person(told, "pharmacy", "x"), notice=of("maker"), remark="I called.")


def test_a_call_that_says_nothing_is_refused_in_its_row(told: House, later_clock: Any) -> None:
    person(told, "maker", "maker-one")
    later_clock(25)
    client = Client()
    assert client.login(username="maker-one", password=PASSWORD)
    where, called = f"/portal/recalls/{Recall.objects.get().id}/calls", of("pharmacy").id
    answer = client.post(where, {"notice": called, "remark": " "})
    page = answer.content.decode()
    assert answer.status_code == 400
    assert f'href="#id_remark_{called}"' in page
    assert page.count("is-invalid") == 1
    assert f'id="id_remark_{called}"' in page.partition("is-invalid")[2]


def test_clocks_of_the_class_and_of_the_draft(stocked: House) -> None:
    recall = published(stocked, **{"class": "2", "deliver_hours": "3"})
    look(stocked)
    notice = of("pharmacy")
    assert notice.deliver_by_ms - notice.created_ms == 3 * reach.HOUR_MS
    assert notice.answer_by_ms - notice.created_ms == 72 * reach.HOUR_MS
    assert {one.holder for one in selectors.late(recall, at_ms=notice.deliver_by_ms)} == set()
    assert len(selectors.late(recall, at_ms=notice.deliver_by_ms + 1)) == 2


def test_a_holder_whom_nobody_knows_is_called_at_once(stocked: House) -> None:
    """No party is registered under the URI: nothing can be delivered."""
    Notice.objects.all().delete()
    recall = published(stocked)
    look(stocked)
    Notice.objects.filter(party="pharmacy").update(party=None)
    assert names(recall) == {"pharmacy"}


def test_a_partner_s_folder_and_what_became_of_it(stocked: House, settings: Any, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path
    plan = channels.Plan(stocked.parties["pharmacy"], "folder", "json-2.0")
    channels.create(stocked.parties["maker"], plan)
    recall = published(stocked)
    look(stocked)
    delivery.run()
    assert steps("pharmacy") == [("sent", "portal"), ("sent", "folder")]
    dispatch.run_once()
    (file,) = (tmp_path / "outbox" / "pharmacy").iterdir()
    (event,) = json.loads(file.read_text())["epcisBody"]["eventList"]
    assert event["eventID"] == recall.event_id
    delivery.run()
    assert of("pharmacy").delivered_ms is None, "it lies in the folder"
    file.unlink()
    dispatch.run_once()
    delivery.run()
    assert steps("pharmacy")[-1] == ("delivered", "folder")
    assert of("pharmacy").delivered_ms is not None
    delivery.run()
    assert len(steps("pharmacy")) == 3


def test_a_partner_s_server_answers(stocked: House, settings: Any) -> None:
    settings.OUTBOUND_LOOPBACK = True
    got: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_words: Any) -> None:
            """Silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        dest = f"http://127.0.0.1:{server.server_port}/hook"
        plan = channels.Plan(stocked.parties["pharmacy"], "webhook", "json-2.0", dest=dest)
        channels.create(stocked.parties["maker"], plan)
        published(stocked)
        look(stocked)
        delivery.run()
        dispatch.run_once()
        delivery.run()
    finally:
        server.shutdown()
        server.server_close()
    assert len(got) == 1
    assert steps("pharmacy")[-1] == ("delivered", "webhook")
    assert NoticeStep.objects.get(kind="delivered").detail == "HTTP 200"


def test_mail_goes_where_a_server_is_set_up(stocked: House, settings: Any) -> None:
    recalls.set_contact(
        member=person(stocked, "pharmacy", "chief", "admin"), name="Chief", phone="+86 1", email="chief@example.org"
    )
    published(stocked)
    look(stocked)
    delivery.run()
    assert (mail.outbox, steps("pharmacy")) == ([], [("sent", "portal")])
    settings.RECALL_MAIL_FROM = "house@example.org"
    Notice.objects.update(to_send=True)
    delivery.run()
    (sent,) = mail.outbox
    assert sent.to == ["chief@example.org"]
    assert "L1" in sent.body
    assert "召回" in sent.body
    assert steps("pharmacy")[-1] == ("sent", "email")
    assert of("pharmacy").delivered_ms is None, "that a mail left proves nothing"
