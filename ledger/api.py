"""The ledger's only door: what the rest of the house may call (architecture.md, section 2).

Writing: `initialise`, `submit`, `register_key`, `rotate_key`, `revoke_key`, `rotate_log_key`, `retire_log_key`; after
a loss `recover`, `new_epoch`. Reading: only what is published. Statement hashes and key ids are lower-case hex; times
are milliseconds since 1970 unless a name says otherwise.
"""

import secrets
import threading
from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction

from . import (
    claims,
    content,
    cosigning,
    epoch,
    health,
    keyring,
    models,
    operator_keys,
    reads,
    recovery,
    rotation,
    trust,
    writer,
)
from . import fsck as checker
from . import statement as statements
from .claims import ClaimsError, Commitment
from .cosigning import WitnessStanding
from .db_storage import DbReader, DbStore
from .faults import is_full
from .follower import UnreachableError
from .fsck import Problem
from .health import Check
from .keyring import KeyRecord, KeyStatus
from .operator_keys import OPERATOR_URI, NotInitialisedError
from .reads import EvidenceRequest, NotPublishedError, Position, PublishedCheckpoint, PublishedEntry
from .recovery import ForkError, RecoveredEntry
from .rotation import LogKeyPeriod, RotationError
from .sequencer import RefusedError
from .standing import LogStanding, log_standing
from .statement import PRIVATE_KINDS, Header, SigningKey, Statement, StatementError, key_from_seed, statement_hash
from .tlog import merkle, note

__all__ = [
    "OPERATOR_URI",
    "PRIVATE_KINDS",
    "Check",
    "ClaimsError",
    "Commitment",
    "EvidenceRequest",
    "ForkError",
    "KeyRecord",
    "KeyStatus",
    "LogKeyPeriod",
    "LogStanding",
    "NotInitialisedError",
    "NotPublishedError",
    "Position",
    "Problem",
    "PublishedCheckpoint",
    "PublishedEntry",
    "RecoveredEntry",
    "RefusedError",
    "RotationError",
    "SigningKey",
    "Statement",
    "StatementError",
    "UnreachableError",
    "WitnessStanding",
    "accept_database",
    "backlog",
    "checkpoint_over",
    "checkpoints",
    "commit_claims",
    "consistency",
    "cosigned_note",
    "disclose",
    "evidence",
    "final_size",
    "fsck",
    "generate_key",
    "health",
    "inclusion",
    "initialise",
    "is_full",
    "key_from_seed",
    "key_id",
    "key_status",
    "keys",
    "latest_checkpoint",
    "ledger_time_ms",
    "log_standing",
    "monitor_report",
    "monitor_reports",
    "new_epoch",
    "parse_statement",
    "policy_text",
    "positions",
    "published",
    "published_size",
    "recover",
    "recover_content",
    "register_key",
    "retire_log_key",
    "revoke_key",
    "rotate_key",
    "rotate_log_key",
    "run_collector",
    "run_sequencer",
    "sequence_once",
    "sign_statement",
    "statement_hash",
    "submission_receipt",
    "submit",
    "tile",
    "verify_statement",
    "vkey",
    "vkeys",
    "wait_published",
    "witnesses",
]

published_size = reads.published_size
published = reads.published
positions = reads.positions
latest_checkpoint = reads.latest_checkpoint
checkpoint_over = reads.checkpoint_over
checkpoints = reads.checkpoints
inclusion = reads.inclusion
wait_published = writer.wait_published
consistency = reads.consistency
cosigned_note = reads.cosigned_note
final_size = reads.final_size
policy_text = trust.policy_text
vkeys = rotation.vkeys
run_collector = cosigning.run
tile = reads.tile_bytes
key_id = statements.key_id

RECEIPT_FORMAT = "dosetrail.submission-receipt/1"


def generate_key() -> SigningKey:
    """A new Ed25519 key pair from the system's randomness."""
    return key_from_seed(secrets.token_bytes(32))


def commit_claims(document: Mapping[str, Any], *, secret: bytes, party: str) -> Commitment:
    """The salted claims tree of a document; `.root` (32 bytes) is what a private statement holds."""
    return claims.commit(document, secret=secret, party=party)


def disclose(
    document: Mapping[str, Any], *, secret: bytes, party: str, names: Callable[[str], bool]
) -> list[dict[str, Any]]:
    """The claims whose name `names` accepts: `{"index", "claim", "path"}`, as the evidence bundle holds them."""
    return claims.disclose(claims.commit(document, secret=secret, party=party), names)


def sign_statement(*, key: SigningKey, iss: str, kind: str, payload: Any, iat: int) -> bytes:
    """A signed statement; `payload` is a claims root for private kinds, a JSON value for public ones; `iat` seconds."""
    return statements.sign(Header(kind, iss, key.kid, iat), payload, key=key)


