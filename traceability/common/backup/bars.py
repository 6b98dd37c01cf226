"""Progress bars for work that counts several things one after the other."""

from types import TracebackType
from typing import Any, TextIO

from tqdm import tqdm


class Bars:
    """One bar at a time, on a terminal; a new one when something else is counted."""

    def __init__(self, file: Any) -> None:
        self._file: TextIO = file
        self._bar: tqdm[Any] | None = None
        self._what = ""

    def show(self, what: str, done: int, total: int) -> None:
        if self._bar is None or self._what != what:
            self._close()
            self._what = what
            self._bar = tqdm(unit=f" {what}", file=self._file, disable=None, dynamic_ncols=True)
        self._bar.total = total
        self._bar.update(done - self._bar.n)

    def __enter__(self) -> "Bars":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.close()
