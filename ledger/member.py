"""A member's node: one process that follows somebody else's log and cosigns it (`manage.py follow`, `witness`).

It has a database and a key of its own. The witness here is C2SP's; run as a follower it looks at every entry of a
checkpoint before it puts its name under it.
"""

import logging
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.models import Max

from . import http, models, monitor, operator_keys, receipts, statement
from .content import MAX_ASKED, Content, Source, is_signed
from .db_replica import DbReplica, DbWitnessStore
from .db_storage import DbReader, HighWaterFile
from .follower import Finding, Follower, LogLiedError, ReplicaError, UnreachableError
from .statement import key_from_seed
from .storage import Mark, SequencedEntry
from .tlog import note, proof, tile
from .tlog.checkpoint import Checkpoint
from .tlog.note import Verifier
from .tlog.policy import Checked, Policy
from .witness import Cosigned, Witness, WitnessError, WitnessSigner

log = logging.getLogger(__name__)

LOOK_SECONDS = 5.0  # how long a request for a cosignature waits for the copy to get there
ROLLBACK_PAUSE_SECONDS = 2.0  # longer than a cache between us and the log may show an older checkpoint
STALE_SECONDS = 300.0
_LOOK_POLL_SECONDS = 0.02


class LostStateError(Exception):
    """What this witness last cosigned is lost or older than it was: it may not go on under its name."""


def open_signer(name: str) -> WitnessSigner:
    """This node's key, made on first use. LostStateError where a mark outside the database knows more than it does."""
    row = models.LogKey.objects.filter(role=models.LogKey.Role.WITNESS).first()
    marks = sorted(_folder().glob("witness-mark.*"))
    if row is None and marks:
        raise LostStateError(
            f"{marks[0]} shows that a witness has cosigned here, and the database has forgotten it. A witness that"
            " forgot may cosign a fork: retire its name and begin with a new one in a new folder"
        )
    if row is None:
        row = operator_keys.keep_witness_key(name, key_from_seed(secrets.token_bytes(32)))
    if row.origin != name:
        raise LostStateError(f"the key of this folder is of the witness {row.origin}, not of {name}")
    for path in marks:
        _check_mark(path)
    return WitnessSigner(name, operator_keys.open_key(row).seed)


class MarkedWitnessStore(DbWitnessStore):
    """What was cosigned, in the database and, as a mark that shows when that was put back, beside it."""

    def __init__(self, keep: Callable[[str, Finding], None]) -> None:
        self._keep = keep
        self._marking = threading.Lock()

    def advance(self, origin: str, old: Cosigned, new: Cosigned) -> bool:
        if not super().advance(origin, old, new):
            return False
        # Crash here: the database is ahead of the mark, which is as good.
        with self._marking:
            _mark_file(origin).write(Mark(_vkey(), new.size, new.root))
        return True

    def conflict(self, origin: str, kept: str, seen: str) -> None:
        detail = f"two trees of one size of {origin} were signed"
        self._keep(origin, Finding("split-view", detail, {"kept": kept, "seen": seen}))


