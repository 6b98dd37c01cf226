"""What must hold after a fault, wherever it fell: one check for all of them."""

from collections.abc import Iterable
from typing import Any

from .harness import Told


class BrokenPromiseError(AssertionError):
    """Something that was acknowledged or published is not there, or there are two of it."""


def promises(told: Told, after: Told) -> None:
    """Hold what a job told before its fault against what the next, normal start finds and makes of it.

    `after` is the job `restart`. BrokenPromiseError says which promise was broken.
    """
    _require(after.status == 0, "the next start fails")
    [left], [then] = after.of("left"), after.of("after")
    _require(not then["problems"], f"fsck: {then['problems']}")
    _require(not after.of("stuck") and then["waiting"] == 0, f"the log does not go on: {after.of('said')}")
    published = then["statements"]
    _require(len(published) == len(set(published)) == then["size"], "a statement is in the log twice")
    lost = told.acknowledged - set(published)
    _require(not lost, f"{len(lost)} acknowledged statements are lost")
    files = {value[1] for value in told.of("uploaded")} - set(then["files"])
    _require(not files, f"the bytes of an acknowledged upload are lost: {files}")
    seen = [*told.of("seen"), *left["roots"], *after.of("seen"), *then["roots"]]
    _one_root_per_size(seen)
    _marked_before_shown([*told.of("seen"), *left["roots"]], left["mark"])


def _one_root_per_size(seen: Iterable[list[Any]]) -> None:
    roots: dict[int, str] = {}
    for size, root in seen:
        _require(roots.setdefault(size, root) == root, f"two roots of size {size} were shown")


def _marked_before_shown(seen: list[list[Any]], mark: list[Any] | None) -> None:
    """What left the house is marked: otherwise a backup from between could be put back unnoticed."""
    largest = max(size for size, _ in seen)
    _require(mark is not None and mark[0] >= largest, f"size {largest} was shown and the mark says {mark}")


def _require(holds: bool, broken: str) -> None:
    if not holds:
        raise BrokenPromiseError(broken)