def parse_statement(data: bytes) -> Statement:
    """The statement in `data`, its signature not yet verified; StatementError for any other spelling."""
    return statements.parse(data)


def verify_statement(data: bytes, public_key: bytes) -> Statement:
    """The statement in `data`; StatementError unless `public_key` is the key it names and the signature verifies."""
    parsed = statements.parse(data)
    statements.verify(parsed, public_key)
    return parsed


def submit(items: Sequence[bytes]) -> list[str]:
    """Queue statements for sequencing and return their hashes; durable when the caller's transaction commits.

    A statement that waits already is not queued again; one that is sequenced already keeps its first index, since the
    sequencer drops the second copy.
    """
    for item in items:
        statements.parse(item)  # what the sequencer takes, it must be able to read
    return writer.queue(items)


def backlog() -> int:
    """How many statements wait for their index."""
    return models.Submission.objects.count()


def ledger_time_ms() -> int:
    """The time of the newest published checkpoint, ticks included; 0 before the first."""
    return DbStore().head().published_time_ms


def submission_receipt(hashes: Sequence[str], time_ms: int) -> dict[str, Any]:
    """The log keys' word that these statements were accepted at `time_ms` and are published within the MMD.

    JSON-able; `note` is a signed note whose text names time, MMD, number of statements and the RFC 6962 root over
    their hashes in the order of `statements` (docs/formats.md).
    """
    signers = operator_keys.log_signers()
    if not signers:
        raise RefusedError("the log key is not here: nothing can be promised in its name")
    root = b64encode(merkle.root_of(bytes.fromhex(name) for name in hashes)).decode()
    mmd = settings.LOG_MMD_SECONDS
    origin = signers[0].origin
    text = f"{RECEIPT_FORMAT}\n{origin}\n{time_ms}\n{mmd}\n{len(hashes)}\n{root}\n"
    signed, *more = [note.sign(text, name=origin, seed=signer.key.seed) for signer in signers]
    return {
        "format": RECEIPT_FORMAT,
        "origin": origin,
        "time": time_ms,
        "mmdSeconds": mmd,
        "statements": list(hashes),
        "note": signed + "".join(one[len(text) + 1 :] for one in more),
    }


def initialise(*, operator_name: str) -> None:
    """Make the operator's keys and submit the genesis statement, where there is none yet."""
    with transaction.atomic():
        statements_ = operator_keys.create(generate_key, operator_name=operator_name)
        if statements_:
            submit(statements_)


def vkey() -> str:
    """The log's verifier key: what an auditor pins; the newer one while both sign."""
    return str(operator_keys.log_verifier())


def rotate_log_key(*, at_once: bool = False) -> str:
    """Make the key that follows the log's, and submit the root key's entry that says so; its vkey.

    From the checkpoint that covers the entry on, both keys sign; `at_once`, for a key that is lost or stolen, the new
    one alone. RotationError while a rotation is under way.
    """
    return str(rotation.begin(generate_key(), at_once=at_once))


def retire_log_key(wait_s: float = 10.0) -> list[str]:
    """Let the older of two log keys sign no more, and destroy it; the vkeys of all that are retired.

    RotationError before the newer one is published, or where this entry was not published within `wait_s`.
    """
    return rotation.retire(wait_s)


def register_key(*, public: bytes, party_uri: str) -> str:
    """Submit the registrar's statement that `public` signs for a party; the statement's hash.

    StatementError for a key that is not of the prime-order group. The key counts for entries after this one.
    """
    statements.check_public_key(public)
    content = keyring.registration(public=public, party=party_uri)
    return submit([operator_keys.registrar_statement("key-registered", content)])[0]


def revoke_key(*, kid: str | bytes, bad_since_ms: int) -> str:
    """Submit the registrar's statement that a key must not be believed since `bad_since_ms`; the statement's hash."""
    raw = bytes.fromhex(kid) if isinstance(kid, str) else kid
    content = keyring.revocation(kid=raw, bad_since_ms=bad_since_ms)
    return submit([operator_keys.registrar_statement("key-revoked", content)])[0]


def rotate_key(*, public: bytes, party_uri: str, replaces: str | bytes, bad_since_ms: int) -> str:
    """Submit the registrar's statement that `public` signs for a party, and retires another as of `bad_since_ms`.

    Until that moment, which may lie in the future, both keys count. The statement's hash; StatementError: a weak key.
    """
    statements.check_public_key(public)
    old = bytes.fromhex(replaces) if isinstance(replaces, str) else replaces
    content = keyring.rotation(public=public, party=party_uri, replaces=old, bad_since_ms=bad_since_ms)
    return submit([operator_keys.registrar_statement("key-rotated", content)])[0]


