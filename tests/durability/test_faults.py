"""Every write, sync and rename of the real submit and sequencer fails once (EIO), or is where the process dies.

strace does both, to the product's own code on SQLite. One table says what comes of a fault at which file; `check` says
what must hold after any of them. A selection runs with the suite, every single call with `make test-long`.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pytest

from . import check
from .check import BrokenPromiseError
from .harness import Call, Told, Workshop, calls

pytestmark = [pytest.mark.strace, pytest.mark.xdist_group("durability")]

CALLS = "pwrite64,write,fsync,fdatasync,rename"
DEAD = 9  # the wait status of a process that was killed

# What comes of EIO at a file: the caller is refused and tries again; the sequencer says so and starts over; or nobody
# notices, because what failed is done again later. A commit is either a caller's or the sequencer's.
REFUSED, SAID, UNNOTICED = "refused", "said", "unnoticed"
TABLE: dict[str, set[str]] = {
    "write-ahead log": {REFUSED, SAID},
    # It is also synced before it is copied back.
    "write-ahead log, sync": {REFUSED, SAID, UNNOTICED},
    # Written when the log is copied back into it, which is done again as long as it has not succeeded.
    "database": {UNNOTICED},
    # Shared memory of the processes; made anew when the first one opens the database.
    "index": {REFUSED, SAID},
    "mark": {SAID},
    "upload": {REFUSED},
    # After the mark's rename, after an upload's, and SQLite's own when it made the write-ahead log (which it ignores).
    "folder": {REFUSED, SAID, UNNOTICED},
}


@dataclass(frozen=True)
class Point:
    """The `number`-th call of a name, and what it was about when nothing failed."""

    call: str
    number: int
    file: str


def file_of(call: Call) -> str:
    """The table's word for the file of a call."""
    if call.path.endswith("-wal"):
        return "write-ahead log" if call.name == "pwrite64" else "write-ahead log, sync"
    if call.path.endswith("-shm"):
        return "index"
    if call.path.endswith(".sqlite3"):
        return "database"
    if call.path.startswith("/log-high-water"):
        return "mark"
    return "upload" if call.path.endswith(".tmp") else "folder"


@pytest.fixture(scope="module")
def points(workshop: Workshop) -> Sequence[Point]:
    """All calls of a run in which nothing fails."""
    told = workshop.run("work", strace=["-e", f"trace={CALLS}"])
    assert told.status == 0
    assert not told.of("failed") + told.of("said")
    check.promises(told, workshop.run("restart"))
    numbers: Counter[str] = Counter()
    found = []
    for call in calls(workshop.trace, workshop.folder):
        numbers[call.name] += 1
        if call.path:
            found.append(Point(call.name, numbers[call.name], file_of(call)))
    assert {point.file for point in found} == set(TABLE)
    return found


def fail(workshop: Workshop, point: Point, how: str, **arguments: object) -> Told:
    """A run in which this call fails; the number of writes differs a little between runs, so the file may too."""
    workshop.renew()
    options = ["-e", f"trace={CALLS}", "-e", f"inject={point.call}:{how}:when={point.number}"]
    return workshop.run("work", strace=options, **arguments)


def outcome(told: Told) -> str:
    if told.of("failed"):
        return REFUSED
    return SAID if told.of("said") else UNNOTICED


def with_an_error(workshop: Workshop, point: Point) -> None:
    told = fail(workshop, point, "error=EIO")
    hit = [call for call in calls(workshop.trace, workshop.folder) if call.injected]
    assert told.status == 0, "a process died of an error"
    for call in hit:  # none when the run had fewer calls this time
        assert outcome(told) in TABLE[file_of(call)], (call.line[:200], told.of("failed"), told.of("said"))
    check.promises(told, workshop.run("restart"))


def with_a_kill(workshop: Workshop, point: Point) -> None:
    told = fail(workshop, point, "signal=KILL")
    assert told.status in {DEAD, 0}
    check.promises(told, workshop.run("restart"))


def spread(points: Sequence[Point], each: int) -> Iterator[Point]:
    """Of every kind of call at every kind of file, some: first, last, and evenly between."""
    kinds: dict[tuple[str, str], list[Point]] = defaultdict(list)
    for point in points:
        kinds[point.call, point.file].append(point)
    for found in kinds.values():
        step = max(1, (len(found) - 1) // (each - 1))
        yield from found[::step][:each]


def test_an_error_at_any_kind_of_call(workshop: Workshop, points: Sequence[Point]) -> None:
    for point in spread(points, 2):
        with_an_error(workshop, point)


def test_death_at_any_kind_of_call(workshop: Workshop, points: Sequence[Point]) -> None:
    for point in spread(points, 2):
        with_a_kill(workshop, point)


@pytest.mark.long
def test_an_error_at_every_call(workshop: Workshop, points: Sequence[Point]) -> None:
    for point in points:
        with_an_error(workshop, point)


@pytest.mark.long
def test_death_at_every_call(workshop: Workshop, points: Sequence[Point]) -> None:
    for point in points:
        with_a_kill(workshop, point)


@pytest.mark.parametrize(
    ("carelessness", "broken"),
    [
        ("shows before it marks", "was shown and the mark says"),
        ("answers before it commits", "acknowledged statements are lost"),
    ],
)
def test_the_check_notices_a_careless_order(
    workshop: Workshop, points: Sequence[Point], carelessness: str, broken: str
) -> None:
    """Negative control: with the order of two steps turned round, a death between them breaks a promise."""
    file = {"shows before it marks": "mark", "answers before it commits": "write-ahead log"}[carelessness]

    def die_everywhere() -> None:
        for point in [point for point in points if point.file == file][:40]:
            told = fail(workshop, point, "signal=KILL", careless=carelessness)
            check.promises(told, workshop.run("restart"))

    with pytest.raises(BrokenPromiseError, match=broken):
        die_everywhere()
