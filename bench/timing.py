"""How long something takes, the best of a few times."""

import sys
import time
from collections.abc import Callable


def best(what: str, act: Callable[[], object], times: int = 3) -> tuple[str, str]:
    """A row: the shortest of `times`, seconds by the wall clock and the processor time of this process in it."""
    found = []
    for _ in range(times):
        started, spent = time.perf_counter(), time.process_time()
        act()
        found.append((time.perf_counter() - started, time.process_time() - spent))
    wall, cpu = min(found)
    sys.stderr.write(f"{what}: {wall:.2f} s ({cpu:.2f})\n")
    return f"{what}: best of {times}, s (CPU of ours)", f"{wall:.2f} ({cpu:.2f})"