class Node:
    """Follower and witness of the one log of a policy; `webhook` gets each report before the log does."""

    def __init__(
        self,
        policy: Policy,
        url: str,
        signer: WitnessSigner | None,
        *,
        token: str = "",
        webhook: str = "",
        inbox: Path | None = None,
        content: bool = False,
    ) -> None:
        self.policy = policy
        self.url = url.rstrip("/")
        self.signer = signer
        self.webhook = webhook
        self.inbox = inbox
        self.origin = policy.logs[0].verifier.name
        self.wake = threading.Event()
        self._remote = http.HttpRemote(self.url, token=token)
        self._content = Source(self.url, token) if content else None
        # When the log last answered, when the copy was last in step, when the log last had news of its witnesses.
        self.answered = self.stepped = self._fresh = time.monotonic()
        self.damage = ""  # what is wrong with the copy
        self._told: Verifier | None = None  # the log key that our policy lacks, as it was last said

    def witness(self, *, looking: bool) -> Witness:
        """The witness of this node; with `looking` it cosigns what the replica holds and nothing else."""
        if self.signer is None:
            raise ValueError("a witness has a key")
        return Witness(
            MarkedWitnessStore(self._keep),
            {self.origin: [one.verifier for one in self.policy.logs]},
            signer=self.signer,
            now_s=lambda: int(time.time()),
            look=self._look if looking else lambda tree, signed: None,
        )

    def follower(self, progress: Callable[[int, int], None] = lambda done, total: None) -> Follower:
        """What brings this node's replica in step."""
        return Follower(
            DbReplica(),
            self._remote,
            self.policy,
            now_ms=_now_ms,
            report=lambda finding: self._keep(self.origin, finding),
            progress=progress,
        )

    def run(self, stop: threading.Event, *, every_s: float, progress: Callable[[int, int], None]) -> None:
        """Follow until `stop` is set; a request for a cosignature wakes it up."""
        follower = self.follower(progress)
        while not stop.is_set():
            try:
                self.step(follower)
                self.damage = ""
            except ReplicaError as error:
                self.damage = str(error)
                log.critical("the replica is damaged: %s", error)
            except DatabaseError:
                log.exception("the follower lost its database; it starts over")
                connection.close()
            self.wake.wait(every_s)
            self.wake.clear()
        connection.close()

    def step(self, follower: Follower) -> Checked | None:
        """One look at the log; what it finds is kept and reported. None when the log was not reached or has lied."""
        checked = None
        try:
            checked = self._confirmed_step(follower)
            self.answered = self.stepped = time.monotonic()
            self._check_policy(follower)
            self._check_age(checked)
            self._check_receipts(checked)
            if self._content is not None:
                hold_content(self._content)
        except LogLiedError as error:
            self.answered = time.monotonic()
            self._keep(self.origin, error.finding)
        except UnreachableError as error:
            log.warning("%s", error)
            silent_s = time.monotonic() - self.answered
            if silent_s > STALE_SECONDS:
                self._keep(self.origin, Finding("stale", "the log does not answer", {"kept": _newest_note()}))
        self.deliver()
        return checked

    def deliver(self) -> None:
        """Send reports that were not taken yet: to our own webhook, then to the log."""
        for row in models.MonitorFinding.objects.filter(delivered_ms=None).exclude(note="").order_by("id"):
            targets = [target for target in (self.webhook, f"{self.url}/reports") if target]
            try:
                statuses = [self._send(target, row.note) for target in targets]
            except UnreachableError as error:
                log.warning("a report waits: %s", error)
                return
            if all(200 <= status < 300 for status in statuses):
                models.MonitorFinding.objects.filter(pk=row.pk).update(delivered_ms=_now_ms())

    def _send(self, url: str, report: str) -> int:
        headers = {"Content-Type": "text/plain; charset=utf-8"}
        status, data = http.request(url, limit=64 * 1024, body=report.encode(), headers=headers)
        if status >= 300:
            log.warning("%s answers %s to a report: %s", url, status, data[:200].decode("utf-8", "replace"))
        return status

    def _confirmed_step(self, follower: Follower) -> Checked:
        try:
            return follower.step()
        except LogLiedError as error:
            if error.finding.kind != "rollback":
                raise
        time.sleep(ROLLBACK_PAUSE_SECONDS)
        return follower.step()

    def _keep(self, origin: str, finding: Finding) -> None:
        """Keep a finding with its evidence; the same again is no second one."""
        log.error("%s: %s", finding.kind, finding.detail)
        signed = ""
        if self.signer is not None:
            signed = monitor.sign(finding, origin=origin, signer=self.signer, time_s=int(time.time()))
        models.MonitorFinding.objects.get_or_create(
            digest=monitor.digest(finding),
            defaults={
                "kind": finding.kind,
                "detail": finding.detail,
                "evidence": dict(finding.evidence),
                "note": signed,
                "found_ms": _now_ms(),
            },
        )

    def _check_policy(self, follower: Follower) -> None:
        """Say once, while both keys sign, that the policy lacks the one that will sign alone."""
        missing = follower.unknown_log_key()
        if missing is not None and missing[0] != self._told:
            self._told = missing[0]
            log.warning(
                "the log's key is being replaced (entry %d): add `log %s` to the policy when the operator confirms it",
                missing[1], missing[0],
            )  # fmt: skip

    def _check_age(self, checked: Checked) -> None:
        """A checkpoint has no time; cosignatures have: the newest of the other witnesses' tells how old the view is.

        It must have been old for as long as we have looked: a house that was shut for an hour is not standing still.
        """
        others = [
            time_s
            for name, time_s in checked.cosigned.items()
            if self.signer is None or self.policy.cosigners[name] != self.signer.cosigner
        ]
        if not others or time.time() - max(others) <= STALE_SECONDS:
            self._fresh = time.monotonic()
        elif time.monotonic() - self._fresh > STALE_SECONDS:
            detail = f"the checkpoint that the log shows was last cosigned {int(time.time()) - max(others)} seconds ago"
            self._keep(self.origin, Finding("stale", detail, {"seen": _newest_note()}))

    def _check_receipts(self, checked: Checked) -> None:
        if self.inbox is None:
            return
        keys = [one.verifier for one in self.policy.logs]
        for overdue in receipts.overdue(self.inbox, keys, now_ms=_now_ms(), held=_held):
            detail = f"{len(overdue.missing)} statements were accepted and are not in the log after the promised delay"
            evidence = {"receipt": overdue.receipt, "missing": overdue.missing, "seen": _newest_note()}
            self._keep(self.origin, Finding("omission", detail, evidence))

    def _look(self, tree: Checkpoint, signed: str) -> None:
        """Wait until the replica holds this very tree; WitnessError 503 when it does not in time."""
        self.wake.set()
        deadline = time.monotonic() + LOOK_SECONDS
        while (size := DbReplica().head().published_size) < tree.size:
            if time.monotonic() > deadline:
                raise WitnessError(503, f"this follower has looked at {size} entries so far; ask again")
            time.sleep(_LOOK_POLL_SECONDS)
        tiles = DbReplica().tiles({tile.locate(node)[0] for nodes in proof.plan_root(tree.size) for node in nodes})
        if proof.root_at(tree.size, lambda node: tile.read_node(node, tiles)) != tree.root:
            raise WitnessError(422, "this follower holds another tree of this size")


