"""What was captured (lasting), and the index of published events that queries use (projection)."""

from django.db import models


class CaptureJob(models.Model):
    """One document taken in through the front door. Written by `capture.jobs` and `capture.intake`; not rebuildable.

    A large one waits in the spool folder, in a file of the job's ID, while `waiting`.
    """

    id = models.CharField(max_length=32, primary_key=True)
    reporter = models.CharField(max_length=128)  # party URI
    body_sha256 = models.CharField(max_length=64)
    error_behaviour = models.CharField(max_length=8)  # rollback | proceed
    created_ms = models.BigIntegerField()
    waiting = models.BooleanField(default=False)  # neither stored nor refused yet
    finished_ms = models.BigIntegerField(null=True)
    failed = models.BooleanField(default=False)  # nothing of it was stored
    media = models.CharField(max_length=4, default="json")  # json | xml
    extensions = models.JSONField(default=dict)  # prefixes declared outside the document
    attempts = models.SmallIntegerField(default=0)  # how often a worker began with it
    progress = models.SmallIntegerField(default=0)  # per cent, while it is worked on
    event_count = models.IntegerField(default=0)
    already_recorded = models.IntegerField(default=0)
    errors = models.JSONField(default=list)  # faults of events left out under "proceed", or of the whole
    receipt = models.JSONField(default=dict)  # empty while it waits, and when it failed
    last_statement = models.CharField(max_length=64, default="")  # of its own new ones, the one published last

    class Meta:
        constraints = [
            # The bytes of a job that failed may come again, and may be right by then.
            models.UniqueConstraint(
                fields=["reporter", "body_sha256"], condition=models.Q(failed=False), name="capture_job_once"
            )
        ]
        indexes = [
            models.Index(fields=["reporter", "created_ms"]),
            models.Index(fields=["created_ms"], condition=models.Q(waiting=True), name="capture_job_waiting"),
        ]


class CapturedEvent(models.Model):
    """The idempotency key of an event and the statement it became. Written by `capture.store`; not rebuildable.

    It counts for nobody while its job waits (`selectors.recorded`).
    """

    statement_hash = models.CharField(max_length=64, primary_key=True)
    job = models.ForeignKey(CaptureJob, models.PROTECT, null=True, related_name="events")
    reporter = models.CharField(max_length=128)
    event_id = models.CharField(max_length=512)
    declaration = models.CharField(max_length=40, default="")  # declarationTime as written, or ''
    content_sha256 = models.CharField(max_length=64)
    idempotency_key = models.CharField(max_length=128, null=True)  # as the caller gave it, or "scan:" and a nonce

    class Meta:
        indexes = [
            models.Index(
                fields=["reporter", "idempotency_key"],
                condition=models.Q(idempotency_key__isnull=False),
                name="captured_event_by_key",
            )
        ]
        constraints = [
            models.UniqueConstraint(fields=["reporter", "event_id", "declaration"], name="captured_event_once")
        ]


class StagedStatement(models.Model):
    """A statement of a large document that is not queued yet: its job waits, or has just ended.

    Written by `capture.staging`; not rebuildable.
    """

    job = models.ForeignKey(CaptureJob, models.PROTECT, related_name="+", db_index=False)
    statement = models.BinaryField()

    class Meta:
        indexes = [models.Index(fields=["job", "id"])]


class PublishedEvent(models.Model):
    """One published event, as queries and folds read it. Projection of event entries; rebuildable."""

    index = models.BigIntegerField(primary_key=True)  # log index
    statement_hash = models.CharField(max_length=64)
    reporter = models.CharField(max_length=128)  # party URI that signed
    event_id = models.CharField(max_length=512)
    event_type = models.CharField(max_length=256)
    event_time_ms = models.BigIntegerField()
    offset_minutes = models.SmallIntegerField()
    record_time_ms = models.BigIntegerField()
    action = models.CharField(max_length=8)
    biz_step = models.CharField(max_length=256)
    disposition = models.CharField(max_length=256)
    read_point = models.CharField(max_length=1024)
    biz_location = models.CharField(max_length=1024)
    lot = models.CharField(max_length=64, default="")  # of ilmd
    expiry = models.CharField(max_length=40, default="")  # of ilmd, as written
    persistent_set = models.CharField(max_length=2600, default="")  # bare words, space-separated
    persistent_unset = models.CharField(max_length=2600, default="")
    declaration_ms = models.BigIntegerField(null=True)  # set on an error declaration
    declaration_reason = models.CharField(max_length=256, default="")
    voided_by = models.BigIntegerField(null=True)  # index of the entry by which it does not count now (`VoidSpan`)
    kid = models.CharField(max_length=64, default="")  # key that signed it, hex
    iat = models.BigIntegerField(default=0)  # seconds since 1970, the signer's word

    class Meta:
        indexes = [
            models.Index(fields=["event_time_ms", "index"]),
            models.Index(fields=["record_time_ms", "index"]),
            models.Index(fields=["event_id"]),
            models.Index(fields=["statement_hash"]),
            models.Index(fields=["event_type", "event_time_ms"]),
            models.Index(fields=["biz_step", "event_time_ms"]),
            models.Index(fields=["disposition", "event_time_ms"]),
            models.Index(fields=["read_point", "event_time_ms"]),
            models.Index(fields=["biz_location", "event_time_ms"]),
            models.Index(fields=["reporter", "event_time_ms"]),
            models.Index(fields=["kid", "iat"]),
        ]


