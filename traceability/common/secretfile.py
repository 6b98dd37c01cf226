"""Secrets in files that only their owner can read."""

import os
import secrets
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from . import files


def read_secret(path: Path, *, minimum: int) -> bytes:
    """The secret in a file; ImproperlyConfigured when others can read it or it is shorter than `minimum` bytes."""
    if is_loose(path):
        raise ImproperlyConfigured(f"{path} must be readable by its owner only (chmod 600)")
    secret = path.read_bytes()
    if len(secret) < minimum:
        raise ImproperlyConfigured(f"{path} holds fewer than {minimum} bytes")
    return secret


def is_loose(path: Path) -> bool:
    """Whether others than its owner may read or change a secret; OSError when there is none.

    A credential of systemd is read through an access list, whose mask shows as the group's right to read.
    """
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    others = 0o037 if folder and path.parent == Path(folder) else 0o077
    return bool(path.stat().st_mode & others)


def read_or_create(path: Path, size: int = 32) -> bytes:
    """The `size` secret bytes in `path`, drawn on first use; safe when several processes start at once."""
    if not path.exists():
        draft = path.with_name(f"{path.name}.{os.getpid()}.tmp")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(size))
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)  # fails when another process was first: its secret is the one that stays
        except FileExistsError:
            pass
        finally:
            draft.unlink()
        # Without this a power cut could take the key away and leave the database that it opens.
        files.sync_folder(path.parent)
    return path.read_bytes()
