"""What kind of fault an error of the disk or the database is, in words for the operator. PURE."""

import errno
import sqlite3

# The second: the index of the write-ahead log could not grow; "may indicate that the volume is out of space"
# (https://www.sqlite.org/rescode.html#ioerr_shmsize).
_FULL_SQLITE = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_SHMSIZE}
_FULL_ERRNO = {errno.ENOSPC, errno.EDQUOT}
_FULL_SQLSTATE = "53100"  # PostgreSQL: disk_full


def is_full(error: BaseException) -> bool:
    """Whether an error, or one that caused it, says that there is no room left where something is stored."""
    found: BaseException | None = error
    while found is not None:
        if isinstance(found, OSError) and found.errno in _FULL_ERRNO:
            return True
        if getattr(found, "sqlite_errorcode", None) in _FULL_SQLITE:
            return True
        if getattr(found, "sqlstate", None) == _FULL_SQLSTATE:
            return True
        found = found.__cause__
    return False


def explain(error: Exception) -> str:
    """What the operator can do about an error that keeps the log from being written."""
    if is_full(error):
        return f"there is no room left ({error}). Free space on the disk of the database and of the data folder"
    if isinstance(error, OSError):
        return f"a file cannot be written ({error}). See to the data folder: its disk, its owner, its mount"
    return f"the database fails ({error})"
