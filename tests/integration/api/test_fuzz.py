"""schemathesis calls every operation of our own description with all its checks, as a caller of each role."""

import zlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import hypothesis
import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, connection
from schemathesis.core.failures import FailureGroup
from schemathesis.pytest.lazy import get_all_tests
from schemathesis.specs.openapi.checks import (
    ensure_resource_availability,
    negative_data_rejection,
    positive_data_acceptance,
    use_after_free,
)
from werkzeug.test import Client

from tests.integration.conftest import House
from traceability.api import event_views
from traceability.wsgi import application

from . import fuzzing

fuzzing.register_formats()
SEED = 1
EXAMPLES = 3
PARTS = 4


# Of a good request: 406, no form of the answer lies between the two versions that were drawn; 412 and 428, nor was the
# ETag drawn that the thing has; 409, it contradicts what an earlier one recorded.
EXPECTED = ["2xx", "401", "403", "404", "406", "409", "412", "428", "501"]
# Of a bad one: whether it changes the version that is there is asked before it is read (412).
REFUSED = ["400", "401", "403", "404", "405", "406", "409", "412", "413", "415", "428", "5xx"]
# What these take says nothing to JSON Schema: signed bytes, a logger's file, lines of which none names what another
# names, in whatever spelling. Their own tests send good ones.
OPAQUE = ("sendStatements", "uploadLoggerFile", "postExpectedList")
# On the wire any value of a pipe-delimited list is a text (`null` is the word null), so that a wrong type is none;
# a part of a form that was left out may be one that may be left out.
LISTS = ("queryEvents", "createQuery", "uploadLoggerFile")
# Every variant of every event, or of every line: minutes (`long`). In the suite they are drawn at random.
LARGE = ("captureDocument", "captureEvent", "postExpectedList")


