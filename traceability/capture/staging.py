"""Signed events on their way into the database: few stay in memory, many lie in a temporary file meanwhile.

The file belongs to this process and has no name: a crash leaves nothing of it.
"""

import json
import tempfile
from base64 import b64decode, b64encode
from collections.abc import Iterator, Sequence
from itertools import islice
from types import TracebackType
from typing import Any

from traceability.common import documents
from traceability.common.models import Document

from .models import CapturedEvent

BATCH = 500
_IN_MEMORY = 4 * 1024 * 1024
_COLUMNS = ("statement_hash", "reporter", "event_id", "declaration", "content_sha256")


class Staging:
    """Rows and documents in the order in which they were added; read back in batches."""

    def __init__(self, folder: str) -> None:
        self._file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY, dir=folder)  # noqa: SIM115 (closed by __exit__)
        self.hashes: list[str] = []
        self.first_event_id = ""

    def __enter__(self) -> "Staging":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def add(self, rows: Sequence[CapturedEvent], signed: documents.Signed) -> None:
        """Two lines each: what is not the document, and the document, whose JSON has no line breaks."""
        for row, document, statement in zip(rows, signed.documents, signed.statements, strict=True):
            facts: list[Any] = [getattr(row, name) for name in _COLUMNS]
            facts += [document.kind, document.party, document.submitted_ms, document.annotation]
            facts += [b64encode(document.secret).decode(), b64encode(statement).decode()]
            self._file.write(json.dumps(facts).encode() + b"\n" + document.body + b"\n")
            self.first_event_id = self.first_event_id or row.event_id
            self.hashes.append(row.statement_hash)

    def batches(self) -> Iterator[tuple[list[CapturedEvent], documents.Signed]]:
        """All that was added, from the first on."""
        self._file.seek(0)
        while lines := list(islice(self._file, 2 * BATCH)):
            rows, signed = [], documents.Signed([], [])
            for facts, body in zip(lines[::2], lines[1::2], strict=True):
                *columns, kind, party, submitted_ms, annotation, secret, statement = json.loads(facts)
                row = CapturedEvent(**dict(zip(_COLUMNS, columns, strict=True)))
                rows.append(row)
                signed.statements.append(b64decode(statement))
                signed.documents.append(
                    Document(
                        statement_hash=row.statement_hash,
                        kind=kind,
                        party=party,
                        body=body[:-1],
                        secret=b64decode(secret),
                        submitted_ms=submitted_ms,
                        annotation=annotation,
                    )
                )
            yield rows, signed
