"""Shipments matched by content: receipts that do not name a despatch and took in its goods. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

DAY_MS = 86_400_000
WINDOW_MS = 60 * DAY_MS  # a receipt later than this after the despatch is of another journey
SKEW_MS = 3_600_000  # the receiver's clock may be slow by so much


@dataclass(frozen=True)
class Despatch:
    """What left and has not been received under its own number; `receivers` empty = none was named."""

    key: str
    senders: frozenset[str]
    receivers: frozenset[str]
    goods: frozenset[str]
    time_ms: int


@dataclass(frozen=True)
class Receipt:
    """What one event took in: each thing with the containers around it, the thing itself included.

    `reporters`: all URIs of the party that recorded it; `sender` as it names one, '' for none.
    """

    index: int
    reporters: frozenset[str]
    sender: str
    goods: Mapping[str, frozenset[str]]
    time_ms: int


@dataclass(frozen=True)
class Match:
    """That a receipt took in things of a despatch without naming it."""

    index: int
    things: frozenset[str]


def match(despatches: Iterable[Despatch], receipts: Iterable[Receipt]) -> dict[str, list[Match]]:
    """The receipts of each despatch by its key, in the order of the log; despatches without one are left out.

    A thing that travelled several times belongs to the newest despatch before its receipt that fits both parties.
    """
    naming: dict[str, list[Despatch]] = defaultdict(list)
    for despatch in despatches:
        for thing in despatch.goods:
            naming[thing].append(despatch)
    found: dict[str, list[Match]] = defaultdict(list)
    for receipt in sorted(receipts, key=lambda one: one.index):
        taken: dict[str, set[str]] = defaultdict(set)
        for thing, around in receipt.goods.items():
            fitting = [one for name in around for one in naming.get(name, ()) if _fits(one, receipt)]
            if fitting:
                taken[max(fitting, key=lambda one: (one.time_ms, one.key)).key].add(thing)
        for key, things in taken.items():
            found[key].append(Match(receipt.index, frozenset(things)))
    return dict(found)


def _fits(despatch: Despatch, receipt: Receipt) -> bool:
    if not despatch.time_ms - SKEW_MS <= receipt.time_ms <= despatch.time_ms + WINDOW_MS:
        return False
    if despatch.receivers and not despatch.receivers & receipt.reporters:
        return False
    return not receipt.sender or not despatch.senders or receipt.sender in despatch.senders
