"""Catching up with this house's own log from those who followed it, after an older copy of its database was restored.

What a follower holds beyond the database was signed by our key and published: the log can only go on after it. Every
hash is checked against the newest checkpoint that anybody shows, exactly as a follower checks a stranger's log.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any

from django.conf import settings
from django.core.management.color import no_style
from django.db import connection, transaction
from django.db.models import Model
from django.utils.module_loading import import_string

from . import http, keyring, models, operator_keys, writer
from . import statement as statements
from .content import Content, Source, is_signed
from .db_replica import DbReplica
from .db_storage import HEAD_ID, chunks
from .follower import Finding, Follower, Growth, LogLiedError, UnreachableError
from .sequencer import RefusedError
from .statement import PRIVATE_KINDS, Statement
from .storage import LogHead, Mark, SequencedEntry
from .tlog import note, proof, tile
from .tlog.checkpoint import Checkpoint
from .tlog.errors import TileError, TlogError
from .tlog.policy import Policy
from .tlog.tile_tree import TileTree

Progress = Callable[[int, int], None]


class ForkError(Exception):
    """Two histories, both signed by our key. `evidence` holds both checkpoints."""

    def __init__(self, one: "Shown", other: "Shown") -> None:
        super().__init__(
            f"{one.where} holds {one.tree.size} entries and {other.where} {other.tree.size}, and the one is no"
            " continuation of the other: both were signed by this log's key. Nothing was changed; keep both as evidence"
        )
        self.evidence = {one.where: one.note, other.where: other.note}


@dataclass(frozen=True, slots=True)
class RecoveredEntry:
    """One entry that came back and counts; body and secret are None where nobody who was asked has them.

    Signature, key and content were checked.
    """

    index: int
    statement_hash: str
    record_time_ms: int
    statement: Statement
    body: bytes | None
    secret: bytes | None


@dataclass(frozen=True, slots=True)
class Shown:
    """A checkpoint of ours and who showed it; `remote` where more can be read."""

    where: str
    tree: Checkpoint
    note: str
    remote: http.HttpRemote | None = None


@dataclass
class Outcome:
    """What came of it: sizes before and after, whose copy it was, how much content came with it, and what did not."""

    before: int = 0
    size: int = 0
    where: str = ""
    contents: int = 0
    lost: int = 0  # entries whose content nobody had
    keys: list[dict[str, Any]] = field(default_factory=list)  # registered in between: private halves are lost
    notes: list[str] = field(default_factory=list)


class Recovery:
    """One attempt; the caller holds the election. `lose` takes each thing that could not be had, as it is found."""

    def __init__(
        self,
        policy: Policy,
        *,
        token: str = "",
        without: Sequence[str] = (),
        lose: Callable[[dict[str, Any]], None] = lambda thing: None,
        progress: Progress = lambda done, total: None,
    ) -> None:
        self._policy = policy
        self._verifier = operator_keys.log_verifier()
        self._token = token
        self._without = without
        self._lose = lose
        self._progress = progress
        self._void: set[int] = set()  # entries that no key in force stands behind
        self.outcome = Outcome()

    def run(self, urls: Sequence[str], *, check: Callable[[], None]) -> Outcome:
        """Take over what the followers at `urls` hold, `check` the log, write the mark.

        RefusedError, ForkError, UnreachableError.
        """
        replica = DbReplica()
        head = replica.head()
        self.outcome.before = head.published_size
        sources = [self._source(url) for url in urls]
        best = newest = max(sources, key=lambda one: one.tree.size)
        if best.tree.size < head.size:
            best = Shown("this database", Checkpoint(self._verifier.name, head.size, head.root), "")
        nodes = self._nodes(best)
        for other in self._others(sources, head):
            self._check_past(other, best, nodes)
        self._check_reach(newest)
        if best.remote is not None:
            self._take(best, best.remote)
        check()
        # Crash here: everything is there and nothing may be signed yet. The next attempt finds nothing to take.
        writer.high_water().write(Mark(str(operator_keys.log_verifier()), best.tree.size, best.tree.root))
        self.outcome.size, self.outcome.where = best.tree.size, best.where
        return self.outcome

    def _nodes(self, best: Shown) -> proof.ReadHash:
        if best.remote is None:
            return lambda node: tile.read_node(node, DbReplica().tiles([tile.locate(node)[0]]))
        try:
            return TileTree(best.tree.size, best.tree.root, best.remote.tile).node
        except TileError as error:
            raise RefusedError(f"{best.where} serves tiles that are not of its checkpoint: {error}") from error

    def _source(self, url: str) -> Shown:
        remote = http.HttpRemote(url, token=self._token)
        return self._shown(url, remote.checkpoint(), remote)

    def _shown(self, where: str, data: bytes, remote: http.HttpRemote | None = None) -> Shown:
        """The checkpoint in `data`, signed by a key that the policy names for this log; RefusedError for any other."""
        try:
            tree = self._policy.check(data).checkpoint
        except TlogError as error:
            raise RefusedError(f"{where} shows no checkpoint that a key of this log signed: {error}") from error
        if tree.origin != self._verifier.name:
            raise RefusedError(f"{where} shows a checkpoint of {tree.origin}, and this log is {self._verifier.name}")
        return Shown(where, tree, data.decode(), remote)

    def _others(self, sources: Sequence[Shown], head: LogHead) -> Iterator[Shown]:
        """Every checkpoint of ours that is known: the followers', the witnesses', the database's, the mark's."""
        yield from sources
        yield from self._witnesses()
        newest = DbReplica().newest_checkpoint()
        for where, kept in (("this database", head), ("a checkpoint in this database", newest)):
            if kept is not None:
                yield Shown(where, Checkpoint(self._verifier.name, kept.size, kept.root), newest.note if newest else "")
        mark = writer.high_water().read()
        if mark is not None and note.parse_vkey(mark.vkey).name == self._verifier.name:
            yield Shown("the high-water file", Checkpoint(self._verifier.name, mark.size, mark.root), "")

    def _witnesses(self) -> Iterator[Shown]:
        """What the policy's witnesses cosigned last; RefusedError for one that does not answer and was not left out."""
        name = sha256(self._verifier.name.encode()).hexdigest()
        for one in self._policy.witnesses.values():
            if not one.url or one.name in self._without:
                continue
            try:
                status, data = http.request(f"{one.url}/{name}/checkpoint", limit=note.MAX_NOTE_SIZE)
            except UnreachableError as error:
                raise RefusedError(_SILENT.format(name=one.name, error=error)) from error
            if status == 404:
                continue  # it never cosigned
            if status != 200:
                raise RefusedError(_SILENT.format(name=one.name, error=f"it answers {status}"))
            yield self._shown(f"witness {one.name}", data)

    def _check_reach(self, best: Shown) -> None:
        if best.tree.size < self.outcome.before:
            raise RefusedError(
                f"{best.where} holds {best.tree.size} entries and this database {self.outcome.before}: a copy that is"
                " older still cannot tell what was published afterwards. Ask another follower"
            )

    def _check_past(self, other: Shown, best: Shown, nodes: proof.ReadHash) -> None:
        if other.tree.size > best.tree.size:
            raise RefusedError(_MORE.format(where=other.where, more=other.tree.size, size=best.tree.size))
        try:
            root = proof.root_at(other.tree.size, nodes)
        except TileError as error:
            raise RefusedError(f"{best.where} serves tiles that are not of its checkpoint: {error}") from error
        if root != other.tree.root:
            raise ForkError(best, other)

    def _take(self, best: Shown, remote: http.HttpRemote) -> None:
        own = note.parse(best.note.encode())
        lines = "".join(note.format_line(line) for line in own.signatures if line.name == self._verifier.name)
        replica = _Replica(self, Source(best.where, self._token) if self._token else None)
        follower = Follower(
            replica,
            remote,
            self._policy,
            now_ms=operator_keys.now_ms,
            report=self._note,
            progress=self._progress,
        )
        try:
            follower.take(best.tree, f"{own.text}\n{lines}")
        except LogLiedError as error:
            raise RefusedError(f"{best.where}: {error}") from error
        self._keep_cosignatures(best)
        writer.notify(writer.PUBLISHED)

    def _note(self, finding: Finding) -> None:
        self._void.add(finding.evidence["index"])
        self.outcome.notes.append(finding.detail)

    def _keep_cosignatures(self, best: Shown) -> None:
        signed, size = note.parse(best.note.encode()), best.tree.size
        checked = self._policy.check(best.note.encode())
        with transaction.atomic():
            for name, time_s in checked.cosigned.items():
                line = note.format_line(signed.lines_of(self._policy.cosigners[name])[-1])
                models.Cosignature.objects.update_or_create(
                    size=size, witness=name, defaults={"line": line, "time_s": time_s}
                )
            if checked.final:
                models.Head.objects.filter(pk=HEAD_ID, final_size__lt=size).update(final_size=size)

    def entries(self, entries: Sequence[SequencedEntry], found: Mapping[str, Content]) -> list[RecoveredEntry]:
        """The entries with their content; what is wrong with it is noted, what is missing is lost."""
        kept = []
        for entry in entries:
            if entry.index in self._void:
                continue  # noted; nothing leans on it
            parsed = statements.parse(entry.statement)
            content = found.get(entry.statement_hash, Content(0))
            if content.body is not None and not is_signed(parsed, content):
                self.outcome.notes.append(f"entry {entry.index}: the content that came is not what {parsed.iss} signed")
                content = Content(0)
            self._count(entry, parsed, content)
            kept.append(_recovered(entry, parsed, content))
        return kept

    def _count(self, entry: SequencedEntry, parsed: Statement, content: Content) -> None:
        where = {"index": entry.index, "kind": parsed.kind, "party": parsed.iss, "statement": entry.statement_hash}
        if parsed.kind in PRIVATE_KINDS and content.body is None:
            self.outcome.lost += 1
            self._lose({"lost": "content", **where})
        elif parsed.kind in PRIVATE_KINDS:
            self.outcome.contents += 1
        elif parsed.kind == "monitor-report":
            self._lose({"lost": "signed report of a witness, which has it", **where})
        elif parsed.kind in ("key-registered", "key-rotated"):
            public = keyring.json_object(parsed)
            self.outcome.keys.append({"index": entry.index, "party": public.get("party"), "kid": public.get("kid")})
            self._lose({"lost": "private key, if it was hosted here", **where, "kid": public.get("kid")})


