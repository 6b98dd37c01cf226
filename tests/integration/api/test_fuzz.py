"""schemathesis calls every operation of our own description with all its checks, as a caller of each role."""

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from schemathesis.core.failures import FailureGroup
from schemathesis.pytest.lazy import get_all_tests
from schemathesis.specs.openapi.checks import positive_data_acceptance
from werkzeug.test import Client

from tests.integration.conftest import House
from traceability.api import event_views
from traceability.wsgi import application

from . import described as calling

calling.register_formats()
SEED = 1
EXAMPLES = 15


# What these take says nothing to JSON Schema: signed bytes, and a logger's file. Their own tests send good ones.
OPAQUE = ("sendStatements", "uploadLoggerFile")
# On the wire any value of a pipe-delimited list is a text (`null` is the word null), so that a wrong type is none.
LISTS = ("queryEvents",)
# Every variant of every event: minutes (`long`). In the suite they are drawn at random.
LARGE = ("captureDocument", "captureEvent")


def config(examples: int, *, coverage: bool, large: tuple[str, ...] = LARGE) -> schemathesis.Config:
    """All checks; `coverage` also sends each boundary of each member, the same for every caller."""
    rejected = {"checks": {"positive_data_acceptance": {"enabled": False}}}
    taken = {"checks": {"negative_data_rejection": {"enabled": False}}}
    drawn = {"phases": {"coverage": {"enabled": False}}}
    return schemathesis.Config.from_dict(
        {
            "seed": SEED,
            "generation": {"max-examples": examples, "database": "none", "deterministic": True},
            "phases": {"coverage": {"enabled": coverage}},
            "suppress-health-check": ["all"],
            "operations": [
                *({"include-operation-id": name, **rejected} for name in OPAQUE),
                *({"include-operation-id": name, **taken} for name in LISTS),
                *({"include-operation-id": name, **drawn} for name in large),
            ],
        }
    )


@pytest.fixture
def served(house: House, monkeypatch: pytest.MonkeyPatch, settings: Any) -> Iterator[House]:
    """A house with parties of every role, ready to be called in process."""
    monkeypatch.setattr(event_views, "PUBLISH_WAIT_SECONDS", 0.0)
    settings.ALLOWED_HOSTS = ["*"]
    # The test's transaction is this connection's: a request must not close it behind itself, as a server's does.
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield calling.with_hospital(house)
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


def described(options: schemathesis.Config, app: Any = application) -> schemathesis.BaseSchema:
    """The description as the application answers it."""
    answer = Client(app).get("/api/schema", headers={"Accept": "application/vnd.oai.openapi+json"})
    found = schemathesis.openapi.from_dict(calling.drawable(answer.get_json(force=True)), config=options)
    found.app = app
    return found


def broken(api: schemathesis.BaseSchema, headers: dict[str, str]) -> list[str]:
    """Every promise of the description that a call of any operation broke, once each, with how to repeat it."""
    found: dict[tuple[str, str, str], str] = {}

    def check(case: schemathesis.Case) -> None:
        response = case.call(headers=headers)
        # A token goes on with its own query only: no schema can draw the one that fits.
        excluded = [positive_data_acceptance] if "nextPageToken" in (case.query or {}) else []
        try:
            case.validate_response(response, headers=headers, excluded_checks=excluded)
        except FailureGroup as group:
            for failure in group.exceptions:
                key = (case.operation.label, failure.title, failure.message[:120])
                found.setdefault(key, f"{response.status_code} {response.text[:300]} {case.as_curl_command()[:900]}")

    # pytest.from_fixture() does the same and does not run under this pytest: it renames the node.
    for one in get_all_tests(schema=api, test_func=check, settings=None, given_kwargs={}):
        one.ok()[1]()
    return [" | ".join((*key, how)) for key, how in found.items()]


@pytest.mark.parametrize("caller", calling.CALLERS)
def test_every_operation_keeps_its_description(served: House, caller: str) -> None:
    api = described(config(EXAMPLES, coverage=caller == "pharmacy"))
    found = broken(api, calling.authorization(served, caller))
    assert not found, "\n".join(found)
