"""The projection runner: a cursor that is the log index, rebuilt to the same rows."""

from collections.abc import Sequence
from typing import Any

import pytest

from ledger import api as ledger
from traceability.common import documents, masterdata, projection, rebuilding
from traceability.common.models import Cursor, MasterVersion

pytestmark = pytest.mark.django_db


PARTY = "urn:dosetrail:party:test"
KEY = ledger.key_from_seed(b"k" * 32)


def _record(subject: str, name: str, key: ledger.SigningKey = KEY) -> None:
    content = {"@type": "MasterDataVersion", "subject": subject, "effectiveTime": 0, "content": {"name": name}}
    documents.record([documents.Draft(masterdata.KIND, content, PARTY, key)])


@pytest.fixture
def versions() -> None:
    ledger.initialise(operator_name="test")
    ledger.register_key(public=KEY.public, party_uri=PARTY)
    for name in ("first", "second"):
        _record("site:a", name)
        ledger.sequence_once()


@pytest.mark.usefixtures("versions")
def test_a_fold_reads_the_version_of_its_index() -> None:
    projection.advance(masterdata.MASTER_DATA)
    first, second = MasterVersion.objects.order_by("index")
    assert masterdata.at("site:a", first.index) == {"name": "first"}
    assert masterdata.at("site:a", second.index - 1) == {"name": "first"}
    assert masterdata.at("site:a", second.index) == {"name": "second"}
    assert masterdata.at("site:a", first.index - 1) is None
    assert masterdata.at_many(["site:a", "site:b"], second.index) == {"site:a": {"name": "second"}}


@pytest.mark.usefixtures("versions")
def test_a_version_that_no_registered_key_signed_is_passed_over() -> None:
    _record("site:a", "forged", key=ledger.generate_key())
    ledger.sequence_once()
    projection.advance(masterdata.MASTER_DATA)
    assert masterdata.at("site:a", 10**9) == {"name": "second"}


@pytest.mark.usefixtures("versions")
def test_applying_in_small_steps_gives_the_same_rows_as_at_once() -> None:
    while projection.advance(masterdata.MASTER_DATA, limit=1):
        pass
    by_steps = projection.digest(MasterVersion)
    list(rebuilding.rebuild([masterdata.MASTER_DATA]))
    assert projection.digest(MasterVersion) == by_steps
    assert Cursor.objects.get(projection="master-data").position == ledger.published_size()


@pytest.mark.usefixtures("versions")
def test_the_digest_sees_a_changed_row() -> None:
    projection.advance(masterdata.MASTER_DATA)
    before = projection.digest(MasterVersion)
    row = MasterVersion.objects.first()
    assert row is not None
    row.body = {"name": "forged"}
    row.save()
    assert projection.digest(MasterVersion) != before


@pytest.mark.usefixtures("versions")
def test_a_projection_waits_for_the_one_before_it(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    second = projection.Projection("second", (), lambda entries: seen.extend(entry.index for entry in entries))
    monkeypatch.setattr(projection, "all_projections", lambda: [masterdata.MASTER_DATA, second])
    assert projection.advance(second) == 0
    projection.advance_all()
    assert seen == list(range(ledger.published_size()))


@pytest.mark.usefixtures("versions")
def test_a_call_that_finds_nothing_new_costs_two_queries(django_assert_num_queries: Any) -> None:
    projection.advance_all()
    with django_assert_num_queries(2):
        assert projection.advance_all() == 0


@pytest.mark.usefixtures("versions")
def test_a_projection_that_fails_does_not_hold_back_those_before_it(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = True

    def fail(_: object) -> None:
        if broken:
            raise ZeroDivisionError

    folds = [masterdata.MASTER_DATA, projection.Projection("second", (), fail)]
    monkeypatch.setattr(projection, "all_projections", lambda: folds)
    broken = False
    projection.advance_all()
    _record("site:a", "third")
    ledger.sequence_once()
    broken = True
    with pytest.raises(ZeroDivisionError):
        projection.advance_all()
    position = dict(Cursor.objects.values_list("projection", "position"))
    assert position == {"master-data": ledger.published_size(), "second": ledger.published_size() - 1}
    broken = False
    projection.advance_all()
    assert set(Cursor.objects.values_list("position", flat=True)) == {ledger.published_size()}


def test_nothing_is_recorded_when_the_transaction_fails() -> None:
    ledger.initialise(operator_name="test")
    ledger.sequence_once()
    before = ledger.backlog()
    with pytest.raises(ledger.ClaimsError):
        documents.record(
            [documents.Draft(masterdata.KIND, {"no": object()}, "urn:dosetrail:party:test", ledger.generate_key())]
        )
    assert ledger.backlog() == before


@pytest.mark.usefixtures("versions")
def test_a_wide_batch_ends_where_its_content_is_large_and_misses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    size = ledger.published_size()
    assert len(projection.read_entries(0, projection.WIDE)) == size
    monkeypatch.setattr(projection, "BATCH", 1)
    monkeypatch.setattr(projection, "WIDE_BYTES", 1)
    read: list[int] = []
    batches = 0
    while entries := projection.read_entries(len(read), projection.WIDE):
        read += [entry.index for entry in entries]
        batches += 1
    assert read == list(range(size))
    assert 1 < batches < size  # entries without content ride along


@pytest.mark.usefixtures("versions")
def test_a_pass_reads_the_log_once_and_a_body_once_for_all_its_folds(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    read: list[object] = []
    published = ledger.published

    def counted(start: int, limit: int) -> list[ledger.PublishedEntry]:
        asked.append(start)
        return published(start, limit)

    def apply(entries: Sequence[projection.LogEntry]) -> None:
        for entry in entries:
            entry.read(read.append)

    monkeypatch.setattr(projection.ledger, "published", counted)
    folds = [projection.Projection(name, (), apply) for name in ("one", "two")]
    monkeypatch.setattr(projection, "all_projections", lambda: folds)
    projection.advance_all()
    assert (asked, len(read)) == ([0], ledger.published_size())
    Cursor.objects.all().delete()
    assert [projection.advance(one) for one in folds] == [ledger.published_size()] * 2
    assert (asked, len(read)) == ([0, 0, 0], 3 * ledger.published_size())  # without a pass each reads for itself
