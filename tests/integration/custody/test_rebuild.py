"""Rebuilding gives the same bytes, also after master data was edited, whatever the batch size."""

from collections.abc import Callable
from types import SimpleNamespace
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command

from tests.integration.conftest import EXPIRY, LOT, House, Written, code, pack
from tests.integration.recalls.conftest import published
from tests.integration.scans.test_record import CASE, act
from traceability.common import projection, rebuilding
from traceability.common.models import Cursor
from traceability.custody.models import ItemState
from traceability.gs1 import check_digit
from traceability.operations import facts, health
from traceability.operations.health import Check
from traceability.parties import services as parties
from traceability.simulation import events

START_MS = 1_790_000_000_000
CASE_LINK = f"https://id.gs1.org/00/39521000000000000{check_digit.of('39521000000000000')}"


def _history(house: House) -> None:
    act(house, "maker", "commission", [code("1"), code("2")], details={"lot": LOT, "expiry": EXPIRY.isoformat()})
    act(house, "maker", "pack", [code("1"), code("2")], details={"container": CASE})
    act(house, "maker", "ship", [CASE], details={"receiver": "pharmacy", "despatch": "DA1"})
    act(house, "pharmacy", "receive", [CASE])
    act(house, "pharmacy", "unpack", [CASE])
    act(house, "pharmacy", "dispense", [code("1")])
    act(house, "pharmacy", "undo", [code("1")], details={"reason": "mistake"})
    published(house)


def _digests() -> dict[str, str]:
    return {
        model._meta.label: projection.digest(model) for fold in projection.all_projections() for model in fold.models
    }


def test_byte_equal_after_a_rebuild_in_other_batches_and_with_edited_master_data(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    _history(house)
    before = _digests()
    party = house.parties["maker"]
    site = party.sites.get()
    parties.save_site(
        id=site.id, party=party, name="moved", gln=site.gln, latitude_e6=1, longitude_e6=2, time_zone="UTC",
        city="Elsewhere", country="CN",
    )  # fmt: skip
    folds = projection.all_projections()
    for fold in folds:
        projection.reset(fold)
    while sum(projection.advance(fold, limit=3) for fold in folds):
        pass
    assert _digests() == before
    house.settle()  # now the edit is on the log: only the master data itself has changed
    changed = {name for name, digest in _digests().items() if digest != before[name]}
    assert changed == {"common.MasterVersion"}


def test_an_emptying_is_told_of_whatever_was_put_in_even_by_an_event_that_is_void(
    house: House, writer: Callable[[str], Written]
) -> None:
    lot = SimpleNamespace(number=LOT, expiry=EXPIRY)
    common = [
        {"party": writer("maker"), "at_ms": START_MS + number, "event_id": UUID(int=number).urn} for number in range(3)
    ]
    packed = events.aggregate(CASE_LINK, [pack("1")], action="ADD", **common[1])
    emptied = events.aggregate(CASE_LINK, [], action="DELETE", **common[2])
    declared = {"declarationTime": "2026-10-01T00:00:00.000Z", "reason": "did_not_occur"}
    for event in (
        events.commission(lot, [pack("1")], **common[0]),
        packed,
        packed | {"errorDeclaration": declared},
        {name: value for name, value in emptied.items() if name != "childEPCs"},
    ):
        answer = house.capture("maker", event)
        assert answer.status_code == 202, answer.content
        house.settle()
    before = _digests()
    call_command("rebuild")
    assert _digests() == before


def test_the_command_says_when_a_table_was_tampered_with(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    _history(house)
    call_command("rebuild", "--check")
    ItemState.objects.update(place="somewhere else")
    with pytest.raises(CommandError, match=r"custody\.ItemState"):
        call_command("rebuild", "--check")
    call_command("rebuild", "--check")


def test_a_rebuild_that_was_interrupted_is_gone_on_with(
    house: House, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    _history(house)
    before = _digests()
    rebuilding.begin(projection.all_projections(), keep_digests=True)
    monkeypatch.setattr(rebuilding, "advance", lambda fold, **_wide: projection.advance(fold, limit=3))
    steps = rebuilding.go_on()
    read = [next(steps), next(steps)]  # and the process is gone
    assert 0 < read[0] < read[1]
    assert _digests() != before
    assert _projections_check().state == "failing"
    call_command("rebuild", "--check")
    assert "Going on" in capsys.readouterr().out
    assert _digests() == before
    assert _projections_check().state == "ok"
    call_command("rebuild", "--stale")
    assert "Nothing to rebuild" in capsys.readouterr().out


def test_what_was_tampered_with_shows_though_the_check_was_interrupted(house: House) -> None:
    _history(house)
    ItemState.objects.update(place="somewhere else")
    rebuilding.begin(projection.all_projections(), keep_digests=True)
    next(rebuilding.go_on())
    with pytest.raises(CommandError, match=r"custody\.ItemState"):
        call_command("rebuild")


def test_tables_of_another_schema_stand_still_until_rebuilt(house: House) -> None:
    _history(house)
    before = _digests()
    Cursor.objects.filter(projection="custody").update(schema="of another version")
    ItemState.objects.update(place="as that version had it")
    act(house, "other", "receive", [code("2")])
    house.settle()
    assert ItemState.objects.filter(place="as that version had it").count() == ItemState.objects.count()
    assert _projections_check().state == "failing"
    assert [fold.name for fold in rebuilding.stale()][:2] == ["custody", "audience"]
    call_command("rebuild", "--stale")
    house.settle()
    assert not ItemState.objects.filter(place="as that version had it").exists()
    assert _projections_check().state == "ok"
    assert _digests()["capture.PublishedEvent"] != before["capture.PublishedEvent"]


def test_control_of_the_schema_without_it_the_fold_goes_on_upon_old_rows(house: House) -> None:
    _history(house)
    ItemState.objects.update(place="as that version had it")
    act(house, "other", "receive", [code("2")])
    house.settle()
    places = set(ItemState.objects.values_list("place", flat=True))
    assert len(places) > 1  # half of each
    assert "as that version had it" in places


def _projections_check() -> Check:
    return next(check for check in health.judge(facts.gather()) if check.name == "projections")
