"""Who sequences and when: the election of one writer per log, wake-ups, and the loop around `Sequencer`."""

import fcntl
import logging
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.db.models import Min

from . import faults, models, operator_keys, reads
from .db_storage import HEAD_ID, DbStore, HighWaterFile, insert_submissions
from .sequencer import BATCH, RefusedError, Sequencer
from .statement import statement_hash
from .storage import Mark
from .tlog.merkle import EMPTY_ROOT

log = logging.getLogger(__name__)

SUBMITTED, PUBLISHED = "dosetrail_submitted", "dosetrail_published"
_SQLITE_POLL_SECONDS = 0.004
_SEQUENCER_POLL_SECONDS = 0.05
_WAITER_POLL_SECONDS = 0.25
_ELECTION_POLL_SECONDS = 0.05
RESTART_PAUSE_SECONDS = 1.0
_REFUSED_PAUSE_SECONDS = 10.0
# Ledger time moves at most this often while idle, also when a simulated clock runs a day per second.
_MIN_TICK_SECONDS = 0.5
# Of each such half second, so much goes into checking old rows again.
_SCRUB_SECONDS = 0.01
_HASHES_PER_LINE = 100
_ADVISORY_LOCK = 0x446F7365  # "Dose"
_SQLITE_FULL = 2  # PRAGMA synchronous
# An advisory lock on one bigint: classid is its upper half, objid its lower (PostgreSQL, pg_locks).
_HOLDERS = (
    "SELECT EXISTS (SELECT 1 FROM pg_locks JOIN pg_database ON pg_database.oid = database WHERE locktype = 'advisory'"
    " AND classid = 0 AND objid = %s AND objsubid = 1 AND granted AND datname = current_database())"
)


def notify(channel: str) -> None:
    """Tell waiters that something changed, when the transaction commits; only a hint (they also poll)."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"NOTIFY {channel}")


def queue(items: Sequence[bytes], *, first: bool = False) -> list[str]:
    """Queue well-formed statements, each once; their hashes. Durable when the caller's transaction commits.

    `first`: before all that waits, which only the one statement needs that says who signs what waits.
    """
    hashes = [statement_hash(item) for item in items]
    with transaction.atomic(savepoint=False):
        if first:
            least = min(models.Submission.objects.aggregate(Min("id"))["id__min"] or 0, 0)
            models.Submission.objects.bulk_create(
                models.Submission(id=least - len(items) + place, statement_hash=name, statement=item)
                for place, (name, item) in enumerate(zip(hashes, items, strict=True))
            )
        else:
            insert_submissions(hashes, items)
        notify(SUBMITTED)
    # Crash here, or before the caller's transaction commits: nothing was submitted, and nobody was told that it was.
    return hashes


class Watch:
    """Waits for the database to change: NOTIFY on PostgreSQL, `PRAGMA data_version` on SQLite. A hint, never news."""

    def __init__(self, channel: str, poll_seconds: float) -> None:
        self._poll_seconds = poll_seconds
        self._channel = channel
        self._version = 0
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute(f"LISTEN {channel}")
        else:
            self._version = _data_version()

    def wait(self, timeout_s: float) -> None:
        """Return when something was committed elsewhere, or after the shorter of timeout and fallback poll."""
        timeout_s = max(0.0, min(timeout_s, self._poll_seconds))
        if connection.vendor == "postgresql":
            for _ in connection.connection.notifies(timeout=timeout_s, stop_after=1):
                pass
            return
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            time.sleep(_SQLITE_POLL_SECONDS)
            version = _data_version()
            if version != self._version:
                self._version = version
                return

    def close(self) -> None:
        """Stop listening: the connection goes back to its thread, and notifications would pile up in it."""
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute(f"UNLISTEN {self._channel}")


def wait_published(hashes: Iterable[str], timeout_s: float) -> bool:
    """Whether all these statements are published, after waiting at most `timeout_s` for it."""
    wanted = set(hashes)
    deadline = time.monotonic() + timeout_s
    watch: Watch | None = None
    seen = -1
    try:
        while True:
            size = reads.published_size()
            if size != seen:  # most commits that wake us publish nothing
                wanted.difference_update(reads.positions(wanted, size=size))
                seen = size
            left = deadline - time.monotonic()
            if not wanted or left <= 0:
                return not wanted
            if watch is None:
                watch = Watch(PUBLISHED, _WAITER_POLL_SECONDS)
                continue  # what was published before we listened must not be missed
            watch.wait(left)
    finally:
        if watch is not None:
            watch.close()


def make_sequencer() -> Sequencer:
    """The sequencer of this process' log; the caller holds the election."""
    operator_keys.log_key_rows()  # NotInitialisedError before anything is looked at
    return Sequencer(DbStore(), high_water(), signer=operator_keys.LogKeychain(), now_ms=operator_keys.now_ms)


def high_water() -> HighWaterFile:
    return HighWaterFile(Path(settings.LOG_HIGH_WATER_FILE))


