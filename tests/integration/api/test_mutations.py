"""Whatever is wrong is refused in words that name event and field, and leaves nothing behind; never a 500."""

from pathlib import Path
from typing import Any

import pytest
from django.apps import apps

from tests.integration.api.mutations import JSON, XML, Mutant, all_mutants
from tests.integration.conftest import House
from traceability.capture import jobs
from traceability.capture.models import CaptureJob

MUTANTS = list(all_mutants())


def rows() -> dict[str, int]:
    """How many rows every table has."""
    return {model._meta.label: model._default_manager.count() for model in apps.get_models()}


def test_there_are_enough() -> None:
    assert len(MUTANTS) >= 300
    assert sum(mutant.media == XML for mutant in MUTANTS) >= 60
    assert len({mutant.body for mutant in MUTANTS}) >= 300


@pytest.mark.parametrize("spooled", [False, True], ids=["at once", "in a job"])
def test_every_mutant_is_refused_and_leaves_nothing(house: House, settings: Any, tmp_path: Path, spooled: bool) -> None:
    settings.CAPTURE_SPOOL_DIR = tmp_path
    if spooled:
        settings.CAPTURE_SPOOL_BYTES = 0
    client, before = house.client("pharmacy"), rows()
    wrong = []
    for mutant in MUTANTS:
        answer = client.post("/epcis/capture", mutant.body, content_type=mutant.media)
        errors = answer.json().get("errors", [])
        if spooled and answer.status_code == 202:
            assert jobs.work_one()
            job = client.get(answer["Location"]).json()
            assert (job["running"], job["success"]) == (False, False), mutant.what
            errors = job["errors"]
            CaptureJob.objects.all().delete()
        elif answer.status_code not in (400, 413, 415):
            wrong.append(f"{mutant.what}: {answer.status_code}")
        if not _is_named(mutant, errors):
            wrong.append(f"{mutant.what}: {errors[:2]}")
    assert not wrong, "\n".join(wrong)
    assert rows() == before
    assert list(tmp_path.iterdir()) == []


def _is_named(mutant: Mutant, errors: list[dict[str, Any]]) -> bool:
    """An event's fault has its place and, unless the event is none at all, a field within it."""
    return mutant.event is None or any(
        error["event"] == mutant.event and f"/eventList/{mutant.event}" in error["pointer"] for error in errors
    )


def test_the_generator_s_base_is_right(house: House) -> None:
    """The negative control: unmutated, they are taken."""
    from tests.integration.api import mutations
    from tests.unit.epcis.samples import EVENTS

    for number, kind in enumerate(mutations.KINDS):
        event = {**EVENTS[kind], "eventID": f"urn:uuid:00000000-0000-4000-8000-0000000001{number:02d}"}
        body = mutations._json("", mutations._two(kind, event)).body
        answer = house.client("pharmacy").post("/epcis/capture", body, content_type=JSON)
        assert answer.status_code in (202, 409), answer.content


def test_invalid_samples_of_others_are_refused(house: House, shared_data: Path) -> None:
    before, count = rows(), 0
    for folder, media in (("invalid", JSON), ("invalid-xml", XML)):
        for path in sorted((shared_data / "epcis" / "openepcis" / folder).iterdir()):
            answer = house.client("pharmacy").post("/epcis/capture", path.read_bytes(), content_type=media)
            assert answer.status_code == 400, path.name
            count += 1
    assert (count > 10, rows()) == (True, before)
