"""Reading the published log: entries, positions, checkpoints, proofs and evidence bundles."""

from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from . import claims, models, operator_keys
from . import statement as statements
from .db_storage import HEAD_ID, chunks, read_tiles, to_checkpoint
from .storage import SignedCheckpoint
from .tlog import proof, tile

EVIDENCE_FORMAT = "dosetrail.evidence/1"


@dataclass(frozen=True, slots=True)
class PublishedEntry:
    """One published entry; `record_time_ms` is the ledger time of its batch."""

    index: int
    statement_hash: str
    statement: bytes
    record_time_ms: int


@dataclass(frozen=True, slots=True)
class Position:
    """Where the log holds a statement, and since when."""

    index: int
    record_time_ms: int


@dataclass(frozen=True, slots=True)
class PublishedCheckpoint:
    """A published checkpoint: `note` is the signed note verbatim, `tick` says that it repeats the size before."""

    size: int
    root: bytes
    note: str
    time_ms: int
    tick: bool = False


@dataclass(frozen=True, slots=True)
class EvidenceRequest:
    """What to show of one document: the claims whose name `names` accepts."""

    statement_hash: str
    document: Mapping[str, Any]
    secret: bytes
    names: Callable[[str], bool]


class NotPublishedError(LookupError):
    """A statement or index is not published (yet)."""


def published_size() -> int:
    """How many entries are published."""
    sizes = models.Head.objects.filter(pk=HEAD_ID).values_list("published_size", flat=True)
    return next(iter(sizes), 0)


def published(start: int, limit: int) -> list[PublishedEntry]:
    """The published entries from index `start`, at most `limit`, in order."""
    end = min(published_size(), start + limit)
    rows = models.Entry.objects.filter(index__gte=start, index__lt=end).order_by("index")
    return [
        PublishedEntry(index, name, bytes(data), time_ms)
        for index, name, data, time_ms in rows.values_list("index", "statement_hash", "statement", "record_time_ms")
    ]


def positions(hashes: Iterable[str], *, size: int | None = None) -> dict[str, Position]:
    """Where the published log (or its first `size` entries) holds these statements; those not published are absent."""
    size, found = published_size() if size is None else size, {}
    for part in chunks(list(hashes)):
        rows = models.Entry.objects.filter(statement_hash__in=part, index__lt=size)
        for name, index, time_ms in rows.values_list("statement_hash", "index", "record_time_ms"):
            found[name] = Position(index, time_ms)
    return found


def latest_checkpoint() -> PublishedCheckpoint | None:
    found = _checkpoints(1, None, ticks=True)
    return found[0] if found else None


def checkpoints(limit: int, before: int | None = None) -> list[PublishedCheckpoint]:
    """Published checkpoints, newest first, one for each size; `before` = only those of a smaller size."""
    return _checkpoints(limit, before, ticks=False)


def checkpoint_over(index: int) -> PublishedCheckpoint | None:
    """The first published checkpoint that covers the entry at `index`, or None while there is none."""
    row = models.Checkpoint.objects.filter(published=True, tick=False, size__gt=index).order_by("size", "id").first()
    return _published(to_checkpoint(row)) if row else None


def cosigned_note(published: PublishedCheckpoint) -> str:
    """The note of a checkpoint with the lines of the witnesses that cosigned it so far."""
    rows = models.Cosignature.objects.filter(size=published.size).order_by("witness")
    return published.note + "".join(rows.values_list("line", flat=True))


def final_size() -> int:
    """The size of the largest checkpoint that carries the witness quorum; 0 before the first."""
    return next(iter(models.Head.objects.filter(pk=HEAD_ID).values_list("final_size", flat=True)), 0)


def inclusion(index: int, size: int) -> list[bytes]:
    """The inclusion proof of an entry in the published tree of `size`, leaf's sibling first."""
    return inclusions([index], size)[index]


def inclusions(indexes: Sequence[int], size: int) -> dict[int, list[bytes]]:
    """`inclusion` for many entries with one look at the tiles."""
    if size > published_size():
        raise NotPublishedError(f"no tree of size {size} is published")
    plans = {index: proof.plan_inclusion(index, size) for index in indexes}
    read = _reader(plans.values())
    return {index: proof.carry_out(plan, read) for index, plan in plans.items()}


def consistency(size1: int, size2: int) -> list[bytes]:
    """The proof that the published tree of `size2` begins with that of `size1`."""
    plan = proof.plan_consistency(size1, size2)
    return proof.carry_out(plan, _reader([plan]))


