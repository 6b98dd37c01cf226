"""Replacing the log key: the entries that say so, and what becomes of the private keys (docs/operations.md).

A step is durable with the entry that it submits: a crash before leaves nothing, one after it is finished by the
sequencer, which signs with the keys that the log names and destroys those that it has retired.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from . import keyring, models, operator_keys, reads, trust, writer
from . import statement as statements
from .db_storage import DbStore
from .statement import SigningKey
from .tlog.errors import PolicyError
from .tlog.note import Verifier


class RotationError(Exception):
    """This step cannot be done now; the text says what comes first."""


@dataclass(frozen=True, slots=True)
class LogKeyPeriod:
    """A log key's vkey and the tree sizes whose checkpoints carry its line: from `from_size` on, below `until_size`."""

    vkey: str
    from_size: int
    until_size: int | None


def vkeys() -> list[LogKeyPeriod]:
    """All keys that are or were the published log's, newest first."""
    pinned, size = operator_keys.LogKeychain().verifier, reads.published_size()
    records = operator_keys.published_keyring(size).log_keys.records
    periods = [
        LogKeyPeriod(str(Verifier(pinned.name, record.public)), record.from_size, record.until_size)
        for record in reversed(records)
    ]
    return periods or [LogKeyPeriod(str(pinned), 0, None)]


def begin(key: SigningKey, *, at_once: bool = False) -> Verifier:
    """Let `key` follow the log's key: both sign once the entry is on the log, with `at_once` the new one alone.

    RotationError while an earlier rotation is under way. `at_once` is for a key that is lost or stolen: those who know
    only the old one cannot check what comes after.
    """
    with DbStore().write() as tx:
        head = tx.head()
        log_keys = operator_keys.published_keyring(head.size).log_keys  # of all that has an index
        pinned = operator_keys.LogKeychain().verifier
        known, signing = log_keys.verifiers(pinned), log_keys.verifiers(pinned, head.size)
        verifier = Verifier(pinned.name, key.public)
        if not at_once and _waits():
            raise RotationError("the entry about the last rotation waits for its index: let the sequencer run")
        if not at_once and len(signing) > 1:
            raise RotationError(f"{signing[1]} follows {signing[0]}: retire that one first (--retire)")
        if verifier.key_id in {one.key_id for one in known}:
            raise RotationError("the new key has the short id of an old one; try again")
        operator_keys.add_log_key(key)
        content = keyring.log_key(
            origin=pinned.name, public=key.public, replaces=signing[-1].public, overlap=not at_once
        )
        writer.queue([operator_keys.root_statement("log-key", content)], first=at_once)
    return verifier


def retire(wait_s: float) -> list[str]:
    """Let the older of the two keys that sign go, and destroy its private half; the vkeys that are retired.

    RotationError where none is to be retired yet, the house's own policy does not know the new key, or nothing was
    published within `wait_s`: then the same again goes on.
    """
    size = reads.published_size()
    log_keys = operator_keys.published_keyring(size).log_keys
    pinned = operator_keys.LogKeychain().verifier
    signing = log_keys.signing(size)
    if len(signing) == 2:
        _check_policy(Verifier(pinned.name, signing[1].public))
        content = keyring.log_key_retired(origin=pinned.name, kid=signing[0].kid)
        names = writer.queue([operator_keys.root_statement("log-key-retired", content)])
        if not writer.wait_published(names, wait_s):
            raise RotationError(
                "the entry is submitted and not published yet: let the sequencer run, then run this again"
            )
    elif not operator_keys.retired_rows(log_keys, size):
        raise RotationError("no published entry names a key that follows the log's: rotate first, wait, then retire")
    operator_keys.destroy_retired()
    after = operator_keys.published_keyring(reads.published_size()).log_keys
    return [str(Verifier(pinned.name, record.public)) for record in after.records if record.until_size is not None]


def _check_policy(new: Verifier) -> None:
    """A house whose own policy lacks the key would refuse its own log."""
    try:
        named = [log.verifier for log in trust.current().logs]
    except PolicyError as error:
        raise RotationError(f"the policy file is malformed: {error}") from error
    if new not in named:
        raise RotationError(f"the policy file of this house does not name the new key: add the line `log {new}`")


def _waits() -> bool:
    waiting: Sequence[memoryview | bytes] = list(models.Submission.objects.values_list("statement", flat=True))
    return any(statements.parse(bytes(data)).kind in statements.LOG_KEY_KINDS for data in waiting)
