"""Submission receipts that were kept: which of their statements the log failed to publish in time (omission)."""

import json
from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .tlog import merkle, note
from .tlog.errors import NoteError
from .tlog.note import Verifier

FORMAT = "dosetrail.submission-receipt/1"
MAX_RECEIPT = 16 * 1024 * 1024
GRACE_MS = 10_000  # what clocks may differ, beyond the promised delay


@dataclass(frozen=True, slots=True)
class Overdue:
    """A receipt and those of its statements that the log does not hold."""

    receipt: dict[str, Any]
    missing: list[str]


class ReceiptError(ValueError):
    """A file is no receipt that the log signed."""


def overdue(
    inbox: Path, keys: Sequence[Verifier], *, now_ms: int, held: Callable[[Sequence[str]], set[str]]
) -> Iterator[Overdue]:
    """The receipts in a folder (`*.json`) whose time has run out; those that were kept move to its `published/`.

    A receipt that the log's key did not sign moves to `refused/`: it proves nothing.
    """
    for path in sorted(inbox.glob("*.json")):
        try:
            receipt = read(path.read_bytes(), keys)
        except (ReceiptError, OSError):
            _move(path, "refused")
            continue
        missing = sorted(set(receipt["statements"]) - held(receipt["statements"]))
        if not missing:
            _move(path, "published")
        elif now_ms > max(receipt["time"], _seen_ms(path)) + receipt["mmdSeconds"] * 1000 + GRACE_MS:
            yield Overdue(receipt, missing)


def read(data: bytes, keys: Sequence[Verifier]) -> dict[str, Any]:
    """The receipt in a file; ReceiptError unless one of `keys` signed exactly what it says."""
    try:
        receipt = json.loads(data[:MAX_RECEIPT])
        signed = note.verify(receipt["note"].encode(), keys)
        statements = [bytes.fromhex(name) for name in receipt["statements"]]
        root = b64encode(merkle.root_of(statements)).decode()
        words = [FORMAT, receipt["origin"], receipt["time"], receipt["mmdSeconds"], len(statements), root]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, NoteError) as error:
        raise ReceiptError(f"not a receipt that the log signed: {error}") from error
    if signed.text != "".join(f"{word}\n" for word in words) or type(receipt["time"]) is not int:
        raise ReceiptError("the receipt's members are not what was signed")
    return dict(receipt)


def _seen_ms(path: Path) -> int:
    return path.stat().st_mtime_ns // 1_000_000


def _move(path: Path, folder: str) -> None:
    target = path.parent / folder
    target.mkdir(exist_ok=True)
    path.replace(target / path.name)