class _Replica(DbReplica):
    """Our own tables as what a follower fills: content comes with its entries, before any of them are shown."""

    def __init__(self, recovery: Recovery, source: Source | None) -> None:
        self._recovery = recovery
        self._source = source

    def grow(self, growth: Growth) -> None:
        hashes = [entry.statement_hash for entry in growth.entries]
        found = self._source.fetch(hashes) if self._source else {}
        dated = list(_dated(growth.entries, found, models.Entry.objects.order_by("-index").first()))
        recovered = self._recovery.entries(dated, found)
        with transaction.atomic():
            super().grow(replace(growth, entries=dated))
            keep(recovered)
        # Crash here: more entries than are published, each with its content. The next attempt goes on after them.


def _dated(
    entries: Sequence[SequencedEntry], found: Mapping[str, Content], last: models.Entry | None
) -> Iterator[SequencedEntry]:
    """Ledger time is on no checkpoint: it is what the source says, within what can be, or the time of recovery."""
    least = last.record_time_ms if last else 0
    for entry in entries:
        content = found.get(entry.statement_hash)
        said = entry.record_time_ms if content is None else content.record_time_ms
        least = max(least, min(said, entry.record_time_ms))
        yield replace(entry, record_time_ms=least)


def keep(entries: Sequence[RecoveredEntry]) -> None:
    """Rebuild what lies beside the log, in the caller's transaction: here the policies, elsewhere by settings."""
    for entry in entries:
        content = keyring.json_object(entry.statement) if entry.statement.kind == "policy" else {}
        if type(content.get("version")) is int:
            row = {"text": str(content.get("policy")), "adopted_ms": entry.record_time_ms}
            models.PolicyVersion.objects.get_or_create(pk=content["version"], defaults=row)
            _renumber(models.PolicyVersion)
    for path in getattr(settings, "LOG_RECOVERED", ()):
        import_string(path)(entries)


