"""The backup's container: messages in order, each compressed, encrypted and bound to all before it.

A magic line, the id of the key (8 bytes), the header of libsodium's secretstream (XChaCha20-Poly1305), then frames: a
length of four bytes, big-endian, and the ciphertext. A frame that is changed, left out, doubled or moved does not
decrypt; the last one carries the tag FINAL, so that a file that was cut off shows.
"""

import os
import secrets
import zlib
from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path
from typing import BinaryIO

from nacl import bindings
from nacl.exceptions import CryptoError

MAGIC = b"dosetrail-backup/1\n"
KEY_SIZE = bindings.crypto_secretstream_xchacha20poly1305_KEYBYTES
# A message holds about 1 MiB of rows; one row holds a document, which capture limits to 16 MiB.
MAX_FRAME = 64 * 1024 * 1024

_ID_SIZE = 8
_HEADER_SIZE = bindings.crypto_secretstream_xchacha20poly1305_HEADERBYTES
_MESSAGE = bindings.crypto_secretstream_xchacha20poly1305_TAG_MESSAGE
_FINAL = bindings.crypto_secretstream_xchacha20poly1305_TAG_FINAL
_KEY_MAGIC = "dosetrail-backup-key/1"


class BackupError(Exception):
    """The file, its key or the place to restore to is not what it must be; says what to do."""


def create_key(path: Path) -> None:
    """Draw a key and write it to a new file that only its owner can read; FileExistsError where there is one."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(f"{_KEY_MAGIC}\n{secrets.token_hex(KEY_SIZE)}\n")
        file.flush()
        os.fsync(file.fileno())


def read_key(path: Path) -> bytes:
    """The key in a file that `create_key` made; BackupError for any other, or one that others can read."""
    try:
        if path.stat().st_mode & 0o077:
            raise BackupError(f"{path} must be readable by its owner only (chmod 600)")
        magic, digits = path.read_text().splitlines()
        key = bytes.fromhex(digits)
    except (OSError, ValueError) as error:
        raise BackupError(f"{path} holds no backup key (manage.py backup_key makes one): {error}") from error
    if magic != _KEY_MAGIC or len(key) != KEY_SIZE:
        raise BackupError(f"{path} holds no backup key (manage.py backup_key makes one)")
    return key


class Writer:
    """Writes messages to a file; the one that is `final` ends it."""

    def __init__(self, file: BinaryIO, key: bytes) -> None:
        self._file = file
        self._state = bindings.crypto_secretstream_xchacha20poly1305_state()
        header = bindings.crypto_secretstream_xchacha20poly1305_init_push(self._state, key)
        self._bound = MAGIC + _key_id(key) + header  # to the first frame, and by its state to all
        file.write(self._bound)

    def write(self, message: bytes, *, final: bool = False) -> None:
        packed = zlib.compress(message, 1)
        if len(packed) > MAX_FRAME:
            raise BackupError(f"a row of {len(message)} bytes is larger than a backup takes")
        frame = bindings.crypto_secretstream_xchacha20poly1305_push(
            self._state, packed, self._bound, _FINAL if final else _MESSAGE
        )
        self._bound = b""
        self._file.write(len(frame).to_bytes(4, "big") + frame)


def read(file: BinaryIO, key: bytes) -> Iterator[bytes]:
    """The messages of a file in order; BackupError at the first byte that is not as it was written, and at its end."""
    bound = file.read(len(MAGIC) + _ID_SIZE + _HEADER_SIZE)
    if not bound.startswith(MAGIC) or len(bound) != len(MAGIC) + _ID_SIZE + _HEADER_SIZE:
        raise BackupError("this is no backup of this format")
    if bound[len(MAGIC) : len(MAGIC) + _ID_SIZE] != _key_id(key):
        raise BackupError("this backup was made with another key, or its first bytes were changed")
    state = bindings.crypto_secretstream_xchacha20poly1305_state()
    bindings.crypto_secretstream_xchacha20poly1305_init_pull(state, bound[-_HEADER_SIZE:], key)
    tag = _MESSAGE
    while tag != _FINAL:
        try:
            packed, tag = bindings.crypto_secretstream_xchacha20poly1305_pull(state, _frame(file), bound)
        except (CryptoError, ValueError) as error:
            raise BackupError(f"the backup was changed before byte {file.tell()}") from error
        bound = b""
        yield zlib.decompress(packed)
    if file.read(1):
        raise BackupError(f"something follows the backup's end at byte {file.tell() - 1}")


def _frame(file: BinaryIO) -> bytes:
    length = int.from_bytes(head := file.read(4), "big")
    if len(head) == 4 and length > MAX_FRAME + 1024:
        raise BackupError(f"the backup was changed before byte {file.tell()}")
    frame = file.read(length)
    if len(head) < 4 or len(frame) < length:
        raise BackupError(f"the backup was cut off at byte {file.tell()}")
    return frame


def _key_id(key: bytes) -> bytes:
    """Tells a wrong key from a changed file; says nothing about the key."""
    return blake2b(b"dosetrail/backup-key-id/1", key=key, digest_size=_ID_SIZE).digest()
