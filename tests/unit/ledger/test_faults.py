"""What is called full, and what is not."""

import errno
import sqlite3

import pytest
from django.db import OperationalError

from ledger import faults


def caused(cause: Exception) -> Exception:
    error = OperationalError(str(cause))
    error.__cause__ = cause
    return error


def of_sqlite(code: int) -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("as SQLite words it")
    error.sqlite_errorcode = code
    return error


class OfPostgres(Exception):
    sqlstate = "53100"


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "no space"),
        OSError(errno.EDQUOT, "quota"),
        caused(of_sqlite(sqlite3.SQLITE_FULL)),
        caused(of_sqlite(sqlite3.SQLITE_IOERR_SHMSIZE)),
        caused(OfPostgres()),
    ],
)
def test_full(error: Exception) -> None:
    assert faults.is_full(error)
    assert "Free space" in faults.explain(error)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(errno.EIO, "broken"), "a file cannot be written"),
        (OSError(errno.EROFS, "read-only"), "a file cannot be written"),
        (caused(of_sqlite(sqlite3.SQLITE_IOERR_WRITE)), "the database fails"),
        (OperationalError("gone"), "the database fails"),
    ],
)
def test_not_full(error: Exception, words: str) -> None:
    assert not faults.is_full(error)
    assert words in faults.explain(error)
