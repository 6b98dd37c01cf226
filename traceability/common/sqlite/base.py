"""The database backend: each transaction enters through the write gate and leaves it when it ends.

With `transaction_mode` IMMEDIATE every `atomic()` is a write transaction, so the gate stands where no caller can
forget it: Django's own writes pass it too.
"""

from django.db.backends.sqlite3 import base

from .gate import WriteGate, gate_for


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's SQLite wrapper with the gate around BEGIN … COMMIT / ROLLBACK."""

    _held: WriteGate | None = None

    def _start_transaction_under_autocommit(self) -> None:
        gate = gate_for(str(self.settings_dict["NAME"]))
        gate.acquire()
        self._held = gate
        try:
            super()._start_transaction_under_autocommit()
        except BaseException:
            self._leave()
            raise

    def _commit(self) -> None:
        super()._commit()  # a failed commit is followed by a rollback, which leaves the gate
        self._leave()

    def _rollback(self) -> None:
        try:
            super()._rollback()
        finally:
            self._leave()

    def _close(self) -> None:
        try:
            super()._close()
        finally:
            self._leave()

    def _leave(self) -> None:
        if self._held is not None:
            held, self._held = self._held, None
            held.release()
