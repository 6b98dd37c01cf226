"""A first-come-first-served lock over the threads of a process and the processes of a machine.

SQLite has one writer at a time and its busy handler is unfair: under load a writer can starve for seconds. Threads
queue here in order, then one thread per process waits for the file locks: the turnstile, and inside it the gate. A
process that leaves the gate and comes again finds the turnstile held by whoever waits; flock alone would let it barge.
"""

import fcntl
import os
import threading
from collections import deque


class WriteGate:
    """One gate per database file; `path` None = no other process can reach the database."""

    def __init__(self, path: str | None) -> None:
        self._path = path
        self._mutex = threading.Lock()
        self._waiting: deque[threading.Event] = deque()
        self._busy = False
        self._descriptors: tuple[int, int] | None = None  # turnstile, gate

    def acquire(self) -> None:
        turn: threading.Event | None = None
        with self._mutex:
            if self._busy:
                turn = threading.Event()
                self._waiting.append(turn)
            self._busy = True
        if turn is not None:
            turn.wait()  # release() hands the gate over still busy
        if self._path is not None:
            if self._descriptors is None:
                self._descriptors = _open(f"{self._path}.turn"), _open(self._path)
            turnstile, gate = self._descriptors
            fcntl.flock(turnstile, fcntl.LOCK_EX)
            fcntl.flock(gate, fcntl.LOCK_EX)
            fcntl.flock(turnstile, fcntl.LOCK_UN)

    def release(self) -> None:
        if self._descriptors is not None:
            fcntl.flock(self._descriptors[1], fcntl.LOCK_UN)
        with self._mutex:
            if self._waiting:
                self._waiting.popleft().set()
            else:
                self._busy = False


def _open(path: str) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


_gates: dict[str, WriteGate] = {}
_gates_mutex = threading.Lock()


def gate_for(database: str) -> WriteGate:
    """The gate of a database name as Django passes it to sqlite3; an in-memory one needs no file lock."""
    with _gates_mutex:
        if database not in _gates:
            in_memory = ":memory:" in database or "mode=memory" in database
            _gates[database] = WriteGate(None if in_memory else f"{database}.lock")
        return _gates[database]