def _renumber(model: type[Model]) -> None:
    """PostgreSQL numbers new rows from a sequence, which a row with a given number does not move."""
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), [model]):
            cursor.execute(statement)


def fetch_lost(hashes: Sequence[str], source: Source, *, progress: Progress = lambda done, total: None) -> int:
    """Ask for the content of entries whose content an earlier attempt did not get; how many came."""
    came = 0
    for part in chunks(hashes):
        rows = list(models.Entry.objects.filter(statement_hash__in=part).order_by("index"))
        found = source.fetch([row.statement_hash for row in rows])
        kept = []
        for row in rows:
            parsed = statements.parse(bytes(row.statement))
            content = found.get(row.statement_hash)
            if content is not None and is_signed(parsed, content):
                kept.append(_recovered(row, parsed, content))
        with transaction.atomic():
            keep(kept)
        came += len(kept)
        progress(came, len(hashes))
    return came


def _recovered(entry: SequencedEntry | models.Entry, parsed: Statement, content: Content) -> RecoveredEntry:
    return RecoveredEntry(entry.index, entry.statement_hash, entry.record_time_ms, parsed, content.body, content.secret)


def lost_in(report: str) -> list[str]:
    """The statements whose content a report of `recover` lists as lost."""
    things = [json.loads(line) for line in report.splitlines() if line.strip()]
    return [thing["statement"] for thing in things if thing.get("lost") == "content"]


_MORE = (
    "{where} holds a checkpoint of {more} entries, the largest copy that was named has {size}: what is in between was"
    " published, and signing without it would give two trees of one size. Name a follower that has it; if nobody has,"
    " begin a new epoch (manage.py new_epoch)"
)
_SILENT = (
    "witness {name} cannot be asked how much it has seen ({error}). It may know of entries that the followers lack; if"
    " it is gone for good, say --without {name}"
)