def config(examples: int, *, coverage: bool, large: tuple[str, ...] = LARGE) -> schemathesis.Config:
    """All checks; `coverage` also sends each boundary of each member, the same for every caller."""
    unable = {"expected-statuses": ["2xx", "3xx", "4xx", "501"]}
    rejected = {"checks": {"positive_data_acceptance": {"enabled": False}}}
    taken = {"checks": {"negative_data_rejection": {"enabled": False}}}
    drawn = {"phases": {"coverage": {"enabled": False}}}
    return schemathesis.Config.from_dict(
        {
            "seed": SEED,
            # The token is the caller's and never drawn: a call would count as bad for one that we send all the same.
            "generation": {
                "max-examples": examples,
                "database": "none",
                "deterministic": True,
                "with-security-parameters": False,
            },
            "phases": {"coverage": {"enabled": coverage}},
            "suppress-health-check": ["all"],
            # Texts of our own source are no values of our formats.
            "analysis": {"constants": {"enabled": False}},
            "checks": {
                "positive_data_acceptance": {"expected-statuses": EXPECTED},
                "negative_data_rejection": {"expected-statuses": REFUSED},
            },
            "operations": [
                # The standard offers 501 to servers whose tokens run out by themselves.
                {"include-operation-id": "deleteNextPageToken", "checks": {"not_a_server_error": unable}},
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
    yield fuzzing.with_hospital(house)
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


def described(
    options: schemathesis.Config, app: Any = application, only: Callable[[str], bool] = lambda _path: True
) -> schemathesis.BaseSchema:
    """The description as the application answers it; of its paths those that are asked for, each with all methods.

    Cut here: schemathesis 4.32 heeds no `include` where the configuration names operations.
    """
    answer = Client(app).get("/api/schema", headers={"Accept": "application/vnd.oai.openapi+json"})
    api = fuzzing.drawable(answer.get_json(force=True))
    api["paths"] = {path: item for path, item in api["paths"].items() if only(path)}
    found = schemathesis.openapi.from_dict(api, config=options)
    found.app = app
    return found


def broken(api: schemathesis.BaseSchema, house: House, callers: Sequence[str]) -> list[str]:
    """Every promise of the description that a call of any operation broke, once each, with how to repeat it.

    What is drawn is sent by all callers, since drawing takes longer than calling; the boundaries by the last of them.
    """
    found: dict[tuple[str, str, str], str] = {}
    headers_of = {caller: fuzzing.authorization(house, caller) for caller in callers}

    def check(case: schemathesis.Case) -> None:
        assert case.meta is not None
        is_boundary = case.meta.phase.name == "coverage"
        for caller, headers in headers_of.items():
            if caller == callers[-1] or not is_boundary:
                judge(case, headers)

    def judge(case: schemathesis.Case, headers: dict[str, str]) -> None:
        response = case.call(headers=headers)
        # A token goes on with its own query only, one limit excludes the other: parameters know nothing of each other.
        given = set(case.query or {})
        is_torn = "nextPageToken" in given or {"eventCountLimit", "maxEventCount"} <= given
        excluded = [positive_data_acceptance] if is_torn else []
        if (case.headers or {}).get("GS1-Capture-Error-Behaviour") == "proceed":
            excluded.append(negative_data_rejection)  # bad events are listed in the job, good ones taken
        if differs_in_formats_only(case):
            excluded.append(negative_data_rejection)
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


def differs_in_formats_only(case: schemathesis.Case) -> bool:
    """Whether all that is wrong with a drawn call is a format of ours: any text is a code, though of nothing we know.

    The standard's formats (URIs, dates) are asked at the boundaries, which are not drawn.
    """
    assert case.meta is not None
    drawn = getattr(case.meta.phase.data, "mutations", ())
    return bool(drawn) and all(one.keywords == ("format",) for one in drawn)


@pytest.mark.parametrize("part", range(PARTS))
def test_every_operation_keeps_its_description(served: House, part: int) -> None:
    # What a database refuses (NUL, a large number) it refuses whoever sends it: the second is asked by those who may,
    # and the boundaries of the description, which are the application's to keep, only once.
    is_first = connection.vendor == "sqlite"
    api = described(config(EXAMPLES, coverage=is_first), only=lambda path: part_of(path) == part)
    found = broken(api, served, fuzzing.CALLERS if is_first else fuzzing.WHO_MAY)
    assert not found, "\n".join(found)


def test_each_part_calls_its_own_operations_and_no_other(served: House) -> None:
    """All of them once: an operation that no part called would be judged by nobody."""
    parts = [operations(lambda path, part=part: part_of(path) == part) for part in range(PARTS)]  # type: ignore[misc]
    called = [label for part in parts for label in part]
    assert sorted(called) == sorted(operations(lambda _path: True))
    assert all(0 < len(part) < len(called) / 2 for part in parts)


def operations(only: Callable[[str], bool]) -> list[str]:
    api = described(config(1, coverage=False), only=only)
    return [one.ok().label for one in api.get_all_operations()]


def is_list_of_places(path: str) -> bool:
    return path == "/api/v1/places"


def part_of(path: str) -> int:
    """Operations are spread over some tests, which run beside each other."""
    return zlib.crc32(path.encode()) % PARTS


def test_a_broken_promise_is_found_whoever_calls(served: House) -> None:
    """The negative control of many callers: what only one of them is answered wrongly, the last to call."""
    wrong = planted(200, b'[{"id": 7}]')
    token = fuzzing.authorization(served, fuzzing.CALLERS[-1])["Authorization"]

    def app(environ: dict[str, Any], start_response: Any) -> Any:
        is_last = environ.get("HTTP_AUTHORIZATION") == token
        return (wrong if is_last else application)(environ, start_response)

    api = described(config(2, coverage=False), app, only=is_list_of_places)
    assert broken(api, served, fuzzing.CALLERS[:-1]) == []
    assert any("violates schema" in one for one in broken(api, served, fuzzing.CALLERS))


def planted(status: int, body: bytes, kind: str = "application/json") -> Any:
    """The application, but for one address that answers so."""

    def app(environ: dict[str, Any], start_response: Any) -> Any:
        if environ["PATH_INFO"] == "/api/v1/places" and environ["REQUEST_METHOD"] == "GET":
            start_response(f"{status} Planted", [("Content-Type", kind)])
            return [body]
        return application(environ, start_response)

    return app


@pytest.mark.parametrize(
    ("app", "title"),
    [
        (planted(500, b"{}", "application/problem+json"), "Server error"),
        (planted(418, b"{}", "application/problem+json"), "Undocumented status code"),
        (planted(200, b'[{"id": 7}]'), "Response violates schema"),
        (planted(200, b"[]", "text/html"), "Undocumented Content-Type"),
    ],
)
def test_what_breaks_its_description_is_found(served: House, app: Any, title: str) -> None:
    """The negative control: one planted fault each."""
    api = described(config(2, coverage=False), app, only=is_list_of_places)
    found = broken(api, served, ["pharmacy"])
    assert any(title in one for one in found), found


def test_an_open_door_is_found(served: House) -> None:
    """The negative control of ignored_auth: an address that asks for no token, though the description does."""
    api = described(config(2, coverage=False), planted(200, b"[]"), only=is_list_of_places)
    found = broken(api, served, ["pharmacy"])
    assert any("uthentication" in one for one in found), found


def test_what_is_made_is_there_and_what_is_deleted_is_gone(served: House) -> None:
    """use_after_free and ensure_resource_availability: calls that lean on each other, along the links."""
    linked = ("/epcis/queries", "/epcis/capture", "/epcis/events")
    api = described(config(EXAMPLES, coverage=False), only=lambda path: path.startswith(linked))
    headers = fuzzing.authorization(served, "pharmacy")

    class Linked(api.as_state_machine()):  # type: ignore[misc]
        def get_call_kwargs(self, case: schemathesis.Case) -> dict[str, Any]:
            return {"headers": headers}

        def validate_response(self, response: Any, case: schemathesis.Case, **given: Any) -> None:
            case.validate_response(response, headers=headers, checks=[use_after_free, ensure_resource_availability])

    Linked.run(
        settings=hypothesis.settings(
            max_examples=10,
            stateful_step_count=4,
            database=None,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(hypothesis.HealthCheck),
        )
    )


@pytest.mark.long
@pytest.mark.parametrize("part", range(PARTS))
def test_many_calls(served: House, part: int) -> None:
    """Minutes: every boundary of a single event too, and many more calls at random."""
    options = config(300, coverage=True, large=("captureDocument",))
    found = broken(described(options, only=lambda path: part_of(path) == part), served, fuzzing.CALLERS)
    assert not found, "\n".join(found)
