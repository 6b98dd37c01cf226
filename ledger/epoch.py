"""A new epoch: the log goes on under a new origin and key when nobody has what it lost (docs/backup-and-recovery.md).

Entries keep index, bytes and record time; only entry 0 is another: a genesis of the same root and registrar keys that
says which log this one continues, how large that was when it was last seen, and how much of it was kept.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import transaction

from . import keyring, models, operator_keys, writer
from . import statement as statements
from .db_replica import DbReplica
from .db_storage import HEAD_ID, read_tiles, write_tiles
from .sequencer import RefusedError
from .statement import key_from_seed
from .tlog import checkpoint, merkle, note, proof, tile
from .tlog.checkpoint import Checkpoint
from .tlog.errors import NoteError, TlogError
from .tlog.merkle import HASH_SIZE
from .tlog.tile import WIDTH, Coordinate


@dataclass(frozen=True, slots=True)
class Begun:
    """What began: the new vkey, how many entries it kept, and the last checkpoint of the log that it continues."""

    vkey: str
    kept: int
    last: Checkpoint


def begin(origin: str, *, last_file: Path | None = None) -> Begun:
    """Begin the new epoch in one transaction; the caller holds the election and has found the log clean.

    `last_file`: a checkpoint of the old log that a witness or follower kept, where it is newer than all that is known
    here. RefusedError where the origin cannot be the new one, or the file is of another log.
    """
    old = operator_keys.log_verifiers()
    _check_origin(origin, old[-1].name)
    with transaction.atomic():
        head = models.Head.objects.select_for_update().get(pk=HEAD_ID)
        last, signed = _last(old[-1].name, last_file)
        key = key_from_seed(secrets.token_bytes(32))
        genesis = _genesis(origin, last, signed, kept=head.size)
        _replace_first(genesis)
        tiles = with_first(head.size, read_tiles(_left_edge(head.size)), merkle.leaf_hash(genesis))
        write_tiles(tiles)
        root = proof.root_at(head.size, _reader(tiles))
        _archive(last, signed, kept=head.size)
        operator_keys.replace_log_keys(key, origin=origin)
        _sign(head, checkpoint.Checkpoint(origin, head.size, root), key.seed)
    # Crash here: signed under the new key and not published. Settling sets the old log's mark aside, and publishes.
    writer.make_sequencer().settle()
    writer.notify(writer.PUBLISHED)
    return Begun(str(operator_keys.log_verifier()), head.size, last)


def with_first(size: int, tiles: Mapping[Coordinate, bytes], leaf: bytes) -> dict[Coordinate, bytes]:
    """The tiles of a tree whose first leaf is another: the first hash of the first tile of each level."""
    changed: dict[Coordinate, bytes] = {}
    level, first = 0, leaf
    while size >> (8 * level):
        row = first + tiles[level, 0][HASH_SIZE:]
        changed[level, 0] = row
        if len(row) < WIDTH * HASH_SIZE:
            break
        first = merkle.perfect_root(tile.split_hashes(row))
        level += 1
    return changed


def _check_origin(origin: str, old: str) -> None:
    try:
        note.check_name(origin)
    except NoteError as error:
        raise RefusedError(f"{origin!r} is no origin (a URL without scheme): {error}") from error
    if origin == old or models.PastLog.objects.filter(origin=origin).exists():
        raise RefusedError(f"{origin} is an origin that this house has signed for; a new epoch has a new one")


def _last(old: str, file: Path | None) -> tuple[Checkpoint, str]:
    """The largest checkpoint of the old log that is known here, and its note."""
    newest = DbReplica().newest_checkpoint()
    if newest is None:
        raise RefusedError("nothing was published yet: there is no log to continue")
    known = [(Checkpoint(old, newest.size, newest.root), newest.note)]
    mark = writer.high_water().read()
    if mark is not None and note.parse_vkey(mark.vkey).name == old:
        tree = Checkpoint(old, mark.size, mark.root)
        # The mark stands for a checkpoint that was signed; Ed25519 signs the same text to the same bytes.
        first, *more = (signer.key.seed for signer in operator_keys.log_signers())
        known.append((tree, checkpoint.sign(tree, seed=first, also=more)))
    if file is not None:
        data = file.read_bytes()
        try:
            signed = note.verify(data, [operator_keys.verifier_of(row) for row in operator_keys.log_key_rows()])
            known.append((checkpoint.parse(signed.text), data.decode()))
        except TlogError as error:
            raise RefusedError(f"{file} is no checkpoint that the log's key signed: {error}") from error
    return max(known, key=lambda one: one[0].size)


def _genesis(origin: str, last: Checkpoint, signed: str, *, kept: int) -> bytes:
    before = statements.parse(bytes(models.Entry.objects.values_list("statement", flat=True).get(index=0)))
    content = {**keyring.json_object(before), "origin": origin}
    continues: dict[str, Any] = {
        "origin": last.origin, "size": last.size, "root": last.root.hex(), "checkpoint": signed, "kept": kept,
    }  # fmt: skip
    if "continues" in content:  # not the first new epoch: the older ones stay told
        continues["continues"] = content["continues"]
    return operator_keys.root_statement("genesis", {**content, "continues": continues})


def _replace_first(genesis: bytes) -> None:
    changed = models.Entry.objects.filter(index=0).update(
        statement=genesis, statement_hash=statements.statement_hash(genesis)
    )
    if changed != 1:
        raise RefusedError("there is no entry 0")


def _left_edge(size: int) -> list[Coordinate]:
    return [(level, 0) for level in range(9) if size >> (8 * level)]


def _reader(changed: Mapping[Coordinate, bytes]) -> proof.ReadHash:
    def node(where: proof.Node) -> bytes:
        place = tile.locate(where)[0]
        return tile.read_node(where, {place: changed[place]} if place in changed else read_tiles([place]))

    return node


def _archive(last: Checkpoint, signed: str, *, kept: int) -> None:
    """Keep what the old log signed where nobody is served it as this one's, and forget who cosigned it."""
    origin = last.origin
    vkeys = "".join(f"{operator_keys.verifier_of(row)}\n" for row in operator_keys.log_key_rows())
    models.PastLog.objects.create(
        origin=origin, vkeys=vkeys, size=last.size, root=last.root.hex(), note=signed, kept=kept,
        ended_ms=operator_keys.now_ms(),
    )  # fmt: skip
    rows = models.Checkpoint.objects.filter(tick=False).order_by("id").values_list("size", "note", "time_ms")
    models.PastCheckpoint.objects.bulk_create(
        (models.PastCheckpoint(origin=origin, size=size, note=text, time_ms=at_ms) for size, text, at_ms in rows),
        batch_size=500,
    )
    for model in (models.Checkpoint, models.Cosignature, models.WitnessContact):
        model.objects.all().delete()


def _sign(head: models.Head, tree: Checkpoint, seed: bytes) -> None:
    """The first checkpoint of the new log, not published yet; the head is that of a log which published nothing."""
    time_ms = max(operator_keys.now_ms(), head.time_ms + 1)
    models.Checkpoint.objects.create(
        size=tree.size, root=tree.root.hex(), note=checkpoint.sign(tree, seed=seed), time_ms=time_ms
    )
    head.root, head.time_ms = tree.root.hex(), time_ms
    head.published_size = head.published_time_ms = head.final_size = 0
    head.save()
