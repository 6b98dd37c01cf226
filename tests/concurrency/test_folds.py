"""Several workers fold at once: every entry is applied once, in order."""

from functools import partial
from typing import Any

from ledger import api as ledger
from tests.concurrency.conftest import at_once
from tests.integration.api.test_capture import observed
from tests.integration.conftest import House
from traceability.common import projection, rebuilding
from traceability.common.models import Cursor


def test_workers_at_once_give_what_one_gives(house: House, writer: Any) -> None:
    house.capture("pharmacy", *(observed(writer, str(number)) for number in range(1, 61)))
    while ledger.sequence_once():
        pass
    answers = at_once(*[projection.advance_all] * 4)
    assert all(isinstance(answer, int) for answer in answers), answers
    projection.advance_all()
    models = [model for fold in projection.all_projections() for model in fold.models]
    by_many = [projection.digest(model) for model in models]
    for fold in projection.all_projections():
        list(rebuilding.rebuild([fold]))
    assert [projection.digest(model) for model in models] == by_many
    assert set(Cursor.objects.values_list("position", flat=True)) == {ledger.published_size()}


def test_a_fold_that_is_not_locked_is_applied_twice(house: House, writer: Any, monkeypatch: Any) -> None:
    """The negative control: without the cursor's lock two workers read the same entries."""
    house.capture("pharmacy", observed(writer, "1"))
    house.settle()
    seen: list[int] = []
    fold = projection.Projection("unlocked", (), lambda entries: seen.extend(entry.index for entry in entries))
    monkeypatch.setattr(projection, "all_projections", lambda: [fold])

    def unlocked() -> None:
        fold.apply(projection.read_entries(0, 10))

    at_once(*[unlocked] * 2)
    assert len(seen) == 2 * len(set(seen))
    seen.clear()
    at_once(*[partial(projection.advance, fold, limit=10)] * 2)
    assert len(seen) == len(set(seen))
