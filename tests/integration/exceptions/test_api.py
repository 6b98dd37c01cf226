"""A supplier's system reads what it is asked and answers it; of others' exceptions there are none."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.integration.conftest import House, code, pack
from tests.integration.portal.conftest import Portal, person, stocked
from tests.integration.portal.test_exceptions import open_one
from traceability.exceptions.models import ExceptionItem, ExceptionStep

__all__ = ["person", "stocked"]
Enter = Callable[..., Portal]


@pytest.fixture
def asked(stocked: House, person: Enter) -> str:
    """The pharmacy asks the maker about a pack; the address of the exception in the API."""
    portal = person("pharmacy")
    path = open_one(portal, [code("1")], despatch="DA1", comment="the box is wet")
    assert stocked.client("maker").get("/api/v1/exceptions").json() == [], "it is not asked yet"
    portal.post(path, {"action": "ask", "version": "0"})
    return f"/api/v1/exceptions/{ExceptionItem.objects.get().id}"


def test_a_system_reads_and_answers(stocked: House, person: Enter, asked: str) -> None:
    client = stocked.client("maker")
    (row,) = client.get("/api/v1/exceptions").json()
    assert (row["kind"], row["state"], row["note"], row["version"]) == ("packaging", "asked", "the box is wet", 1)
    assert row["party"] == stocked.parties["pharmacy"].uri
    assert [one["epc"] for one in row["goods"]] == [pack("1")]
    found = client.get(asked).json()
    assert {name: found[name] for name in row} == row
    assert [(step["state"], step["comment"]) for step in found["steps"]] == [("open", "the box is wet"), ("asked", "")]
    answer = stocked.post("maker", asked + "/answer", {"version": 1, "comment": " Send it back. "})
    assert answer.status_code == 201
    assert (answer.json()["state"], answer.json()["version"]) == ("answered", 2)
    assert answer.json()["steps"][-1]["by"] == stocked.parties["maker"].uri
    step = ExceptionStep.objects.get(state="answered")
    assert (step.actor[:6], step.comment) == ("token:", "Send it back.")
    assert "Send it back." in person("pharmacy", "quality").get(f"exceptions/{step.item_id}")


@pytest.mark.parametrize(
    ("body", "status", "named", "pointer"),
    [
        ({"version": 1, "comment": " "}, 400, "comment", "/comment"),
        ({"version": 1, "comment": "x" * 501}, 400, "comment", "/comment"),
        ({"version": 1}, 400, "exception-answer", "/comment"),
        ({"version": "1", "comment": "x"}, 400, "exception-answer", "/version"),
        ({"version": True, "comment": "x"}, 400, "exception-answer", "/version"),
        ({"version": 2**40, "comment": "x"}, 400, "exception-answer", "/version"),
        ({"version": 1, "comment": "x", "state": "resolved"}, 400, "exception-answer", "/state"),
        ({"version": 0, "comment": "x"}, 409, "changed-meanwhile", ""),
    ],
)
def test_an_answer_that_does_not_fit(
    stocked: House, asked: str, body: Any, status: int, named: str, pointer: str
) -> None:
    answer = stocked.post("maker", asked + "/answer", body)
    assert (answer.status_code, answer.json()["code"]) == (status, named)
    assert [one["pointer"] for one in answer.json().get("errors", [])] == ([pointer] if pointer else [])
    assert ExceptionItem.objects.get().state == "asked"


def test_who_was_not_asked_finds_nothing(stocked: House, asked: str) -> None:
    """Neither a stranger nor the party itself, which decides on its own desk."""
    for party in ("wholesaler", "pharmacy", "regulator"):
        assert stocked.client(party).get("/api/v1/exceptions").json() == []
        assert stocked.client(party).get(asked).status_code == 404
        body = {"version": 1, "comment": "mine"}
        assert stocked.post(party, asked + "/answer", body).status_code == 404
    assert stocked.client("maker").get(asked + "x").status_code == 404


def test_an_answer_sent_twice_is_one(stocked: House, asked: str) -> None:
    body = {"version": 1, "comment": "Send it back."}
    first, second = (stocked.post("maker", asked + "/answer", body) for _ in range(2))
    assert (first.status_code, second.json()) == (201, first.json())
    assert ExceptionStep.objects.filter(state="answered").count() == 1


def test_the_regulator_comments_for_the_party_alone(stocked: House, person: Enter, asked: str) -> None:
    portal, maker, inspector = person("pharmacy", "quality"), person("maker"), person("regulator", "inspector")
    path = f"exceptions/{ExceptionItem.objects.get().id}"
    theirs = f"/regulator/{path}"
    said = {"comment": "Keep it cold.", "version": "1"}
    assert inspector.client.post(theirs, said).status_code == 404, "nobody brought it before the regulator"
    portal.post(path, {"action": "escalate", "comment": "no answer", "version": "1"})
    page = inspector.client.get(theirs).content.decode()
    assert "no answer" in page
    assert 'name="version" value="2"' in page
    assert inspector.client.post(theirs, {"comment": " ", "version": "2"}).status_code == 400
    assert inspector.client.post(theirs, said).status_code == 409, "it was read before it was brought"
    assert inspector.client.post(theirs, {**said, "version": "2"}).status_code == 302
    item = ExceptionItem.objects.get()
    assert (item.state, item.version) == ("escalated", 3)
    assert "The regulator has commented" in portal.get("exceptions")
    assert "Keep it cold." in portal.get(path)
    assert "Keep it cold." in inspector.client.get(theirs).content.decode()
    assert "Keep it cold." not in maker.get(path), "the partner reads what it is asked"
    assert "The regulator has commented" not in maker.get("exceptions", side="asked")
    assert [step["state"] for step in stocked.client("maker").get(asked).json()["steps"]][-1] == "escalated"
    portal.post(path, {"action": "escalate", "comment": "It is.", "version": "3"})
    assert "The regulator has commented" not in portal.get("exceptions"), "the answer is the last word"
    assert "It is." in inspector.client.get(theirs).content.decode()
    assert portal.client.post(theirs, {**said, "version": "4"}).status_code == 403
    portal.post(path, {"action": "resolve", "comment": "done", "version": "4"})
    assert 'name="comment"' not in inspector.client.get(theirs).content.decode()
    assert inspector.client.post(theirs, {**said, "version": "5"}).status_code == 409
