"""The log's tables. Nothing here can be rebuilt but `Tile`; no foreign key points in or out (architecture.md)."""

from django.db import models


class LogKey(models.Model):
    """A private key of the operator: log (checkpoints), root (genesis) or registrar (key statements).

    Written once by `api.initialise`. The seed is sealed with PyNaCl SecretBox under settings.KEY_ENCRYPTION_KEY.
    """

    class Role(models.TextChoices):
        LOG = "log"
        ROOT = "root"
        REGISTRAR = "registrar"

    role = models.CharField(max_length=16, primary_key=True, choices=Role)
    kid = models.CharField(max_length=64)  # hex of the RFC 9679 thumbprint
    public_key = models.BinaryField()
    sealed_seed = models.BinaryField()
    origin = models.CharField(max_length=255)  # what the key signs for: it never signs for another origin
    operator = models.CharField(max_length=200)
    created_ms = models.BigIntegerField()


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
        indexes = [models.Index(fields=["published", "id"])]


class Head(models.Model):
    """The log's one head row: the sequencer locks it, so that there is one writer (ledger.md, section 6)."""

    id = models.SmallIntegerField(primary_key=True)  # always 1
    size = models.BigIntegerField(default=0)
    root = models.CharField(max_length=64)
    time_ms = models.BigIntegerField(default=0)  # of the newest signed checkpoint
    published_size = models.BigIntegerField(default=0)
    published_time_ms = models.BigIntegerField(default=0)
