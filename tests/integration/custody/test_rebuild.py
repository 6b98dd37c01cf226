"""Rebuilding gives the same bytes, also after master data was edited, whatever the batch size."""

import pytest
from django.core.management import CommandError, call_command

from tests.integration.conftest import EXPIRY, LOT, House, code
from tests.integration.scans.test_record import CASE, act
from traceability.common import projection
from traceability.custody.models import ItemState
from traceability.parties import services as parties


def _history(house: House) -> None:
    act(house, "maker", "commission", [code("1"), code("2")], details={"lot": LOT, "expiry": EXPIRY.isoformat()})
    act(house, "maker", "pack", [code("1"), code("2")], details={"container": CASE})
    act(house, "maker", "ship", [CASE], details={"receiver": "pharmacy", "despatch": "DA1"})
    act(house, "pharmacy", "receive", [CASE])
    act(house, "pharmacy", "unpack", [CASE])
    act(house, "pharmacy", "dispense", [code("1")])
    act(house, "pharmacy", "undo", [code("1")], details={"reason": "mistake"})
    act(house, "maker", "recall", [f"(01)09521000001008(10){LOT}"], details={"reason": "impurity"})


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


def test_the_command_says_when_a_table_was_tampered_with(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    _history(house)
    call_command("rebuild", "--check")
    ItemState.objects.update(place="somewhere else")
    with pytest.raises(CommandError, match=r"custody\.ItemState"):
        call_command("rebuild", "--check")
    call_command("rebuild", "--check")
