"""Making a backup, and restoring one into an empty house."""

import os
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cbor2
from django.core.management import call_command
from django.db import connection
from nacl.exceptions import CryptoError
from nacl.secret import SecretBox

from ledger import api as ledger
from traceability.common import contents
from traceability.common.clock import now_ms
from traceability.common.files import sync_folder

from . import files, sealed_file, tables
from .sealed_file import BackupError
from .tables import Tally

FORMAT = "dosetrail.backup/1"
Progress = Callable[[str, int, int], None]  # what is counted, how many are done, of how many


@dataclass(frozen=True)
class Summary:
    """What a backup holds: its header, rows and files by number, its size in bytes."""

    header: Mapping[str, Any]
    rows: int
    files: int
    notes: Sequence[str] = field(default_factory=list)  # what was put back where

    def __str__(self) -> str:
        log = self.header["log"]
        return (
            f"{log['size']} entries of {log['vkey'].split('+')[0]}, root {b64encode(log['root']).decode()}, "
            f"{self.rows} rows, {self.files} files"
        )


def make(path: Path, key: bytes, progress: Progress = lambda what, done, total: None) -> Summary:
    """Write a backup of this house to `path` while it runs. Nothing is at `path` until it is whole and on disk."""
    draft = path.with_name(f"{path.name}.part")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        writer = sealed_file.Writer(file, key)
        with tables.snapshot():
            header, tallies = _header(), {}
            writer.write(cbor2.dumps(["header", header]))
            total, done = sum(header["tables"].values()), 0
            for model in tables.kept_models():
                tally = tallies[model._meta.label] = Tally()
                for message in tables.messages(_tallied(tables.read_rows(model), tally)):
                    writer.write(cbor2.dumps(["rows", model._meta.label, message]))
                    done += len(message)
                    progress("rows", done, total)
        # A file is stored before the row that names it: the snapshot's files are all there, and perhaps newer ones.
        count = _write_files(writer, progress)
        end = {label: [tally.rows, tally.total.to_bytes(32, "big")] for label, tally in tallies.items()}
        writer.write(cbor2.dumps(["end", end]), final=True)
        file.flush()
        os.fsync(file.fileno())
    # Crash here: an unnamed part is left, which the next backup of this name writes over.
    os.replace(draft, path)
    sync_folder(path.parent)
    return Summary(header, sum(tally.rows for tally in tallies.values()), count)


def restore(path: Path, key: bytes, progress: Progress = lambda what, done, total: None) -> Summary:
    """Load a backup into an empty house, bring it up to this code, and check the log and every table.

    BackupError when the house is not empty, or the file not as it was written; then the database stays empty.
    """
    with path.open("rb") as file:
        messages = _decoded(sealed_file.read(file, key))
        kind, header = next(messages)
        if kind != "header" or header.get("format") != FORMAT:
            raise BackupError(f"this is no {FORMAT}")
        registry = tables.migrate_to([(app, name) for app, name in header["migrations"]])
        models = {model._meta.label: model for model in tables.kept_models(registry)}
        with tables.loading():
            loaded = _Loader(models, sum(header["tables"].values()), progress)
            tables.empty_made_by_migrate(list(models.values()))
            for kind, *rest in messages:
                loaded.take(kind, *rest)
            loaded.check()
            _check_seals(models, loaded.kept.get("key-encryption-key"))
            tables.reset_sequences(list(models.values()))
            notes = [said for name, content in loaded.kept.items() if (said := files.write_kept(name, content))]
        # Crash here: loaded, and perhaps not yet brought up to this code (manage.py migrate does it) nor checked
        # (manage.py fsck). Nothing is signed before somebody has decided how the log goes on.
    call_command("migrate", verbosity=0)
    tables.analyse()
    _check_log(header["log"], progress)
    return Summary(header, loaded.done, loaded.files, notes)


