"""Collecting cosignatures: each published checkpoint goes to all witnesses of the policy; a quorum makes it final.

All witnesses are asked about the same size, one round after another, or a growing log would never have a quorum under
one checkpoint. A slow or dead witness costs its own cosignature and a round's time limit, nothing else.
"""

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from functools import partial

from django.conf import settings
from django.db import DatabaseError, connection, transaction

from . import http, models, operator_keys, reads, trust, witness, writer
from .db_storage import HEAD_ID
from .follower import UnreachableError
from .tlog import checkpoint, cosignature, note, policy
from .tlog.errors import NoteError, PolicyError
from .tlog.policy import Policy, Witness

log = logging.getLogger(__name__)

ROUND_SECONDS = 3.0  # how long a round waits for a quorum before the next may begin with a newer checkpoint
REQUEST_SECONDS = 10.0
_MAX_ANSWER = 64 * 1024
_POLICY_POLL_SECONDS = 1.0
_ROUND_POLL_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class WitnessStanding:
    """A witness of our policy: what it cosigned last and when (ms), and what is wrong with it now ("" = nothing)."""

    name: str
    size: int
    cosigned_ms: int
    error: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of asking one witness: its line, or the size that it cosigned last (409), or why there is neither."""

    line: str = ""
    time_s: int = 0
    known: int | None = None
    error: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request under way."""

    latest: reads.PublishedCheckpoint
    again: bool  # after a 409; a second one is its answer
    future: Future[Answer]


def run(stop: threading.Event) -> None:
    """Collect until `stop` is set; the policy file is read again whenever it changes, and each policy is logged."""
    while not stop.is_set():
        try:
            text = trust.policy_text()
            chosen = policy.parse(text)
            asked = [one for one in chosen.witnesses.values() if one.cosigner and one.url]
            if asked:
                trust.adopt(text)
                _collect(chosen, len(asked), partial(_ended, stop, text))
        except PolicyError as error:
            log.critical("no cosignature is collected: the policy file is malformed: %s", error)
        except operator_keys.NotInitialisedError:
            pass  # no log yet
        except DatabaseError:
            log.exception("the collector of cosignatures lost the database; it starts over")
            connection.close()
        stop.wait(_POLICY_POLL_SECONDS)
    connection.close()


def _ended(stop: threading.Event, text: str) -> bool:
    return stop.is_set() or trust.policy_text() != text


def _collect(chosen: Policy, witnesses: int, ended: Callable[[], bool]) -> None:
    pool = ThreadPoolExecutor(witnesses, thread_name_prefix="witness")
    try:
        collector = Collector(chosen, pool)
        while not ended():
            collector.round()
            time.sleep(_ROUND_POLL_SECONDS)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


class Collector:
    """Rounds over the witnesses of one policy. All database work is done by the caller's thread."""

    def __init__(self, chosen: Policy, pool: ThreadPoolExecutor) -> None:
        self._policy = chosen
        self._pool = pool
        self._under_way: dict[str, Asked] = {}
        self._last = (-1, 0.0)  # size and monotonic time of the newest round

    def round(self) -> None:
        """Ask about the newest published checkpoint, when there is a newer one or the last cosignatures grew old."""
        self._take_answers()
        latest = reads.latest_checkpoint()
        size, asked_at = self._last
        if latest is None or (latest.size == size and time.monotonic() - asked_at < settings.LOG_TICK_SECONDS):
            return
        self._last = (latest.size, time.monotonic())
        known = dict(models.WitnessContact.objects.values_list("witness", "size"))
        for one in self._policy.witnesses.values():
            if one.cosigner and one.url and one.name not in self._under_way:
                self._ask(one, latest, min(known.get(one.name, 0), latest.size), again=False)
        deadline = time.monotonic() + ROUND_SECONDS
        while self._under_way and (left := deadline - time.monotonic()) > 0 and reads.final_size() < latest.size:
            wait([asked.future for asked in self._under_way.values()], timeout=left, return_when=FIRST_COMPLETED)
            self._take_answers()

    def _ask(self, one: Witness, latest: reads.PublishedCheckpoint, old: int, *, again: bool) -> None:
        body = witness.format_request(old, reads.consistency(old, latest.size), latest.note)
        future = self._pool.submit(ask, one, latest, body)
        self._under_way[one.name] = Asked(latest, again, future)

    def _take_answers(self) -> None:
        for name, asked in list(self._under_way.items()):
            if not asked.future.done():
                continue
            del self._under_way[name]
            answer = asked.future.result()
            if answer.known is not None and not asked.again and answer.known <= asked.latest.size:
                self._ask(self._policy.witnesses[name], asked.latest, answer.known, again=True)
            else:
                _keep(self._policy, name, asked.latest.size, answer)


def ask(one: Witness, latest: reads.PublishedCheckpoint, body: bytes) -> Answer:
    """Ask one witness for its cosignature of a checkpoint."""
    tree = checkpoint.Checkpoint(reads.checkpoint_origin(latest), latest.size, latest.root)
    try:
        url = f"{one.url}/add-checkpoint"
        status, data = http.request(url, limit=_MAX_ANSWER, body=body, timeout_s=REQUEST_SECONDS)
        if status == 409:
            known = data.decode("ascii", "replace").removesuffix("\n")
            if known.isdecimal():
                return Answer(known=int(known), error=f"it says that it cosigned {known} entries")
        if status != 200 or one.cosigner is None:
            return Answer(error=f"it answers {status}: {data[:200].decode('utf-8', 'replace').strip()}")
        line = witness.parse_answer(data, one.cosigner, tree)
        return Answer(note.format_line(line), cosignature.time_of(line.payload))
    except (UnreachableError, NoteError) as error:
        return Answer(error=str(error))


def standing() -> list[WitnessStanding]:
    """How it stands with each witness of the policy."""
    known = {row.witness: row for row in models.WitnessContact.objects.all()}
    found = []
    for name in trust.current().witnesses:
        row = known.get(name)
        found.append(
            WitnessStanding(name, row.size, row.cosigned_ms, row.error) if row else WitnessStanding(name, 0, 0, "")
        )
    return found


def _keep(chosen: Policy, name: str, size: int, answer: Answer) -> None:
    """Keep an answer, and move the final size when it made up the quorum."""
    now_ms = operator_keys.now_ms()
    with transaction.atomic():
        if answer.error:
            models.WitnessContact.objects.update_or_create(
                witness=name, defaults={"error": answer.error[:500], "asked_ms": now_ms}
            )
            return
        models.Cosignature.objects.update_or_create(
            size=size, witness=name, defaults={"line": answer.line, "time_s": answer.time_s}
        )
        models.WitnessContact.objects.update_or_create(
            witness=name, defaults={"size": size, "cosigned_ms": now_ms, "error": "", "asked_ms": now_ms}
        )
        lines = models.Cosignature.objects.filter(size=size).values_list("witness", flat=True)
        if chosen.is_met(set(lines)):
            models.Head.objects.filter(pk=HEAD_ID, final_size__lt=size).update(final_size=size)
            writer.notify(writer.PUBLISHED)
