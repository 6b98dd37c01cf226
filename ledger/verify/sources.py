"""Where a log is read from: an address, or a folder in C2SP layout. The shell around the pure checks."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path

from ledger.follower import Remote, UnreachableError
from ledger.tlog import note, tile
from ledger.tlog.merkle import HASH_SIZE
from ledger.tlog.tile import ENTRIES, WIDTH, TileName

from .whole_log import Batch, Judge, Judged

AHEAD = 32  # tiles and bundles that are on their way
THREADS = 8


class UnreadableError(UnreachableError):
    """A file of a folder is not there or cannot be read."""


class Folder:
    """Remote. A mirror on disk: `checkpoint` and `tile/…` below a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def checkpoint(self) -> bytes:
        return self._read(self._folder / "checkpoint", note.MAX_NOTE_SIZE)

    def tile(self, name: TileName) -> bytes:
        path = self._path(name)
        if name.width < WIDTH and not path.exists():  # a partial one may be gone once the full one is there
            path = self._path(TileName(name.level, name.number, WIDTH))
        data = self._read(path, WIDTH * (2 + tile.MAX_ENTRY_SIZE))
        return data if name.level == ENTRIES else data[: name.width * HASH_SIZE]

    def _path(self, name: TileName) -> Path:
        return self._folder / "tile" / tile.format_path(name)

    def _read(self, path: Path, limit: int) -> bytes:
        try:
            with path.open("rb") as file:
                data = file.read(limit + 1)
        except OSError as error:
            raise UnreadableError(str(error)) from error
        if len(data) > limit:
            raise UnreadableError(f"{path} holds more than {limit} bytes")
        return data


class ReadAhead:
    """Remote. Fetches in threads what will be asked for next."""

    def __init__(self, remote: Remote, pool: ThreadPoolExecutor) -> None:
        self._remote = remote
        self._pool = pool
        self._names: Iterator[TileName] = iter(())
        self._coming: dict[TileName, Future[bytes]] = {}

    def expect(self, names: Iterable[TileName]) -> None:
        """What will be asked for, in order."""
        self._names = iter(names)
        self._top_up()

    def checkpoint(self) -> bytes:
        return self._remote.checkpoint()

    def tile(self, name: TileName) -> bytes:
        coming = self._coming.pop(name, None)
        self._top_up()
        return self._remote.tile(name) if coming is None else coming.result()

    def _top_up(self) -> None:
        while len(self._coming) < AHEAD and (name := next(self._names, None)) is not None:
            self._coming[name] = self._pool.submit(self._remote.tile, name)


def open_log(where: str, token: str = "") -> Remote:
    """The log at an address (http:// or https://) or in a folder."""
    if not where.startswith(("http://", "https://")):
        return Folder(Path(where))
    from ledger.http import HttpRemote  # what reads files only runs where there is no network at all

    return HttpRemote(where, token=token)


@contextmanager
def reading_ahead(remote: Remote) -> Iterator[ReadAhead]:
    """A log that is read ahead; what is still on its way at the end is dropped."""
    pool = ThreadPoolExecutor(THREADS, thread_name_prefix="fetch")
    try:
        yield ReadAhead(remote, pool)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


@contextmanager
def judging(jobs: int) -> Iterator[Judge]:
    """What judges batches in so many processes, a few batches at a time, in order; one needs no other process."""
    if jobs == 1:
        yield map
        return
    # Processes that start from nothing: forking one that has threads may deadlock.
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:

        def judge(function: Callable[[Batch], Judged], batches: Iterable[Batch]) -> Iterator[Judged]:
            under_way: deque[Future[Judged]] = deque()
            for batch in batches:
                under_way.append(pool.submit(function, batch))
                if len(under_way) > 2 * jobs:
                    yield under_way.popleft().result()
            while under_way:
                yield under_way.popleft().result()

        try:
            yield judge
        finally:
            pool.shutdown(cancel_futures=True)
