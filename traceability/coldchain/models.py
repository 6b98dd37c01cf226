"""Logger files as they were uploaded, and the readings that the log's events carry."""

from django.db import models


class LoggerFile(models.Model):
    """An uploaded logger file: where its original bytes lie, what the reader found, which event logged its hash.

    Written by `coldchain.services.upload`, before the event is captured; never changed except to add
    `statement_hash`. Not rebuildable: the log holds the file's hash only. The bytes lie in the default storage under
    `path`, once per content.
    """

    event_id = models.CharField(max_length=64, unique=True)  # the eventID under which its hash is on the log
    sha256 = models.CharField(max_length=64, db_index=True)
    party = models.ForeignKey("parties.Party", models.PROTECT, related_name="logger_files")
    site = models.ForeignKey("parties.Site", models.PROTECT, null=True)
    holder = models.CharField(max_length=1024)  # canonical URI: what the logger rode with, or the place it hung in
    filename = models.CharField(max_length=200)
    size = models.IntegerField()
    format = models.CharField(max_length=16)  # berlinger | plain-csv
    model = models.CharField(max_length=64)
    device = models.CharField(max_length=256)  # URI
    time_zone = models.CharField(max_length=64)  # IANA name under which local times were read
    clock = models.CharField(max_length=8)  # utc | wall | fixed (loggers/localtime.py)
    first_ms = models.BigIntegerField()
    last_ms = models.BigIntegerField()
    readings = models.IntegerField()
    missing = models.IntegerField()
    alarms = models.IntegerField()  # raised by the device itself
    signature = models.CharField(max_length=32)  # loggers.model.Verdict
    key_id = models.CharField(max_length=16, blank=True)
    key_issuer = models.CharField(max_length=100, blank=True)
    key_lot = models.CharField(max_length=64, blank=True)
    statement_hash = models.CharField(max_length=64, blank=True)  # empty until captured
    uploaded_ms = models.BigIntegerField()

    @property
    def path(self) -> str:
        return storage_path(self.sha256)


class ReadingChunk(models.Model):
    """Readings of one device about one holder, from one event, in canonical bytes. Projection; rebuildable.

    `count` 0 (and no `data`) = a summary: lowest and highest temperature between start and end, readings not held.
    """

    key = models.CharField(max_length=64, primary_key=True)  # "<log index>.<holder>.<series>.<part>"
    event_index = models.BigIntegerField(db_index=True)  # log index of the event
    holder = models.CharField(max_length=1024)  # canonical URI of an item, container, lot or place
    device = models.CharField(max_length=256)  # URI of the logger; empty if the event names none
    reporter = models.CharField(max_length=128)  # party URI
    file_sha256 = models.CharField(max_length=64)  # the file it comes from; empty for values in the event itself
    start_ms = models.BigIntegerField()
    end_ms = models.BigIntegerField()
    count = models.IntegerField()
    min_mc = models.IntegerField(null=True)
    max_mc = models.IntegerField(null=True)
    data = models.BinaryField()  # coldchain/chunks.py
    voided_by = models.BigIntegerField(null=True)  # as the event's; kept, for what was held before

    class Meta:
        indexes = [models.Index(fields=["holder", "start_ms"])]


def storage_path(sha256: str) -> str:
    """Where a file with this hash lies in the default storage."""
    return f"logger-files/{sha256[:2]}/{sha256}"
