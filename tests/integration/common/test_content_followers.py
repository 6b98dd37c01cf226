"""Content beside the log: who may copy it from the house, what a follower keeps of it, and to whom it hands it on."""

import json
from base64 import b64decode

import pytest
from django.test import Client

from ledger import api as ledger
from ledger import content, member, member_views, models
from ledger.content import Content, ContentError, Source
from ledger.follower import UnreachableError
from tests.integration.common.houses import observe
from traceability.common.models import Document

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def events(house, writer):
    """The statements of an event of the maker and one of the pharmacy."""
    observe(house, writer, "1")
    event = house.capture("pharmacy", {**EVENT, "readPoint": {"id": house.place("pharmacy")}})
    assert event.status_code == 202
    house.settle()
    rows = Document.objects.filter(kind="event")
    return {row.party.rpartition(":")[2]: row for row in rows}


EVENT = {
    "type": "ObjectEvent", "eventID": "urn:uuid:00000000-0000-4000-8000-000000000009", "action": "OBSERVE",
    "eventTime": "2026-05-28T20:26:40.000Z", "eventTimeZoneOffset": "+08:00", "bizStep": "inspecting",
    "epcList": ["https://id.gs1.org/00/395210000000000019"],
}  # fmt: skip


def ask(house, party, hashes, **headers):
    client = house.client(party) if party else Client(headers=headers)
    return client.post("/log/content", json.dumps(hashes), content_type="application/json")


def test_a_regulator_copies_everything_and_a_party_what_it_signed(house, events):
    hashes = [row.statement_hash for row in events.values()]
    for party, seen in (("regulator", {"maker", "pharmacy"}), ("maker", {"maker"}), ("other", set())):
        parts = ask(house, party, hashes).json()["entries"]
        assert [part["statement"] for part in parts] == hashes
        shown = {part["statement"] for part in parts if "body" in part}
        assert shown == {events[name].statement_hash for name in seen}
        for part in parts:
            assert part["recordTime"] == ledger.positions([part["statement"]])[part["statement"]].record_time_ms
    (part,) = ask(house, "maker", [events["maker"].statement_hash]).json()["entries"]
    assert b64decode(part["body"]) == bytes(events["maker"].body)
    assert b64decode(part["secret"]) == bytes(events["maker"].secret)


def test_nobody_else_copies_anything(house, events):
    for headers in ({}, {"Authorization": "Bearer x"}, {"Authorization": "Bearer é"}, {"Authorization": "Basic x"}):
        assert ask(house, None, [events["maker"].statement_hash], **headers).status_code == 401


def test_what_was_erased_or_never_was_is_not_there(house, events):
    gone = events["maker"]
    Document.objects.filter(pk=gone.pk).update(body=b"", secret=b"")
    genesis = models.Entry.objects.get(index=0).statement_hash
    parts = ask(house, "regulator", [gone.statement_hash, genesis, "0" * 64]).json()["entries"]
    assert [part["statement"] for part in parts] == [gone.statement_hash, genesis]
    assert not any("body" in part for part in parts)


def test_what_waits_for_its_index_is_not_shown(house, events, writer):
    observe(house, writer, "2")
    waiting = models.Submission.objects.get().statement_hash
    assert ask(house, "regulator", [waiting]).json() == {"entries": []}


@pytest.mark.parametrize("body", [b"", b"{}", b'["A"]', b"[1]", json.dumps(["0" * 64] * 257).encode(), b"[" * 9000])
def test_a_malformed_request_is_400(house, events, body):
    answer = house.client("regulator").post("/log/content", body, content_type="application/json")
    assert answer.status_code == 400
    with pytest.raises(ContentError):
        content.parse_request(body)


