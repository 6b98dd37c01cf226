"""The replica of somebody else's log, and what a witness remembers, on the ORM. Its tables are the log's own."""

from collections.abc import Iterable, Iterator

from django.db import transaction

from . import models
from .db_storage import DbStore, insert_entries, key_statements, read_tiles, to_checkpoint, write_tiles
from .follower import Growth
from .storage import LogHead, SignedCheckpoint
from .tlog.tile import Coordinate
from .witness import NOTHING, Cosigned


class DbReplica:
    """Follower's store on Django's default database; all its rows are the one log that is followed."""

    def head(self) -> LogHead:
        return DbStore().head()

    def tiles(self, coordinates: Iterable[Coordinate]) -> dict[Coordinate, bytes]:
        return read_tiles(coordinates)

    def newest_checkpoint(self) -> SignedCheckpoint | None:
        row = models.Checkpoint.objects.order_by("-id").first()
        return None if row is None else to_checkpoint(row)

    def key_statements(self) -> Iterator[tuple[int, bytes]]:
        return key_statements()

    def note_checkpoint(self, signed: SignedCheckpoint) -> None:
        with DbStore().write():
            models.Checkpoint.objects.create(
                size=signed.size, root=signed.root.hex(), note=signed.note, time_ms=signed.time_ms, tick=signed.tick
            )

    def grow(self, growth: Growth) -> None:
        with DbStore().write():
            insert_entries(growth.entries, growth.key_entries)
            write_tiles(growth.tiles)
            models.Head.objects.update(size=growth.size, root=growth.root.hex())
        # Crash here: copied and not shown; the next step goes on from the head.

    def publish(self) -> None:
        with DbStore().write():
            newest = self.newest_checkpoint()
            if newest is None:
                return
            models.Checkpoint.objects.filter(published=False).update(published=True)
            models.Head.objects.update(
                time_ms=newest.time_ms, published_size=newest.size, published_time_ms=newest.time_ms
            )
        # Crash before this commits: the copy is whole and readers see the last one; the next step publishes.


class DbWitnessStore:
    """WitnessStore on Django's default database."""

    def cosigned(self, origin: str) -> Cosigned:
        row = models.WitnessedLog.objects.filter(pk=origin).first()
        return NOTHING if row is None else Cosigned(row.size, bytes.fromhex(row.root), row.time_s, row.note)

    def advance(self, origin: str, old: Cosigned, new: Cosigned) -> bool:
        columns = {"size": new.size, "root": new.root.hex(), "time_s": new.time_s, "note": new.note}
        with transaction.atomic():
            if old == NOTHING:
                _, made = models.WitnessedLog.objects.get_or_create(origin=origin, defaults=columns)
                return made
            same = {"size": old.size, "root": old.root.hex(), "time_s": old.time_s}
            return models.WitnessedLog.objects.filter(origin=origin, **same).update(**columns) == 1
