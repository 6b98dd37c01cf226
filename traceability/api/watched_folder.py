"""A folder into which a partner's gateway (SFTP, AS2) puts files: each is taken in once it is whole, and put away.

done/    what was taken in, or was recorded already
failed/  what was refused, each with <name>.problem.json that lists every fault
"""

import fcntl
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from traceability.common import files

from .ingest import LATER, REFUSED, Outcome

DONE, FAILED = "done", "failed"
LOCK = ".dosetrail-lock"
_BEING_WRITTEN = (".part", ".tmp", ".filepart", ".crdownload", ".lock")

Take = Callable[[Path], Outcome]


class BusyError(Exception):
    """Somebody else watches this folder."""


@contextmanager
def watched(folder: Path) -> Iterator["Watched"]:
    """The folder, for one watcher at a time (flock, which a crash lets go); BusyError."""
    for name in (DONE, FAILED):
        (folder / name).mkdir(exist_ok=True)
    with (folder / LOCK).open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise BusyError(str(folder)) from error
        yield Watched(folder)


class Watched:
    """What was seen of the files at the last look: one that has not changed since then is whole."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._seen: dict[Path, tuple[int, int, int]] = {}

    def look(self) -> list[Path]:
        """The files that are whole, the oldest first; call it again after a pause."""
        now = {path: state for path in sorted(self.folder.iterdir()) if (state := _state(path)) is not None}
        whole = [path for path, state in now.items() if self._seen.get(path) == state]
        self._seen = now
        return sorted(whole, key=lambda path: (now[path][1], path.name))

    def settle(self, path: Path, take: Take) -> Outcome:
        """Take a file in and put it away.

        A crash in between leaves it where it was: it is taken again, and known by its bytes or its events.
        """
        outcome = take(path)
        if outcome.state == LATER:
            return outcome
        folder = self.folder / (FAILED if outcome.state == REFUSED else DONE)
        target = _free(folder / path.name)
        if outcome.state == REFUSED:
            text = json.dumps(outcome.problem, ensure_ascii=False, indent=1).encode()
            files.replace(target.with_name(target.name + ".problem.json"), [text])
        os.rename(path, target)
        files.sync_folder(folder)
        files.sync_folder(self.folder)
        self._seen.pop(path, None)
        return outcome


def _state(path: Path) -> tuple[int, int, int] | None:
    """Inode, time of change and size of a file that may be whole; None for all others, and for what has just gone."""
    name = path.name.lower()
    if name.startswith((".", "~")) or name.endswith(_BEING_WRITTEN):
        return None
    try:
        # A link could lead out of the folder: it is no file of the partner's.
        if path.is_symlink() or not path.is_file():
            return None
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size


def _free(path: Path) -> Path:
    """The path, or the first with a number before its suffix that is not taken: nothing is written over."""
    number, free = 1, path
    while free.exists() or free.with_name(free.name + ".problem.json").exists():
        free = path.with_name(f"{path.stem}.{number}{path.suffix}")
        number += 1
    return free
