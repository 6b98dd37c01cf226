"""Files that outlast a power cut: written beside, synced, renamed over, and the folder synced."""

import errno
import os
from collections.abc import Iterable
from pathlib import Path
from uuid import uuid4

from django.core.exceptions import ImproperlyConfigured


def replace(path: Path, chunks: Iterable[bytes], *, mode: int = 0o666) -> None:
    """Put a file with this content at `path`: readers see the old one or the new one, never a part. OSError.

    `mode` is for open(2): a secret's is 0o600.
    """
    draft = path.with_name(f"{path.name}.{uuid4().hex}.tmp")
    try:
        with open(draft, "xb", opener=lambda name, flags: os.open(name, flags, mode)) as file:
            for chunk in chunks:
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
        # Crash here: a draft that nothing names; the old file stands.
        os.replace(draft, path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)
    # Crash here: the new file stands, for good.


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable: a file's own sync does not."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def data_folder(path: Path) -> Path:
    """The data folder, made where there is none; ImproperlyConfigured when it cannot be written."""
    try:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)  # the salts of claims lie in the database
        if not os.access(path, os.W_OK | os.X_OK):
            code = errno.EROFS if os.statvfs(path).f_flag & os.ST_RDONLY else errno.EACCES
            raise OSError(code, os.strerror(code))
    except OSError as error:
        raise ImproperlyConfigured(
            f"the data folder {path} cannot be written: {error.strerror}. Mount it writable and let it belong to the"
            " user that Dosetrail runs as, or name another folder in DOSETRAIL_DATA_DIR"
        ) from error
    return path