def key_status(kid_hex: str, index: int | None = None) -> KeyStatus:
    """What the published log says about a key as an entry at `index` meets it; None = as the next entry will."""
    size = published_size()
    kids = operator_keys.published_keyring(size)
    return kids.status(bytes.fromhex(kid_hex), size if index is None else index)


def keys(size: int | None = None) -> Mapping[str, KeyRecord]:
    """What the published log (or its first `size` entries) says of each party key, by hex id; two small queries."""
    found = operator_keys.published_keyring(published_size() if size is None else size)
    return {kid.hex(): record for kid, record in found.keys.items()}


def evidence(
    requests: Iterable[EvidenceRequest | tuple[str, Mapping[str, Any], bytes, Callable[[str], bool]]],
) -> dict[str, Any]:
    """The evidence bundle of these documents (docs/formats.md): statement, proofs, keys and the claims to be shown.

    A request is `(statement_hash, document, secret, names)`. NotPublishedError when a statement is not published.
    """
    return reads.evidence([item if isinstance(item, EvidenceRequest) else EvidenceRequest(*item) for item in requests])


def fsck(progress: Callable[[int, int], None] = lambda done, total: None) -> list[Problem]:
    """Everything that is wrong with the log, recomputed from its entries; `progress(done, total)` counts entries."""
    return checker.check(DbReader(), operator_keys.log_verifier(), progress)


def witnesses() -> list[WitnessStanding]:
    """How it stands with each witness of the policy, in the policy's order."""
    return cosigning.standing()


def monitor_reports(limit: int) -> list[models.MonitorReport]:
    """The newest reports of those who watch this log."""
    return list(models.MonitorReport.objects.order_by("-id")[:limit])


def monitor_report(digest: str) -> str | None:
    """One report as it was signed, evidence included."""
    return models.MonitorReport.objects.filter(digest=digest).values_list("note", flat=True).first()


def sequence_once(*, thorough: bool = False) -> int:
    """Sequence and publish all that waits now; the number of entries. For tests and commands.

    RefusedError when what is stored is not what was signed; `thorough` recomputes the whole log first.
    """
    if thorough:
        _require_clean()
    return writer.sequence_once()


def run_sequencer(stop: threading.Event, on_published: Callable[[], None]) -> None:
    """Be this log's writer, or wait to become it, until `stop` is set; `on_published` is called after each batch.

    Recomputes the whole log when it takes over and row by row while idle; signs nothing once something is wrong.
    """
    scrubber = checker.Scrubber(DbReader())
    writer.run(stop, on_published, check=_require_clean, scrub=lambda: _require(scrubber.next_row()))


def accept_database() -> int:
    """Write the high-water mark anew from the database, after a clean fsck; the size. For a lost file only."""
    _require_clean()
    return writer.accept_database()


def recover(
    urls: Sequence[str],
    *,
    token: str = "",
    policy_file: str | None = None,
    without: Sequence[str] = (),
    lose: Callable[[dict[str, Any]], None] = lambda thing: None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> recovery.Outcome:
    """Go on after what the followers at `urls` hold of this log, so that the house may sign again (`recovery`).

    `without` names witnesses that need not be asked; `lose` takes what could not be had. RefusedError, ForkError,
    UnreachableError, PolicyError.
    """
    with writer.elected(lambda: True) as mine:
        if not mine:
            raise RefusedError("a sequencer is running; stop it first")
        one = recovery.Recovery(trust.read(policy_file), token=token, without=without, lose=lose, progress=progress)
        return one.run(urls, check=_require_clean)


def recover_content(
    hashes: Sequence[str], url: str, *, token: str, progress: Callable[[int, int], None] = lambda done, total: None
) -> int:
    """Ask a follower for the content of statements that came back without; how many came. UnreachableError."""
    return recovery.fetch_lost(hashes, content.Source(url, token), progress=progress)


def new_epoch(
    origin: str, *, last_file: Path | None = None, progress: Callable[[int, int], None] = lambda done, total: None
) -> epoch.Begun:
    """Go on under a new origin and log key, after a clean fsck (`epoch`). RefusedError."""
    with writer.elected(lambda: True) as mine:
        if not mine:
            raise RefusedError("a sequencer is running; stop it first")
        _require(fsck(progress))
        return epoch.begin(origin, last_file=last_file)


def _require_clean() -> None:
    _require(fsck())


def _require(problems: Sequence[Problem]) -> None:
    if problems:
        raise RefusedError("; ".join(map(str, problems[:10])))
