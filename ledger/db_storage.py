"""The ORM behind the Protocols of `storage`, and the high-water file."""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from django.db import connection, transaction

from . import models
from .sequencer import RefusedError
from .storage import Batch, LogHead, Mark, SequencedEntry, SignedCheckpoint, Submitted
from .tlog import note, tile
from .tlog.errors import NoteError
from .tlog.merkle import EMPTY_ROOT
from .tlog.tile import WIDTH, Coordinate, TileName

HEAD_ID = 1
# Values per IN (…): below what any supported database takes as parameters of one query.
CHUNK = 900

T = TypeVar("T")


class DbStore:
    """The store on Django's default database; all its rows are the one log."""

    def head(self) -> LogHead:
        return _head(models.Head.objects.filter(pk=HEAD_ID).first())

    @contextmanager
    def write(self) -> Iterator["DbTransaction"]:
        with transaction.atomic():
            row = models.Head.objects.select_for_update().filter(pk=HEAD_ID).first()
            if row is None:
                models.Head.objects.get_or_create(pk=HEAD_ID, defaults={"root": EMPTY_ROOT.hex()})
                row = models.Head.objects.select_for_update().get(pk=HEAD_ID)
            yield DbTransaction(row)

    def tiles(self, coordinates: Iterable[Coordinate]) -> dict[Coordinate, bytes]:
        return read_tiles(coordinates)


class DbTransaction:
    """A write transaction that holds the head row."""

    def __init__(self, row: models.Head) -> None:
        self._row = row

    def head(self) -> LogHead:
        return _head(self._row)

    def newest_checkpoint(self) -> SignedCheckpoint | None:
        row = models.Checkpoint.objects.order_by("-id").first()
        return None if row is None else to_checkpoint(row)

    def key_statements(self) -> Iterator[tuple[int, bytes]]:
        return key_statements()

    def waiting(self, limit: int) -> Sequence[Submitted]:
        rows = models.Submission.objects.order_by("id").values_list("id", "statement")[:limit]
        return [Submitted(number, bytes(statement)) for number, statement in rows]

    def known(self, hashes: Sequence[str]) -> set[str]:
        return sequenced(hashes)

    def tiles(self, coordinates: Iterable[Coordinate]) -> dict[Coordinate, bytes]:
        return read_tiles(coordinates)

    def append(self, batch: Batch) -> None:
        insert_entries(batch.entries, batch.key_entries)
        write_tiles(batch.tiles)
        for ids in chunks(batch.taken):
            models.Submission.objects.filter(pk__in=ids).delete()
        signed = batch.checkpoint
        models.Checkpoint.objects.create(
            size=signed.size, root=signed.root.hex(), note=signed.note, time_ms=signed.time_ms, tick=signed.tick
        )
        self._row.size, self._row.root, self._row.time_ms = signed.size, signed.root.hex(), signed.time_ms
        self._row.save(update_fields=["size", "root", "time_ms"])

    def publish(self) -> None:
        models.Checkpoint.objects.filter(published=False).update(published=True)
        self._row.published_size, self._row.published_time_ms = self._row.size, self._row.time_ms
        self._row.save(update_fields=["published_size", "published_time_ms"])