class VoidSpan(models.Model):
    """From which entry on an event does not count, until which, and why. Projection; rebuildable.

    An event may be void for several reasons, and counts again when the declaration that took it back is void itself.
    """

    class Reason(models.TextChoices):
        DECLARED = "declared"  # by an effective error declaration, the entry at `from_index`
        KEY = "key"  # its key does not count for it

    pk = models.CompositePrimaryKey("event_index", "from_index", "reason")
    event_index = models.BigIntegerField()
    from_index = models.BigIntegerField()
    reason = models.CharField(max_length=8)
    to_index = models.BigIntegerField(null=True)  # null = still

    class Meta:
        indexes = [models.Index(fields=["from_index"]), models.Index(fields=["to_index"])]


class EventHash(models.Model):
    """The event hash of CBV 2.0 of an event. Projection (`event_hashes`); rebuildable."""

    event_index = models.BigIntegerField(primary_key=True)
    event_hash = models.CharField(max_length=96)  # a ni: URI

    class Meta:
        indexes = [models.Index(fields=["event_hash"])]


class EventEpc(models.Model):
    """An instance that an event names, and in which role. Projection; rebuildable."""

    pk = models.CompositePrimaryKey("event_index", "role", "epc")
    event_index = models.BigIntegerField()
    role = models.CharField(max_length=8)  # epc | parent | child | input | output
    epc = models.CharField(max_length=1024)
    event_time_ms = models.BigIntegerField()

    class Meta:
        # The opclass lets PostgreSQL find by prefix, whatever its collation; SQLite compares bytes anyway.
        indexes = [
            models.Index(
                fields=["epc", "event_time_ms"], name="event_epc_by_key", opclasses=["varchar_pattern_ops", "int8_ops"]
            )
        ]


class EventClass(models.Model):
    """A class (item or lot) that an event names, with its quantity. Projection; rebuildable."""

    pk = models.CompositePrimaryKey("event_index", "position")
    event_index = models.BigIntegerField()
    position = models.IntegerField()
    role = models.CharField(max_length=16)  # quantity | child_quantity | input_quantity | output_quantity
    epc_class = models.CharField(max_length=1024)
    quantity = models.CharField(max_length=40)  # decimal text, '' = none given
    uom = models.CharField(max_length=3)

    class Meta:
        indexes = [models.Index(fields=["epc_class"], name="event_class_by_key", opclasses=["varchar_pattern_ops"])]


class EventTransaction(models.Model):
    """A business transaction of an event. Projection; rebuildable."""

    pk = models.CompositePrimaryKey("event_index", "position")
    event_index = models.BigIntegerField()
    position = models.IntegerField()
    type = models.CharField(max_length=256)
    value = models.CharField(max_length=1024)

    class Meta:
        indexes = [models.Index(fields=["value", "type"])]


class EventPartner(models.Model):
    """A source or destination of an event. Projection; rebuildable."""

    pk = models.CompositePrimaryKey("event_index", "position")
    event_index = models.BigIntegerField()
    position = models.IntegerField()
    direction = models.CharField(max_length=11)  # source | destination
    type = models.CharField(max_length=256)
    value = models.CharField(max_length=1024)

    class Meta:
        indexes = [models.Index(fields=["value", "direction"])]


class EventFacet(models.Model):
    """What else of an event can be asked for: extensions, sensor values, quantities, declarations (`epcis/facets.py`).

    Projection; rebuildable. An event without any of these has no row.
    """

    pk = models.CompositePrimaryKey("event_index", "position")
    event_index = models.BigIntegerField()
    position = models.IntegerField()
    name = models.CharField(max_length=256)
    text = models.CharField(max_length=256)
    number = models.BigIntegerField(null=True)  # `scalar.rank`
    time = models.BigIntegerField(null=True)  # ms since 1970

    class Meta:
        indexes = [
            models.Index(fields=["name", "text", "event_index"], name="event_facet_by_text"),
            models.Index(
                fields=["name", "number", "event_index"],
                condition=models.Q(number__isnull=False),
                name="event_facet_by_number",
            ),
            models.Index(
                fields=["name", "time", "event_index"],
                condition=models.Q(time__isnull=False),
                name="event_facet_by_time",
            ),
        ]
