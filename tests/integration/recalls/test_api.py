"""Holders' systems read their notices and answer them; nobody reads another's."""

import itertools
import json
from typing import Any

import pytest

from tests.integration.conftest import House, pack
from traceability.recalls.models import Acknowledgement, Notice, NoticeStep

from .conftest import look, published


@pytest.fixture
def told(stocked: House) -> House:
    published(stocked)
    look(stocked)
    return stocked


def test_a_system_reads_and_answers(told: House) -> None:
    client = told.client("pharmacy")
    (row,) = client.get("/api/v1/recalls").json()
    assert (row["packs"], row["supplied"], row["class"], row["state"]) == (5, 1, "1", "published")
    assert "deliveredAt" not in row, "the list is no receipt"
    where = f"/api/v1/recalls/{row['noticeID']}"
    assert "deliveredAt" in client.get(where).json()
    step = NoticeStep.objects.get(kind="delivered")
    assert step.channel == "api"
    assert step.actor.startswith("token:")
    packs = json.loads(client.get(f"{where}/packs").getvalue())["packs"]
    assert {one["epc"] for one in packs} == {pack(n) for n in "123456"}
    answer = told.post("pharmacy", f"{where}/acknowledgement", {"version": 1, "counts": {"set_aside": 5}})
    assert answer.status_code == 201
    assert answer.json()["statementHash"] == Acknowledgement.objects.get().statement_hash
    assert "answeredAt" in client.get(where).json()
    assert NoticeStep.objects.filter(kind="delivered").count() == 1


@pytest.mark.parametrize(
    ("body", "status", "code", "pointer"),
    [
        ({"version": 1, "counts": {"set_aside": 4}}, 400, "recall-answer-difference", "/reason"),
        ({"version": 1, "counts": {"eaten": 5}}, 400, "recall-answer-count", "/counts/eaten"),
        ({"version": 1, "counts": {"set_aside": "5"}}, 400, "recall-answer-count", "/counts/set_aside"),
        ({"version": "1", "counts": {}}, 400, "recall-answer", "/version"),
        ({"version": 1, "counts": []}, 400, "recall-answer", "/counts"),
        ({"version": 1, "counts": {}, "reason": 7}, 400, "recall-answer", "/reason"),
        ({"version": 1, "counts": {}, "more": 7}, 400, "recall-answer", "/more"),
        ({"version": 3, "counts": {"set_aside": 5}}, 409, "notice-changed", "/version"),
    ],
)
def test_an_answer_that_does_not_fit(told: House, body: Any, status: int, code: str, pointer: str) -> None:
    notice = Notice.objects.get(party="pharmacy")
    answer = told.post("pharmacy", f"/api/v1/recalls/{notice.id}/acknowledgement", body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.json()["errors"][0]["pointer"] == pointer
    assert not Acknowledgement.objects.exists()


def test_another_s_notice_is_not_there(told: House) -> None:
    where = f"/api/v1/recalls/{Notice.objects.get(party='pharmacy').id}"
    for party in ("other", "maker", "regulator"):
        statuses = [told.client(party).get(where + rest).status_code for rest in ("", "/packs")]
        body = {"version": 1, "counts": {"set_aside": 5}}
        statuses.append(told.post(party, f"{where}/acknowledgement", body).status_code)
        assert statuses == [404, 404, 404]
    assert told.client("other").get("/api/v1/recalls").json() == []
    assert Notice.objects.get(party="pharmacy").delivered_ms is None


def test_a_list_that_breaks_off_is_not_delivered(told: House) -> None:
    notice = Notice.objects.get(party="pharmacy")
    for parts, delivered in ((1, False), (2, False), (3, True)):
        answer = told.client("pharmacy").get(f"/api/v1/recalls/{notice.id}/packs")
        body = b"".join(itertools.islice(answer.streaming_content, parts))
        assert body.endswith(b"]}") is delivered
        notice.refresh_from_db()
        assert (notice.delivered_ms is not None) is delivered


def test_notices_are_paged(told: House) -> None:
    for _ in range(2):
        published(told, drill=True)
    look(told)
    client, seen = told.client("pharmacy"), []
    url: str | None = "/api/v1/recalls?perPage=2"
    while url:
        answer = client.get(url)
        seen += [row["noticeID"] for row in answer.json()]
        url = answer["Link"].partition(">")[0].removeprefix("<") if answer.has_header("Link") else None
    assert sorted(seen) == sorted(Notice.objects.filter(party="pharmacy").values_list("id", flat=True))
    assert len(seen) == 3
