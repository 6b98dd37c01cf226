"""The files of a house: those uploaded into the default storage, and the secrets and the policy that settings name."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from traceability.common import files as durable

from .sealed_file import BackupError

UPLOADED, KEPT = "uploaded", "kept"
# A file goes into one message: an upload has at most DATA_UPLOAD_MAX_MEMORY_SIZE bytes, 16 MiB.


def uploaded(folder: str = "") -> Iterator[str]:
    """The names of all files in the default storage, folder by folder."""
    try:
        folders, names = default_storage.listdir(folder)
    except FileNotFoundError:
        return  # nothing was uploaded yet
    yield from (f"{folder}{name}" for name in sorted(names))
    for name in sorted(folders):
        yield from uploaded(f"{folder}{name}/")


def read_uploaded(name: str) -> bytes:
    with default_storage.open(name, "rb") as file:
        content: bytes = file.read()
    return content


def read_kept() -> Iterator[tuple[str, bytes]]:
    """Name and content of the secrets and the policy."""
    for name, path in _kept().items():
        if path.exists():
            yield name, path.read_bytes()


def write_uploaded(name: str, content: bytes) -> None:
    """Store an uploaded file under its name; BackupError where another one has it."""
    if default_storage.exists(name):
        if read_uploaded(name) == content:
            return  # a restore that died was here before, or only the database was lost
        raise BackupError(f"the file storage holds another {name}: restore into an empty data folder")
    if default_storage.save(name, ContentFile(content)) != name:
        raise BackupError(f"the file storage would not take the name {name}")


def write_kept(name: str, content: bytes) -> str:
    """Put a secret or the policy back; what was done in words, "" when it was there already.

    Another one in its place was made when settings were first read, and nothing is sealed under it in an empty
    database; it is set aside all the same.
    """
    path = _kept().get(name)
    if path is None:
        raise BackupError(f"settings.KEPT_FILES has no place for {name}")
    if path.exists() and path.read_bytes() == content:
        return ""
    said = f"{path} put back"
    try:
        return _put(path, content, said)
    except OSError as error:
        raise BackupError(
            f"{path} is not the backup's {name} and cannot be written ({error}). Restore into a folder of the embedded"
            f" size first, and put {name} from there in this place"
        ) from error


def _put(path: Path, content: bytes, said: str) -> str:
    if path.exists():
        os.replace(path, aside := path.with_name(f"{path.name}.before-restore"))
        said += f"; the one that was there is now {aside.name}"
    # Crash here: the secret is absent; the next start would draw one and the next restore put this one back.
    durable.replace(path, [content], mode=0o600)
    return said


def _kept() -> Mapping[str, Path]:
    found: Mapping[str, Path] = settings.KEPT_FILES
    return found
