"""The power goes at any moment: what was acknowledged is there, what was shown is marked.

The real submit and the real sequencer are traced, and the disk as it would be found is made from the trace (`disk`).
With the database's synchronous=FULL nothing is lost; with NORMAL, and without each of our own syncs, the same check
finds the loss.
"""

import random
from collections.abc import Iterator

import pytest

from . import check
from .check import BrokenPromiseError
from .disk import STRACE, Disk, moments
from .harness import Told, Workshop

pytestmark = [pytest.mark.strace, pytest.mark.xdist_group("durability")]

SYNCS = {"fsync", "fdatasync"}


def work(workshop: Workshop, job: str = "work", **arguments: object) -> None:
    """Run a job on the founded house, traced."""
    workshop.renew()
    told = workshop.run(job, strace=STRACE, **arguments)
    assert told.status == 0
    assert not told.of("failed") + told.of("said")


def cut(workshop: Workshop, played: Disk, chance: random.Random | None = None) -> None:
    """Find the disk as it is when the power goes now, and start on it."""
    played.cut(workshop.folder, chance)
    check.promises(Told(list(played.told.messages), 0), workshop.run("restart"))


def answers(workshop: Workshop) -> Iterator[Disk]:
    """The disk just after each time that something was acknowledged or shown."""
    played = Disk(workshop.founded, workshop.folder)
    for name in moments(workshop.trace, played):
        if name == "sendto":
            yield played


def test_nothing_acknowledged_is_lost(workshop: Workshop) -> None:
    """After every answer with nothing unsynced left, and at some moments with whatever happened to be written."""
    work(workshop)
    told = [cut(workshop, played) for played in answers(workshop)]
    assert len(told) >= 7
    played, chance = Disk(workshop.founded, workshop.folder), random.Random(5)
    for _ in moments(workshop.trace, played):
        if chance.random() < 0.02:
            cut(workshop, played, chance)


@pytest.mark.long
def test_at_every_call(workshop: Workshop) -> None:
    """After every sync with nothing unsynced left, and after every call with whatever happened to be written."""
    work(workshop)
    played, chance = Disk(workshop.founded, workshop.folder), random.Random(7)
    for name in moments(workshop.trace, played):
        if name in SYNCS | {"sendto"}:
            cut(workshop, played)
        cut(workshop, played, chance)


def test_each_commit_is_there_with_full(workshop: Workshop) -> None:
    work(workshop, "capture_only", count=6, synchronous="FULL")
    told = [cut(workshop, played) for played in answers(workshop)]
    assert len(told) == 6


def test_each_commit_is_lost_with_normal(workshop: Workshop) -> None:
    """Negative control: the harness does take unsynced writes away."""
    work(workshop, "capture_only", count=6, synchronous="NORMAL")
    for played in answers(workshop):
        with pytest.raises(BrokenPromiseError, match="acknowledged statements are lost"):
            cut(workshop, played)


@pytest.mark.parametrize(
    ("carelessness", "broken"),
    [
        ("marks without syncing", "was shown and the mark says"),
        ("uploads without syncing", "the bytes of an acknowledged upload are lost"),
    ],
)
def test_without_a_sync_of_ours_the_check_finds_the_loss(workshop: Workshop, carelessness: str, broken: str) -> None:
    def cut_after_every_answer() -> None:
        for played in answers(workshop):
            cut(workshop, played)

    work(workshop, careless=carelessness)
    with pytest.raises(BrokenPromiseError, match=broken):
        cut_after_every_answer()