class HighWaterFile:
    """The mark as three lines of text: vkey, size, root in hex. Written beside, fsynced and renamed over."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> Mark | None:
        try:
            text = self._path.read_text()
        except FileNotFoundError:
            return None
        try:
            vkey, size, root = text.splitlines()
            note.parse_vkey(vkey)
            return Mark(vkey, int(size), bytes.fromhex(root))
        except (ValueError, NoteError) as error:
            raise RefusedError(f"{self._path} is not a high-water mark: put the right file back") from error

    def write(self, mark: Mark) -> None:
        draft = self._path.with_name(self._path.name + ".tmp")
        with open(draft, "w") as file:
            file.write(f"{mark.vkey}\n{mark.size}\n{mark.root.hex()}\n")
            file.flush()
            os.fsync(file.fileno())
        # Crash here: the old mark stands, which a database ahead of it may pass.
        os.replace(draft, self._path)
        # Crash here: the new mark stands, after a power cut perhaps the old one; nobody has seen the checkpoint yet.
        self._sync_folder()

    def set_aside(self) -> None:
        mark = self.read()
        if mark is not None:
            os.replace(self._path, self._path.with_name(f"{self._path.name}.{mark.root.hex()[:16]}"))
            # Crash here: no mark, which a log that has published nothing may have.
            self._sync_folder()

    def _sync_folder(self) -> None:
        folder = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


class DbReader:
    """Everything there is, row by row, for the checker."""

    def head(self) -> LogHead:
        return DbStore().head()

    def entries(self, start: int, end: int | None = None) -> Iterator[SequencedEntry]:
        found = models.Entry.objects.filter(index__gte=start).order_by("index")
        if end is not None:
            found = found.filter(index__lt=end)
        rows = found.values_list("index", "statement_hash", "statement", "record_time_ms")
        for index, statement_hash, statement, time_ms in rows.iterator(chunk_size=4096):
            yield SequencedEntry(index, statement_hash, bytes(statement), time_ms)

    def key_entries(self) -> Mapping[int, Sequence[str]]:
        found: dict[int, list[str]] = {}
        for index, kid in models.KeyEntry.objects.order_by("id").values_list("index", "kid"):
            found.setdefault(index, []).append(kid)
        return found

    def tile_paths(self) -> Iterable[str]:
        return list(models.Tile.objects.order_by("path").values_list("path", flat=True))

    def tiles(self, coordinates: Iterable[Coordinate]) -> dict[Coordinate, bytes]:
        return read_tiles(coordinates)

    def checkpoints(self) -> Iterator[SignedCheckpoint]:
        for row in models.Checkpoint.objects.order_by("id").iterator(chunk_size=1000):
            yield to_checkpoint(row)


def read_tiles(coordinates: Iterable[Coordinate]) -> dict[Coordinate, bytes]:
    """The stored rows of tiles, as wide as they are; one query per 900."""
    places = {tile_key(place): place for place in coordinates}
    found: dict[Coordinate, bytes] = {}
    for paths in chunks(list(places)):
        rows = models.Tile.objects.filter(path__in=paths).values_list("path", "hashes")
        found.update({places[path]: bytes(hashes) for path, hashes in rows})
    return found


def key_statements() -> Iterator[tuple[int, bytes]]:
    """The entries about keys, in order of index; one query per 900."""
    for indexes in chunks(sorted(set(models.KeyEntry.objects.values_list("index", flat=True)))):
        rows = models.Entry.objects.filter(index__in=indexes).order_by("index")
        yield from ((index, bytes(data)) for index, data in rows.values_list("index", "statement"))


def insert_submissions(hashes: Sequence[str], items: Sequence[bytes]) -> None:
    """Queue statements in this order, each that does not wait already."""
    into = f"INTO {models.Submission._meta.db_table} (statement_hash, statement)"
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            rows = "SELECT * FROM unnest(%s::text[], %s::bytea[])"
            cursor.execute(f"INSERT {into} {rows} ON CONFLICT DO NOTHING", [list(hashes), list(items)])
        else:
            pairs = list(zip(hashes, items, strict=True))
            cursor.executemany(f"INSERT OR IGNORE {into} VALUES (%s, %s)", pairs)  # noqa: S608 (names in code)


def insert_entries(entries: Sequence[SequencedEntry], key_entries: Mapping[int, Sequence[str]]) -> None:
    """Write new entries and the index of those about keys."""
    into = f'INTO {models.Entry._meta.db_table} ("index", statement_hash, statement, record_time_ms)'
    rows = [(entry.index, entry.statement_hash, entry.statement, entry.record_time_ms) for entry in entries]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            columns = [list(column) for column in zip(*rows, strict=True)]
            values = "SELECT * FROM unnest(%s::bigint[], %s::text[], %s::bytea[], %s::bigint[])"
            cursor.execute(f"INSERT {into} {values}", columns or [[], [], [], []])
        else:
            cursor.executemany(f"INSERT {into} VALUES (%s, %s, %s, %s)", rows)  # noqa: S608 (names in code)
    models.KeyEntry.objects.bulk_create(
        models.KeyEntry(index=index, kid=kid) for index, kids in key_entries.items() for kid in kids
    )


def write_tiles(tiles: Mapping[Coordinate, bytes]) -> None:
    """Write new tiles and the grown rows of partial ones."""
    models.Tile.objects.bulk_create(
        [models.Tile(path=tile_key(place), hashes=hashes) for place, hashes in tiles.items()],
        update_conflicts=True,
        unique_fields=["path"],
        update_fields=["hashes"],
    )


def sequenced(hashes: Sequence[str]) -> set[str]:
    """Which statements have an index already."""
    found: set[str] = set()
    for part in chunks(hashes):
        found.update(models.Entry.objects.filter(statement_hash__in=part).values_list("statement_hash", flat=True))
    return found


def tile_key(place: Coordinate) -> str:
    """A tile's primary key: the path of the full tile."""
    return tile.format_path(TileName(place[0], place[1], WIDTH))


def to_checkpoint(row: models.Checkpoint) -> SignedCheckpoint:
    return SignedCheckpoint(row.size, bytes.fromhex(row.root), row.note, row.time_ms, row.tick, row.published)


def chunks(values: Sequence[T]) -> Iterator[Sequence[T]]:
    """Slices short enough for one IN (…)."""
    for start in range(0, len(values), CHUNK):
        yield values[start : start + CHUNK]


def _head(row: models.Head | None) -> LogHead:
    if row is None:
        return LogHead(0, EMPTY_ROOT, 0, 0, 0)
    return LogHead(row.size, bytes.fromhex(row.root), row.time_ms, row.published_size, row.published_time_ms)
