"""The original bytes of logger files in the default storage, named by their SHA-256."""

import hashlib

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from .models import storage_path


class OriginalError(Exception):
    """The stored bytes are missing or are not the ones that were uploaded."""


def digest(content: bytes) -> str:
    """The name of these bytes: their SHA-256 in lower-case hex."""
    return hashlib.sha256(content).hexdigest()


def keep(content: bytes) -> str:
    """Store the bytes, once per content; their SHA-256 in hex.

    They are on the disk when this returns (common/storage.py); only then the event that names them is captured. Bytes
    that are there already are written again: they may have been damaged, or their folder not synced for an error.
    """
    sha256 = digest(content)
    default_storage.save(storage_path(sha256), ContentFile(content))
    return sha256


def load(sha256: str) -> bytes:
    """The bytes with this hash. Raises OriginalError if they are missing or changed."""
    path = storage_path(sha256)
    if not default_storage.exists(path):
        raise OriginalError(f"the logger file {sha256} is not in the storage")
    content = _read(path)
    if digest(content) != sha256:
        raise OriginalError(f"the stored logger file {sha256} was changed")
    return content


def _read(path: str) -> bytes:
    with default_storage.open(path, "rb") as file:
        content: bytes = file.read()
    return content
