"""The log's tables. Nothing here can be rebuilt but `Tile`; no foreign key points in or out (architecture.md)."""

from django.db import models


class LogKey(models.Model):
    """A private key of this house: the operator's log key (checkpoints), root (genesis, log keys) and registrar (key
    statements), written once by `api.initialise`; or the key of a witness (cosignatures, reports), by
    `member.open_signer`. Only of log keys there may be several: `api.rotate_log_key` adds one.

    The seed is sealed with PyNaCl SecretBox under settings.KEY_ENCRYPTION_KEY; empty once a log key is retired.
    """

    class Role(models.TextChoices):
        LOG = "log"
        ROOT = "root"
        REGISTRAR = "registrar"
        WITNESS = "witness"

    role = models.CharField(max_length=16, choices=Role)
    kid = models.CharField(max_length=64, primary_key=True)  # hex of the RFC 9679 thumbprint
    public_key = models.BinaryField()
    sealed_seed = models.BinaryField()
    origin = models.CharField(max_length=255)  # what the key signs for, and never for another; a witness' own name
    operator = models.CharField(max_length=200)
    created_ms = models.BigIntegerField()  # of log keys: rises, so that it orders them

    class Meta:
        constraints = [models.UniqueConstraint(fields=["role"], condition=~models.Q(role="log"), name="key_once")]


class Submission(models.Model):
    """A statement that waits for its index. Written by `api.submit`, taken by the sequencer in order of id."""

    statement_hash = models.CharField(max_length=64, unique=True)
    statement = models.BinaryField()


class Entry(models.Model):
    """One sequenced entry. Written by the sequencer, never changed; published once a published checkpoint covers it."""

    index = models.BigIntegerField(primary_key=True)
    statement_hash = models.CharField(max_length=64, unique=True)  # lower-case hex of the leaf hash
    statement = models.BinaryField()
    record_time_ms = models.BigIntegerField()


class KeyEntry(models.Model):
    """Which entries are about keys, and about which: an index for the keyring. Written with the entry; rebuildable."""

    index = models.BigIntegerField()
    kid = models.CharField(max_length=64, db_index=True)  # the key registered or revoked; the root key for genesis

    class Meta:
        constraints = [models.UniqueConstraint(fields=["index", "kid"], name="key_entry_once")]


class Tile(models.Model):
    """A row of up to 256 hashes (C2SP tlog-tiles): a partial tile is a prefix of the growing row."""

    path = models.CharField(max_length=64, primary_key=True)  # as of the full tile: "0/x001/000"
    hashes = models.BinaryField()


class Checkpoint(models.Model):
    """A checkpoint that the log key signed. Written by the sequencer; a tick repeats the newest with a later time."""

    size = models.BigIntegerField()
    root = models.CharField(max_length=64)  # hex
    note = models.TextField()
    time_ms = models.BigIntegerField(unique=True)
    tick = models.BooleanField(default=False)
    published = models.BooleanField(default=False)

    class Meta:
        indexes = [models.Index(fields=["published", "id"]), models.Index(fields=["size", "id"])]


class Head(models.Model):
    """The log's one head row: the sequencer locks it, so that there is one writer (ledger.md, section 6)."""

    id = models.SmallIntegerField(primary_key=True)  # always 1
    size = models.BigIntegerField(default=0)
    root = models.CharField(max_length=64)
    time_ms = models.BigIntegerField(default=0)  # of the newest signed checkpoint
    published_size = models.BigIntegerField(default=0)
    published_time_ms = models.BigIntegerField(default=0)
    final_size = models.BigIntegerField(default=0)  # of the largest checkpoint that the witness quorum cosigned
    # Why the sequencer signs nothing; '' = it does, or does not run.
    refusal = models.TextField(default="", db_default="")


class PolicyVersion(models.Model):
    """A trust policy that this house went by, in order of id. Written by the collector, with the entry that says so."""

    text = models.TextField()
    adopted_ms = models.BigIntegerField()


class Cosignature(models.Model):
    """A witness' line under a published checkpoint of ours, its newest. Written by the collector (`cosigning`).

    Checkpoints of one size are one text, ticks included: the size names what was cosigned.
    """

    size = models.BigIntegerField()
    witness = models.CharField(max_length=255)  # as the policy names it
    line = models.TextField()
    time_s = models.BigIntegerField()  # as the witness says, seconds since 1970

    class Meta:
        constraints = [models.UniqueConstraint(fields=["size", "witness"], name="cosignature_once")]


class WitnessContact(models.Model):
    """How it stands with a witness of our policy: what it cosigned last, what it answered. Written by the collector."""

    witness = models.CharField(max_length=255, primary_key=True)
    size = models.BigIntegerField(default=0)  # what it cosigned last of our log: the old size of the next request
    cosigned_ms = models.BigIntegerField(default=0)
    error = models.CharField(max_length=500, blank=True)  # of the newest request; empty = it cosigned
    asked_ms = models.BigIntegerField(default=0)


class WitnessedLog(models.Model):
    """What this witness last cosigned of a log. Written by compare-and-set before the cosignature is answered.

    Losing it is losing the witness: a witness that forgot may cosign a fork (C2SP tlog-witness).
    """

    origin = models.CharField(max_length=255, primary_key=True)
    size = models.BigIntegerField()
    root = models.CharField(max_length=64)  # hex
    time_s = models.BigIntegerField()
    note = models.TextField()  # the log's lines and ours


class MonitorFinding(models.Model):
    """What this follower or witness saw a log do, with the evidence. Written once per piece of evidence, never changed
    but for `delivered_ms`.
    """

    digest = models.CharField(max_length=64, unique=True)  # of kind and evidence: the same again is no second finding
    kind = models.CharField(max_length=32)
    detail = models.TextField()
    evidence = models.JSONField()
    note = models.TextField()  # the signed report (docs/formats.md)
    found_ms = models.BigIntegerField()
    delivered_ms = models.BigIntegerField(null=True)  # when the log took the report; the owner's webhook comes before


class MonitorReport(models.Model):
    """What a witness of our policy reported about this log. Written by `/log/reports`; read by cursor on its id."""

    digest = models.CharField(max_length=64, unique=True)
    witness = models.CharField(max_length=255)
    kind = models.CharField(max_length=32)
    detail = models.TextField()
    evidence = models.JSONField()
    note = models.TextField()
    received_ms = models.BigIntegerField()


class HeldContent(models.Model):
    """What this follower was given of one entry beside the log: its ledger time, and its content where its house may
    see it. Written once by `member`, entry after entry; not rebuildable where the log has lost it.
    """

    index = models.BigIntegerField(primary_key=True)
    record_time_ms = models.BigIntegerField()
    body = models.BinaryField(null=True)
    secret = models.BinaryField(null=True)


class PastLog(models.Model):
    """A log that this house ran before it began a new epoch; what it signed stays verifiable. By `epoch.begin`."""

    origin = models.CharField(max_length=255, primary_key=True)
    vkeys = models.TextField()  # one a line, oldest first
    size = models.BigIntegerField()  # of the last checkpoint that is known of it
    root = models.CharField(max_length=64)  # hex
    note = models.TextField()
    kept = models.BigIntegerField()  # entries that went over
    ended_ms = models.BigIntegerField()


class PastCheckpoint(models.Model):
    """A checkpoint of a past log, one for each size. Written by `epoch.begin`; never served as this log's."""

    origin = models.CharField(max_length=255)
    size = models.BigIntegerField()
    note = models.TextField()
    time_ms = models.BigIntegerField()

    class Meta:
        indexes = [models.Index(fields=["origin", "size"])]