class _Loader:
    """Takes a backup's messages into the database and the file storage."""

    def __init__(self, models: Mapping[str, Any], total: int, progress: Progress) -> None:
        self.done = self.files = 0
        self.kept: dict[str, bytes] = {}
        self._models = models
        self._total = total
        self._progress = progress
        self._tallies: dict[str, Tally] = {label: Tally() for label in models}
        self._end: Mapping[str, Sequence[Any]] = {}

    def take(self, kind: str, *rest: Any) -> None:
        if kind == "rows":
            label, rows = rest
            for row in rows:
                self._tallies[label].add(row)
            tables.write_rows(self._models[label], rows)
            self.done += len(rows)
            self._progress("rows", self.done, self._total)
        elif kind == files.UPLOADED:
            files.write_uploaded(*rest)
            self.files += 1
        elif kind == files.KEPT:
            name, content = rest
            self.kept[name] = content
            self.files += 1
        elif kind == "end":
            (self._end,) = rest
        else:
            raise BackupError(f"the backup holds a {kind!r}, which this version does not know")

    def check(self) -> None:
        """The rows written are those that were read, and those that the database gives back."""
        for label, (rows, total) in self._end.items():
            found = self._tallies[label]
            if (found.rows, found.total) != (rows, int.from_bytes(total, "big")):
                raise BackupError(f"{label}: the backup ends with another sum of its rows than they have")
        checked = 0
        for label, model in self._models.items():
            stored = Tally()
            for row in tables.read_rows(model):
                stored.add(row)
                if stored.rows % 1000 == 0:
                    self._progress("rows checked", checked + stored.rows, self._total)
            checked += stored.rows
            self._progress("rows checked", checked, self._total)
            if stored != self._tallies[label]:
                raise BackupError(f"{label}: the database gives other rows back than were written to it")


def _header() -> dict[str, Any]:
    latest = ledger.latest_checkpoint()
    return {
        "format": FORMAT,
        "madeMs": now_ms(),
        "database": connection.vendor,
        "migrations": [list(one) for one in tables.applied_migrations()],
        "tables": {model._meta.label: model._base_manager.count() for model in tables.kept_models()},
        "log": {
            "vkey": ledger.vkey(),
            "size": latest.size if latest else 0,
            "root": latest.root if latest else b"",
            "checkpoint": latest.note if latest else "",
        },
    }


def _tallied(rows: Iterator[bytes], tally: Tally) -> Iterator[bytes]:
    for row in rows:
        tally.add(row)
        yield row


def _write_files(writer: sealed_file.Writer, progress: Progress) -> int:
    count = 0
    for name in files.uploaded():
        writer.write(cbor2.dumps([files.UPLOADED, name, files.read_uploaded(name)]))
        count += 1
        progress("files", count, count)
    for name, content in files.read_kept():
        writer.write(cbor2.dumps([files.KEPT, name, content]))
        count += 1
    return count


def _decoded(messages: Iterator[bytes]) -> Iterator[Any]:
    return map(cbor2.loads, messages)


def _check_seals(models: Mapping[str, Any], encryption_key: bytes | None) -> None:
    """A house whose keys do not open can answer and never sign again: better to hear of it now."""
    for label, model in models.items():
        if "sealed_seed" not in tables.columns(model):
            continue
        for sealed in model._base_manager.exclude(sealed_seed=None).values_list("sealed_seed", flat=True).iterator():
            if not sealed:
                continue  # of a log key that was retired
            try:
                SecretBox((encryption_key or b"")[:32]).decrypt(bytes(sealed))
            except (CryptoError, ValueError) as error:
                raise BackupError(f"a key in {label} does not open with the backup's key-encryption-key") from error


def _check_log(log: Mapping[str, Any], progress: Progress) -> None:
    problems = (
        ledger.fsck(lambda done, total: progress("log checked", done, total))
        or contents.check(lambda done, total: progress("content checked", done, total)).problems
    )
    if problems:
        raise BackupError(f"{len(problems)} problems (manage.py fsck names them); the first: {problems[0]}")
    latest = ledger.latest_checkpoint()
    if latest is not None and (latest.size, latest.root) != (log["size"], log["root"]):
        raise BackupError("the restored log has another newest checkpoint than the backup's header says")
