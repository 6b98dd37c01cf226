"""Who may see which event, from when on: a projection; rebuildable."""

from django.db import models


class Audience(models.Model):
    """That an event is in the audience of a party from a log index on. Only ever added to, since what was read is read.

    `party` is a URI as events name parties (the party's own, a GLN of it or of a site), or EVERYBODY. Regulators see
    all without rows. What most queries ask stands here once more, so that a party's events come in order out of one
    index. Projection; rebuildable.
    """

    EVERYBODY = "*"

    pk = models.CompositePrimaryKey("party", "event_index")
    party = models.CharField(max_length=1024)
    event_index = models.BigIntegerField()
    since_index = models.BigIntegerField()  # the entry by which the rule held first
    event_time_ms = models.BigIntegerField()  # of the event, as is `biz_step`
    biz_step = models.CharField(max_length=256)

    class Meta:
        indexes = [
            models.Index(fields=["party", "since_index", "event_index"], name="visibility_since"),
            models.Index(fields=["party", "event_time_ms", "event_index", "biz_step"], name="visibility_in_order"),
        ]


class Read(models.Model):
    """That a regulator's member or system was shown events. Written by `visibility.receipts`; not rebuildable.

    One row per request. It goes onto the log with others of the same regulator (kind read-receipts), signed by it.
    """

    at_ms = models.BigIntegerField()
    regulator = models.CharField(max_length=128)  # party URI
    reader = models.CharField(max_length=64)  # a member's pseudonym, or "token:" and 12 digits of its digest
    door = models.CharField(max_length=64)  # the name of the address that answered
    question = models.CharField(max_length=300)  # method, path and query as asked, cut
    events = models.IntegerField()
    indexes_sha256 = models.CharField(max_length=64)  # of the log indexes in order, as RFC 8785 JSON
    reporters = models.JSONField()  # party URI -> how many of the events it reported
    statement_hash = models.CharField(max_length=64, default="")  # the receipt that it stands in; '' = not yet

    class Meta:
        indexes = [
            models.Index(fields=["id"], condition=models.Q(statement_hash=""), name="visibility_read_waiting"),
        ]


class ReadTally(models.Model):
    """How many events of a party a regulator was shown by one read. Written with the receipt; not rebuildable."""

    read = models.ForeignKey(Read, models.PROTECT)
    reporter = models.CharField(max_length=128)  # party URI
    at_ms = models.BigIntegerField()
    door = models.CharField(max_length=64)
    events = models.IntegerField()

    class Meta:
        indexes = [models.Index(fields=["reporter", "at_ms"])]
