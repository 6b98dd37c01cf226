"""What is another party's does not exist for the caller: a matrix of things and callers, all 404 but the owner's."""

import json
from typing import Any

import pytest

from tests.integration.api.test_capture import observed
from tests.integration.conftest import LOT, House

OWNER = "maker"
CALLERS = ("regulator", "wholesaler", "pharmacy", "other")
CSV = b"# device: TT-1\ntimestamp,temperature_c\n2026-01-01T08:00:00Z,5.1\n2026-01-01T08:10:00Z,5.3\n"
# Of the owner's things: the address, and who else may read it.
THINGS: dict[str, tuple[str, ...]] = {
    "job": (),
    "query": (),
    "query events": (),
    "subscriptions": (),
    "subscription": (),
    "logger file": ("regulator",),
    "event": ("regulator",),
    "lots": (),
    "lot": (),
    "place": (),
}


@pytest.fixture
def things(house: House, writer: Any, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """One of each, made by the owner."""
    monkeypatch.setattr("traceability.api.event_views.PUBLISH_WAIT_SECONDS", 0.0)
    job = house.capture(
        OWNER,
        {
            **observed(writer, "1"),
            "eventID": "urn:example:of-maker",
            "bizLocation": {"id": house.place(OWNER)},
            "readPoint": {"id": house.place(OWNER)},
        },
    )
    assert job.status_code == 202, job.content
    assert house.post(OWNER, "/epcis/queries", {"name": "mine", "query": {}}).status_code == 201
    made = house.post(OWNER, "/epcis/queries/mine/subscriptions", {"dest": "https://example.com/in", "stream": True})
    assert made.status_code == 201, made.content
    from django.core.files.uploadedfile import SimpleUploadedFile

    upload = {"file": SimpleUploadedFile("a.csv", CSV), "site": f"{OWNER}-main"}
    file = house.client(OWNER).post("/api/v1/logger-files", upload)
    assert file.status_code == 201, file.content
    house.settle()
    return {
        "job": job["Location"],
        "query": "/epcis/queries/mine",
        "query events": "/epcis/queries/mine/events",
        "subscriptions": "/epcis/queries/mine/subscriptions",
        "subscription": made["Location"],
        "logger file": f"/api/v1/logger-files/{file.json()['sha256']}",
        "event": "/epcis/events/urn:example:of-maker",
        "lots": "/api/v1/lots/glarvia",
        "lot": f"/api/v1/lots/glarvia/{LOT}",
        "place": f"/api/v1/places/{OWNER}-main",
    }


def test_only_who_may_sees_a_thing(house: House, things: dict[str, str]) -> None:
    seen: dict[str, list[str]] = {}
    for name, path in things.items():
        assert house.client(OWNER).get(path).status_code == 200, name
        statuses = {caller: house.client(caller).get(path).status_code for caller in CALLERS}
        assert set(statuses.values()) <= {200, 404}, (name, statuses)
        seen[name] = [caller for caller, status in statuses.items() if status == 200]
    assert seen == {name: list(callers) for name, callers in THINGS.items()}


@pytest.mark.parametrize("name", ["query", "subscription"])
def test_only_its_owner_deletes_a_thing(house: House, things: dict[str, str], name: str) -> None:
    for caller in CALLERS:
        assert house.client(caller).delete(things[name]).status_code == 404
    assert house.client(OWNER).get(things[name]).status_code == 200
    assert house.client(OWNER).delete(things[name]).status_code == 204
    assert house.client(OWNER).get(things[name]).status_code == 404


def test_nobody_subscribes_to_another_s_query(house: House, things: dict[str, str]) -> None:
    body = json.dumps({"dest": "https://example.com/in", "stream": True}).encode()
    for caller in CALLERS:
        answer = house.client(caller).post(things["subscriptions"], body, content_type="application/json")
        assert answer.status_code == 404
