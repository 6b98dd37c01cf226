"""schemathesis calls every operation of our own description with all its checks, as a caller of each role."""

from typing import Any

import pytest
import schemathesis
from schemathesis.pytest.lazy import get_all_tests

from tests.integration.conftest import House
from traceability.api import event_views
from traceability.wsgi import application

from . import fuzzing

fuzzing.register_formats()
SEED = 1


def config(examples: int) -> schemathesis.Config:
    return schemathesis.Config.from_dict(
        {
            "seed": SEED,
            "generation": {"max-examples": examples, "database": "none", "deterministic": True},
            "suppress-health-check": ["all"],
        }
    )


@pytest.fixture
def described(house: House, monkeypatch: pytest.MonkeyPatch, settings: Any) -> schemathesis.BaseSchema:
    """The description as the application answers it, in a house with parties of every role."""
    monkeypatch.setattr(event_views, "PUBLISH_WAIT_SECONDS", 0.0)
    settings.ALLOWED_HOSTS = ["*"]
    fuzzing.with_hospital(house)
    headers = {"Accept": "application/vnd.oai.openapi+json"}
    return schemathesis.openapi.from_wsgi("/api/schema", application, config=config(5), headers=headers)


@pytest.mark.parametrize("caller", fuzzing.CALLERS)
def test_every_operation_keeps_its_description(
    house: House, described: schemathesis.BaseSchema, caller: str, subtests: pytest.Subtests
) -> None:
    headers = fuzzing.authorization(house, caller)

    def check(case: schemathesis.Case) -> None:
        case.call_and_validate(headers=headers)

    # pytest.from_fixture() does the same and does not run under this pytest: it renames the node.
    for found in get_all_tests(schema=described, test_func=check, settings=None, given_kwargs={}):
        operation, test = found.ok()
        with subtests.test(operation=operation.label):
            test()