def evidence(requests: Sequence[EvidenceRequest]) -> dict[str, Any]:
    """The evidence bundle of these statements (docs/formats.md), under a final checkpoint where that is recent enough.

    NotPublishedError when one is not published.
    """
    places = positions([request.statement_hash for request in requests])
    latest = _checkpoint_over(max((place.index for place in places.values()), default=0))
    missing = [request.statement_hash for request in requests if request.statement_hash not in places]
    if latest is None or missing:
        raise NotPublishedError(f"not published yet: {', '.join(missing) or 'the log'}")
    by_index = {places[request.statement_hash].index: request for request in requests}
    entries = _statements(list(by_index))
    parsed = {index: statements.parse(data) for index, data in entries.items()}
    kids = sorted({item.kid.hex() for item in parsed.values()})
    keys = _statements(operator_keys.key_entry_indexes(kids, latest.size))
    log_keys = _statements(operator_keys.log_key_entry_indexes(latest.size))
    paths = inclusions([*keys, *log_keys, *entries], latest.size)
    about_log_keys = [_entry(index, data, paths[index]) for index, data in sorted(log_keys.items())]
    return {
        "format": EVIDENCE_FORMAT,
        "origin": checkpoint_origin(latest),
        "checkpoint": cosigned_note(latest),
        "keys": [_entry(index, data, paths[index]) for index, data in sorted(keys.items())],
        **({"logKeys": about_log_keys} if about_log_keys else {}),
        "entries": [
            {**_entry(index, data, paths[index]), "claims": _claims(by_index[index], parsed[index].iss)}
            for index, data in sorted(entries.items())
        ],
    }


def checkpoint_origin(published: PublishedCheckpoint) -> str:
    """The origin in a checkpoint's first line."""
    return published.note.split("\n", 1)[0]


def tile_bytes(name: tile.TileName) -> bytes | None:
    """A published hash tile or entry bundle as its path asks for it; None when no published tree has it."""
    size = published_size()
    if name.width > tile.width_at(name.level, name.number, size):
        return None
    if name.level == tile.ENTRIES:
        start = name.number * tile.WIDTH
        return tile.pack_bundle(entry.statement for entry in published(start, name.width))
    row = read_tiles([(name.level, name.number)]).get((name.level, name.number), b"")
    return row[: name.width * 32]  # a partial tile is a prefix of the growing row


def _checkpoints(limit: int, before: int | None, *, ticks: bool) -> list[PublishedCheckpoint]:
    rows = models.Checkpoint.objects.filter(published=True)
    if not ticks:
        rows = rows.filter(tick=False)
    if before is not None:
        rows = rows.filter(size__lt=before)
    return [_published(to_checkpoint(row)) for row in rows.order_by("-id")[:limit]]


def _checkpoint_over(index: int) -> PublishedCheckpoint | None:
    """The newest final checkpoint if it covers `index` and lags no more than the MMD, else the newest of all.

    An older final one would hide what the log has said since, e.g. that a key was revoked.
    """
    latest = latest_checkpoint()
    final = final_size()
    if latest is None or not index < final < latest.size:
        return latest
    rows = models.Checkpoint.objects.filter(published=True, size=final).order_by("-id")[:1]
    for row in rows:
        if latest.time_ms - row.time_ms <= settings.LOG_MMD_SECONDS * 1000:
            return _published(to_checkpoint(row))
    return latest


def _published(item: SignedCheckpoint) -> PublishedCheckpoint:
    return PublishedCheckpoint(item.size, item.root, item.note, item.time_ms, item.tick)


def _reader(plans: Iterable[proof.Plan]) -> proof.ReadHash:
    tiles = read_tiles({tile.locate(node)[0] for plan in plans for nodes in plan for node in nodes})
    return lambda node: tile.read_node(node, tiles)


def _statements(indexes: Sequence[int]) -> dict[int, bytes]:
    rows: dict[int, bytes] = {}
    for part in chunks(indexes):
        found = models.Entry.objects.filter(index__in=part).values_list("index", "statement")
        rows.update({index: bytes(data) for index, data in found})
    return rows


def _claims(request: EvidenceRequest, iss: str) -> list[dict[str, Any]]:
    committed = claims.commit(request.document, secret=request.secret, party=iss)
    return claims.disclose(committed, request.names)


def _entry(index: int, data: bytes, path: Sequence[bytes]) -> dict[str, Any]:
    return {
        "index": index,
        "statement": b64encode(data).decode(),
        "inclusion": [b64encode(value).decode() for value in path],
    }
