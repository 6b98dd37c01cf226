"""A first-come-first-served lock over the threads of a process and the processes of a machine.

SQLite has one writer at a time and its busy handler is unfair: under load a writer can starve for seconds. Threads
queue here in order, then one thread per process waits for the file lock.
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
        self._descriptor: int | None = None

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
            if self._descriptor is None:
                self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(self._descriptor, fcntl.LOCK_EX)

    def release(self) -> None:
        if self._descriptor is not None:
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)
        with self._mutex:
            if self._waiting:
                self._waiting.popleft().set()
            else:
                self._busy = False


_gates: dict[str, WriteGate] = {}
_gates_mutex = threading.Lock()


def gate_for(database: str) -> WriteGate:
    """The gate of a database name as Django passes it to sqlite3; an in-memory one needs no file lock."""
    with _gates_mutex:
        if database not in _gates:
            in_memory = ":memory:" in database or "mode=memory" in database
            _gates[database] = WriteGate(None if in_memory else f"{database}.lock")
        return _gates[database]