def held_origin() -> str:
    """Of which log this node holds a copy; "" while it holds none."""
    return _newest_note().split("\n", 1)[0]


def hold_content(source: Source) -> int:
    """Fetch what belongs to the entries that were copied since the last time; how many contents came.

    UnreachableError, with all that came until then kept. An entry is asked for once: what its house may not see today
    it does not see tomorrow, and what was erased stays erased here.
    """
    came, size = 0, DbReplica().head().published_size
    newest = models.HeldContent.objects.aggregate(Max("index"))["index__max"]
    for first in range(0 if newest is None else newest + 1, size, MAX_ASKED):
        entries = list(DbReader().entries(first, min(first + MAX_ASKED, size)))
        found = source.fetch([entry.statement_hash for entry in entries])
        rows = [_held_row(entry, found.get(entry.statement_hash)) for entry in entries]
        models.HeldContent.objects.bulk_create(rows)
        came += sum(row.body is not None for row in rows)
    return came


def held_content(hashes: Sequence[str]) -> Iterator[tuple[str, Content]]:
    """What is held of these statements, one after the other."""
    places = dict(models.Entry.objects.filter(statement_hash__in=list(hashes)).values_list("statement_hash", "index"))
    for name in hashes:
        row = models.HeldContent.objects.filter(pk=places.get(name, -1)).first()
        if row is not None:
            both = (bytes(row.body), bytes(row.secret)) if row.body is not None and row.secret is not None else ()
            yield name, Content(row.record_time_ms, *both)


def _held_row(entry: SequencedEntry, content: Content | None) -> models.HeldContent:
    if content is None:
        raise UnreachableError(f"the log has entry {entry.index} and no time for it")
    row = models.HeldContent(index=entry.index, record_time_ms=content.record_time_ms)
    if content.body is not None:
        if is_signed(statement.parse(entry.statement), content):
            row.body, row.secret = content.body, content.secret
        else:
            log.error("entry %s: the content that the log hands out is not what was signed", entry.index)
    return row


def _held(hashes: Sequence[str]) -> set[str]:
    """Which of these statements the verified part of the replica holds."""
    size = DbReplica().head().published_size
    rows = models.Entry.objects.filter(statement_hash__in=list(hashes), index__lt=size)
    return set(rows.values_list("statement_hash", flat=True))


def _newest_note() -> str:
    newest = DbReplica().newest_checkpoint()
    return newest.note if newest else ""


def _check_mark(path: Path) -> None:
    mark = HighWaterFile(path).read()
    sizes = models.WitnessedLog.objects.values_list("size", flat=True)
    if mark is not None and mark.size > max(sizes, default=0):
        raise LostStateError(
            f"{path} shows that {mark.size} entries were cosigned, the database says less: it is an older copy."
            " A witness that went back may cosign a fork; put the newer database back"
        )


def _mark_file(origin: str) -> HighWaterFile:
    return HighWaterFile(_folder() / f"witness-mark.{sha256(origin.encode()).hexdigest()[:16]}")


def _vkey() -> str:
    row = models.LogKey.objects.get(role=models.LogKey.Role.WITNESS)
    return str(note.Verifier(row.origin, bytes(row.public_key)))


def _folder() -> Path:
    return Path(settings.LOG_HIGH_WATER_FILE).parent


def _now_ms() -> int:
    return operator_keys.now_ms()