@contextmanager
def elected(give_up: Callable[[], bool]) -> Iterator[bool]:
    """Hold the right to write the log; False when `give_up` said so while another process held it.

    A file lock keeps out processes of this machine, an advisory lock those of others on the same PostgreSQL. The
    latter belongs to the connection that also writes: if it is lost, so is the transaction.
    """
    descriptor = os.open(f"{settings.LOG_HIGH_WATER_FILE}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        while not _try_lock(descriptor):
            if give_up():
                yield False
                return
            time.sleep(_ELECTION_POLL_SECONDS)
        try:
            yield True
        finally:
            _unlock_database()
    finally:
        os.close(descriptor)


def sequence_once() -> int:
    """Sequence and publish all that waits now; the number of entries. Leaves it to another writer if one is at work."""
    with elected(lambda: not models.Submission.objects.exists()) as mine:
        if not mine:
            return 0
        sequencer = make_sequencer()
        sequencer.settle()
        return drain(sequencer)


def drain(sequencer: Sequencer, on_published: Callable[[], None] | None = None) -> int:
    """Batch after batch until nothing waits; the number of entries."""
    total = 0
    while models.Submission.objects.exists():
        first = reads.published_size() if log.isEnabledFor(logging.INFO) else 0
        total += sequencer.sequence(BATCH)
        notify(PUBLISHED)
        if log.isEnabledFor(logging.INFO):
            _say_sequenced(first)
        if on_published is not None:
            on_published()
    return total


def _say_sequenced(first: int) -> None:
    """Log each entry published since size `first` by its hash, in order: the n-th of a line has the index first + n."""
    rows = models.Entry.objects.filter(index__gte=first, index__lt=reads.published_size()).order_by("index")
    hashes = list(rows.values_list("statement_hash", flat=True))
    for start in range(0, len(hashes), _HASHES_PER_LINE):
        part = hashes[start : start + _HASHES_PER_LINE]
        log.info("sequenced", extra={"first": first + start, "last": first + start + len(part) - 1, "statements": part})


def accept_database() -> int:
    """Set the mark to the database's head; the size."""
    with elected(lambda: True) as mine:
        if not mine:
            raise RefusedError("a sequencer is running; stop it first")
        head = DbStore().head()
        high_water().write(Mark(str(operator_keys.log_verifiers(head.size)[-1]), head.size, head.root))
        return head.size


def run(
    stop: threading.Event,
    on_published: Callable[[], None],
    *,
    check: Callable[[], None],
    scrub: Callable[[], None],
) -> None:
    """Sequence until `stop` is set. Waits while another process is the writer; refuses, and says so, on corruption.

    `check` is called when the election was won, `scrub` again and again while idle; RefusedError closes the log.
    """
    while not stop.is_set():
        try:
            with elected(stop.is_set) as mine:
                if mine:
                    _require_durable()
                    check()
                    _note_refusal("")
                    _work(stop, on_published, scrub)
        except operator_keys.NotInitialisedError:
            stop.wait(0.2)
        except RefusedError as error:
            log.critical("the log is closed, nothing is signed: %s", error)
            _note_refusal(str(error))
            stop.wait(_REFUSED_PAUSE_SECONDS)
        except (DatabaseError, OSError) as error:
            # Nothing is repaired here: the next turn checks and finishes whatever was left, as any start does.
            log.error("nothing is signed: %s. The sequencer goes on by itself", faults.explain(error))
            connection.close()
            stop.wait(RESTART_PAUSE_SECONDS)
    connection.close()


def _work(stop: threading.Event, on_published: Callable[[], None], scrub: Callable[[], None]) -> None:
    sequencer = make_sequencer()
    sequencer.settle()
    watch = Watch(SUBMITTED, _SEQUENCER_POLL_SECONDS)
    next_tick = time.monotonic()
    while not stop.is_set():
        drain(sequencer, on_published)
        if time.monotonic() >= next_tick:
            pause = time.monotonic() + _SCRUB_SECONDS
            while time.monotonic() < pause:
                scrub()
            operator_keys.destroy_retired()
            if operator_keys.now_ms() - DbStore().head().time_ms >= settings.LOG_TICK_SECONDS * 1000:
                sequencer.tick()
                notify(PUBLISHED)
                on_published()
            next_tick = time.monotonic() + _MIN_TICK_SECONDS
        watch.wait(_SEQUENCER_POLL_SECONDS)


def _require_durable() -> None:
    """RefusedError unless what this database has committed survives a power cut."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "SELECT name FROM pg_settings WHERE name IN ('fsync', 'synchronous_commit') AND setting = 'off'"
            )
            careless = [row[0] for row in cursor.fetchall()]
        else:
            cursor.execute("PRAGMA synchronous")
            careless = ["synchronous"] if int(cursor.fetchone()[0]) < _SQLITE_FULL else []
    if careless:
        raise RefusedError(f"the database's setting {careless[0]} lets a power cut lose what it has committed; set it")


def _note_refusal(words: str) -> None:
    """Keep why the log is closed where health pages of other processes see it; '' = it is open."""
    try:
        with transaction.atomic():
            if words:
                models.Head.objects.get_or_create(pk=HEAD_ID, defaults={"root": EMPTY_ROOT.hex()})
            models.Head.objects.filter(pk=HEAD_ID).exclude(refusal=words).update(refusal=words)
    except DatabaseError:  # the line above has said it; the age of the checkpoint will
        log.exception("the health pages do not know that the log is closed")


def is_written() -> bool:
    """Whether some process holds the right to write the log, asked without standing in its way."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(_HOLDERS, [_ADVISORY_LOCK])
            return bool(cursor.fetchone()[0])
    try:
        descriptor = os.open(f"{settings.LOG_HIGH_WATER_FILE}.lock", os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)  # held for a moment only: the elected poll
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    if connection.vendor != "postgresql":
        return True
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [_ADVISORY_LOCK])
        won = bool(cursor.fetchone()[0])
    if not won:
        fcntl.flock(descriptor, fcntl.LOCK_UN)
    return won


def _unlock_database() -> None:
    if connection.vendor == "postgresql" and connection.connection is not None and connection.is_usable():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [_ADVISORY_LOCK])


def _data_version() -> int:
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA data_version")
        return int(cursor.fetchone()[0])
