"""The write gate: one at a time, first come first served, over threads and processes."""

import fcntl
import os
import threading
from pathlib import Path

import pytest

from traceability.common.sqlite.gate import WriteGate


def test_threads_pass_in_the_order_in_which_they_came() -> None:
    gate, order = WriteGate(None), []
    gate.acquire()
    threads = []
    for number in range(8):
        thread = threading.Thread(target=lambda number=number: (gate.acquire(), order.append(number), gate.release()))
        thread.start()
        threads.append(thread)
        while len(gate._waiting) <= number:  # it stands in the queue before the next one comes
            pass
    gate.release()
    for thread in threads:
        thread.join(timeout=5)
    assert order == list(range(8))


@pytest.mark.parametrize("gated", [True, False])
def test_read_modify_write_loses_nothing_behind_the_gate(gated: bool) -> None:
    """Without the gate (the negative control) the same work loses updates."""
    gate, box, barrier = WriteGate(None), [0], threading.Barrier(4)

    def work() -> None:
        for _ in range(50):
            if gated:
                gate.acquire()
            else:
                barrier.wait()
            seen = box[0]
            if not gated:
                barrier.wait()
            box[0] = seen + 1
            if gated:
                gate.release()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=10)
    assert (box[0] == 200) is gated


def test_another_process_waits_on_the_file(tmp_path: Path) -> None:
    lock = tmp_path / "db.lock"
    gate = WriteGate(str(lock))
    gate.acquire()
    descriptor = os.open(lock, os.O_RDWR)
    with pytest.raises(BlockingIOError):
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)  # a descriptor of its own stands for another process
    gate.release()
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.close(descriptor)


def test_a_process_that_comes_again_goes_behind_those_who_wait(tmp_path: Path) -> None:
    assert [_entries_until_served(tmp_path / f"fair{turn}", fair=True) for turn in range(20)] == [1] * 20


def test_without_the_turnstile_it_barges_in(tmp_path: Path) -> None:
    assert max(_entries_until_served(tmp_path / f"unfair{turn}", fair=False) for turn in range(20)) > 1


def _entries_until_served(lock: Path, *, fair: bool) -> int:
    """How often a process enters again before one that waits is let in; two gates stand for two processes."""
    busy, waiting = WriteGate(str(lock)), WriteGate(str(lock))
    busy.acquire()
    served = threading.Event()
    thread = threading.Thread(target=lambda: (waiting.acquire(), served.set(), waiting.release()))
    thread.start()
    while not _is_locked(Path(f"{lock}.turn")):
        pass
    if not fair:
        assert busy._descriptors is not None
        busy._descriptors = (os.open(f"{lock}.other", os.O_RDWR | os.O_CREAT), busy._descriptors[1])
    entries = 0
    while not served.is_set():
        busy.release()
        busy.acquire()
        entries += 1
    busy.release()
    thread.join(timeout=5)
    return entries


def _is_locked(path: Path) -> bool:
    if not path.exists():
        return False
    descriptor = os.open(path, os.O_RDWR)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    else:
        return False
    finally:
        os.close(descriptor)