@pytest.mark.parametrize(
    "answer",
    [
        b"", b"[]", b"{}", b'{"entries":[{}]}', b'{"entries":[{"statement":"x","recordTime":"1"}]}',
        b'{"entries":[{"statement":"x","recordTime":1,"body":"!"}]}', b'{"entries":3}',
    ],
)  # fmt: skip
def test_a_malformed_answer_is_no_answer(answer):
    with pytest.raises(ContentError):
        content.parse_answer(answer)
    source = Source("http://log.example/log", "t", ask=lambda url, **options: (200, answer))
    with pytest.raises(UnreachableError):
        source.fetch(["0" * 64])


def test_a_long_answer_comes_in_parts(monkeypatch):
    monkeypatch.setattr(content, "FULL", 100)
    held = {f"{number:064x}": Content(number, bytes(60), bytes(32)) for number in range(300)}
    asked = []

    def answer(url, *, body, **options):
        hashes = content.parse_request(body)
        asked.append(len(hashes))
        return 200, content.format_answer((name, held[name]) for name in hashes if name in held)

    source = Source("http://log.example/log", "t", ask=answer)
    assert source.fetch([*held, "f" * 64]) == held
    assert max(asked) == 256


def through(house, party):
    """What a follower reads of the house with the party's token."""

    def answer(url, *, body, headers, **options):
        assert url.endswith("/log/content")
        response = house.client(party).post("/log/content", body, content_type="application/json")
        return response.status_code, response.content

    return Source("http://log.example/log", "t", ask=answer)


def test_a_follower_holds_it_and_gives_it_to_who_has_the_token(house, events, settings):
    """The replica is the house's own tables here: a follower's are the same ones."""
    assert member.hold_content(through(house, "regulator")) == Document.objects.count()
    assert member.hold_content(through(house, "regulator")) == 0
    settings.ROOT_URLCONF = "ledger.member_urls"
    member_views.hand_content_to("secret")
    hashes = [row.statement_hash for row in models.Entry.objects.order_by("index")]
    answer = ask(house, None, hashes, Authorization="Bearer secret")
    found = content.parse_answer(answer.content)
    assert list(found) == hashes
    for row in Document.objects.all():
        assert (found[row.pk].body, found[row.pk].secret) == (bytes(row.body), bytes(row.secret))
    for headers in ({}, {"Authorization": "Bearer Secret"}, {"Authorization": "Bearer "}):
        assert ask(house, None, hashes, **headers).status_code == 401
    assert Client(headers={"Authorization": "Bearer secret"}).post(
        "/log/content", b"x", content_type="application/json"
    ).status_code == 400  # fmt: skip


def test_without_a_token_file_nobody_gets_anything(house, events, settings, monkeypatch):
    monkeypatch.setattr(member_views, "_content_token", [])
    settings.ROOT_URLCONF = "ledger.member_urls"
    for header in ("Bearer ", "Bearer x", ""):
        assert ask(house, None, [], Authorization=header).status_code == 401


def test_a_party_s_follower_holds_what_it_signed(house, events):
    assert member.hold_content(through(house, "maker")) == Document.objects.filter(party=events["maker"].party).count()
    assert models.HeldContent.objects.count() == ledger.published_size()


def test_content_that_was_not_signed_is_not_kept(house, events, caplog):
    row = events["maker"]
    Document.objects.filter(pk=row.pk).update(body=bytes(row.body).replace(b"OBSERVE", b"DELETE"))
    member.hold_content(through(house, "regulator"))
    place = models.Entry.objects.get(statement_hash=row.pk).index
    assert models.HeldContent.objects.get(pk=place).body is None
    assert f"entry {place}" in caplog.text


def test_a_revoked_token_stops_it_and_what_came_stays(house, events, writer):
    member.hold_content(through(house, "regulator"))
    held = models.HeldContent.objects.count()
    observe(house, writer, "3")
    house.settle()
    house.tokens["regulator"] = "gone"
    with pytest.raises(UnreachableError, match="answers 401"):
        member.hold_content(through(house, "regulator"))
    assert models.HeldContent.objects.count() == held
