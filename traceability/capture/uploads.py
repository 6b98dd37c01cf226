"""The bytes of a document on their way in: few in memory, many in a file of the spool folder."""

import hashlib
import io
import os
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

from django.conf import settings

from traceability.common import files, storage_full
from traceability.common.problems import ProblemError

from .refusals import too_large

PART = ".part"
_CHUNK = 256 * 1024
# What a compressed body may grow to, beside the limit of every document: EPCIS shrinks about 20-fold.
MAX_RATIO = 200


@dataclass(frozen=True)
class Upload:
    """A document's bytes; `path` is where they lie, or None when they are in memory."""

    file: BinaryIO
    size: int
    sha256: str
    path: Path | None = None

    @classmethod
    def of(cls, file: BinaryIO) -> "Upload":
        """What a seekable file holds, which stays where it is."""
        file.seek(0)
        return cls(file, file.seek(0, io.SEEK_END), _digest(file))

    def keep(self, name: str) -> None:
        """Give the file of the spool folder its lasting name; it is on the disk when this returns."""
        if self.path is None:
            raise ValueError("these bytes are in memory")
        os.fsync(self.file.fileno())
        # Crash here: a part that nothing names, swept away later.
        os.replace(self.path, spooled(name))
        files.sync_folder(self.path.parent)


def spooled(name: str) -> Path:
    """Where the document of this job lies."""
    return Path(settings.CAPTURE_SPOOL_DIR) / name


@contextmanager
def received(chunks: Iterable[bytes]) -> Iterator[Upload]:
    """The bytes of a request, up to CAPTURE_MAX_BYTES; a file that was not kept goes when the block ends."""
    buffer, path, digest, size = io.BytesIO(), None, hashlib.sha256(), 0
    file: BinaryIO = buffer
    try:
        with storage_full.refused():
            for chunk in chunks:
                size += len(chunk)
                if size > settings.CAPTURE_MAX_BYTES:
                    raise too_large(f"a document has at most {settings.CAPTURE_MAX_BYTES} bytes")
                digest.update(chunk)
                if path is None and size > settings.CAPTURE_SPOOL_BYTES:
                    path = spooled(uuid4().hex + PART)
                    file = path.open("x+b")
                    file.write(buffer.getvalue())
                file.write(chunk)
            file.flush()
        yield Upload(file, size, digest.hexdigest(), path)
    finally:
        file.close()
        if path is not None:
            path.unlink(missing_ok=True)


def unpacked(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """What a body in gzip holds; ProblemError when it is none, or grows beyond reason."""
    inflate = zlib.decompressobj(wbits=31)
    taken = given = 0
    try:
        for chunk in chunks:
            taken += len(chunk)
            while chunk:
                piece = inflate.decompress(chunk, _CHUNK)
                given += len(piece)
                if given > max(taken * MAX_RATIO, _CHUNK):
                    raise too_large(f"the body grows more than {MAX_RATIO}-fold when unpacked")
                yield piece
                chunk = inflate.unconsumed_tail
                if inflate.eof and (chunk or inflate.unused_data):
                    raise _bad_gzip("something follows the compressed body")
    except zlib.error as error:
        raise _bad_gzip(str(error)) from error
    if not inflate.eof:
        raise _bad_gzip("it breaks off")


def _bad_gzip(why: str) -> ProblemError:
    return ProblemError(400, "gzip", f"the body is not one whole gzip stream: {why}", "ValidationException")


def _digest(file: BinaryIO) -> str:
    file.seek(0)
    digest = hashlib.sha256()
    while chunk := file.read(_CHUNK):
        digest.update(chunk)
    return digest.hexdigest()
