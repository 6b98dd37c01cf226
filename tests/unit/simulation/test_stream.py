"""Packs by the thousand: the same for a seed, each in its place, in bounded memory."""

import json
import tracemalloc
from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from traceability.epcis import validation
from traceability.simulation.plan import DAY, DAYS
from traceability.simulation.stream import PER_DOCUMENT, Batch, batches
from traceability.simulation.world import LARGE, SMALL

START_MS, FIRST_DAY = 1_793_548_800_000, date(2026, 11, 2)


def _told(packs: int, *, seed: int = 1, **more: Any) -> Iterator[Batch]:
    return batches(packs=packs, seed=seed, start_ms=START_MS, first_day=FIRST_DAY, **more)


def test_each_pack_is_made_packed_and_told_of_in_its_order() -> None:
    batch_list = list(_told(1_130, size=SMALL))
    assert batch_list[-1].packs == 1_130
    told = [event for batch in batch_list for event in batch.events]
    assert max(len(batch.events) for batch in batch_list) <= PER_DOCUMENT
    made = [epc for event in told if event["bizStep"] == "commissioning" for epc in event["epcList"]]
    packed = Counter(epc for event in told if event["bizStep"] == "packing" for epc in event["childEPCs"])
    assert len(made) == len(set(made)) == 1_130
    assert all(packed[epc] == 1 for epc in made)
    assert {event["bizStep"] for event in told} == {
        "commissioning", "packing", "inspecting", "shipping", "receiving", "unpacking", "dispensing",
    }  # fmt: skip
    when: dict[str, str] = {}
    for event in sorted(told, key=lambda one: one["eventTime"][:19]):  # all parties share an offset, Urumqi apart
        for epc in [*event.get("epcList", ()), *event.get("childEPCs", ())]:
            when.setdefault(epc, event["bizStep"])
    assert all(when[epc] == "commissioning" for epc in made)
    assert all(START_MS <= batch.at_ms < START_MS + (DAYS + 1) * DAY for batch in batch_list)


def test_a_seed_tells_the_same_and_shares_nothing_with_another() -> None:
    one, again, other = (list(_told(600, seed=seed, size=SMALL)) for seed in (3, 3, 4))
    assert one == again
    assert not _names(one) & _names(other)


def test_a_hundred_lots_need_no_more_memory_than_a_few() -> None:
    def peak(lots: int) -> int:
        tracemalloc.start()
        for _ in _told(lots * SMALL.packs, size=SMALL):
            pass
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    assert peak(40) < 1.5 * peak(10)


def test_a_large_lot_is_documents_of_a_hundred_events() -> None:
    first = list(_told(LARGE.packs))
    assert sum(len(batch.events) for batch in first if batch.events[0]["bizStep"] == "commissioning") >= 10
    assert first[-1].packs == LARGE.packs


def _names(told: list[Batch]) -> set[str]:
    return {
        epc
        for batch in told
        for event in batch.events
        for epc in [*event.get("epcList", ()), *event.get("childEPCs", ()), event.get("parentID")]
        if epc
    }


def test_the_command_writes_documents_that_the_door_takes(tmp_path: Path) -> None:
    file = tmp_path / "told.jsonl"
    call_command("simulate", packs=300, seed=7, to=str(file))
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert {line["party"] for line in lines} == {"huadong", "yangtze"}
    for line in lines:
        assert validation.validate_document(line["document"], cbv_compliant=True) == []
    with pytest.raises(FileExistsError):
        call_command("simulate", packs=300, seed=7, to=str(file))
    with pytest.raises(CommandError, match="10,000,000"):
        call_command("simulate", packs=0, seed=7)
