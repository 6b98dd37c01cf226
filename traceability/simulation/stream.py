"""The demo world's way of life for any number of packs, lot after lot, in bounded memory. Pure: a seed gives the same.

No incident is planted, and everybody's own software sends EPCIS. Lots are ten thousand packs in cases of a hundred;
each is followed to its end before the next one begins, so that times go up within a lot only.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from random import Random
from typing import Any

from .plan import Action, Planner
from .world import LARGE, Lot, Party, Size, World, make_lot, make_world, sscc_references

PER_DOCUMENT = 100
_STARTS = 600  # lots begin within so many minutes of one of six days


@dataclass(frozen=True)
class Batch:
    """Events that a party sends as one document, when it does, and how many packs have been followed with it."""

    party: str
    at_ms: int
    events: list[dict[str, Any]]
    packs: int


def batches(*, packs: int, seed: int, start_ms: int, first_day: date, size: Size = LARGE) -> Iterator[Batch]:
    """What happens to `packs` packs; the last lot may be smaller than the others."""
    planner = _Quiet(make_world(seed=seed, first_day=first_day), seed=seed, start_ms=start_ms, size=size)
    done = 0
    for number, lot in enumerate(_lots(planner.world, packs, seed, first_day, size)):
        planner.lot(number % _STARTS, lot)
        done += len(lot.packs)
        yield from _by_party(planner.plan.actions, done)
        planner.forget()


def _by_party(actions: Sequence[Action], packs: int) -> Iterator[Batch]:
    """The actions' events in documents of some, each sent with its last event."""
    found: list[Batch] = []
    open_: dict[str, Batch] = {}
    for action in sorted(actions, key=lambda one: one.at_ms):
        for event in action.data.get("events", ()):  # loggers are left out: their files are no EPCIS
            batch = open_.get(action.party)
            if batch is None or len(batch.events) == PER_DOCUMENT:
                batch = Batch(action.party, action.at_ms, [], packs)
            batch = open_[action.party] = replace(batch, at_ms=action.at_ms)
            batch.events.append(event)
            if len(batch.events) == PER_DOCUMENT:
                found.append(batch)
    found += [batch for batch in open_.values() if len(batch.events) < PER_DOCUMENT]
    return iter(sorted(found, key=lambda one: (one.at_ms, one.party)))


def _lots(world: World, packs: int, seed: int, first_day: date, size: Size) -> Iterator[Lot]:
    random, references = Random(f"dosetrail/stream/{seed}"), sscc_references(seed)
    items = list(world.items.values())
    for number in range(-(-packs // size.packs)):
        item = items[number % len(items)]
        name = f"{item.id[:2].upper()}{seed}-{number:05d}"
        left = replace(size, packs=min(size.packs, packs - number * size.packs))
        expiry = first_day + timedelta(days=420 + number % 12 * 30)
        yield make_lot(item, name, expiry, random=random, references=references, size=left)


class _Quiet(Planner):
    """Plans without incidents and forgets each lot when it is told."""

    def __init__(self, world: World, *, seed: int, start_ms: int, size: Size) -> None:
        super().__init__(replace(world, lots=[]), seed=seed, start_ms=start_ms, size=size)

    def forget(self) -> None:
        """Keep nothing of what was planned but who has a sealed container in stock."""
        for kept in (self.plan.actions, self.plan.unpacked, self.plan.sold):
            kept.clear()

    def _do(
        self, party: Party, step: str, by_epcis: list[dict[str, Any]], scan: dict[str, Any], at_ms: int,
        *, keys: Sequence[str],
    ) -> None:  # fmt: skip
        self._post(party, by_epcis, at_ms, keys=keys)
