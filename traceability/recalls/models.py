"""Recalls, and the proof of who was told. Not rebuildable: what people signed, and when they were told."""

from django.db import models

from traceability.parties.models import Member, Party


class Recall(models.Model):
    """What is called back, by whom and why. Written by `recalls.services`; not rebuildable.

    One that an event recorded (a maker's own system, `origin` event) is written by `recalls.found`.
    """

    class State(models.TextChoices):
        DRAFT = "draft"  # with or without a first signature
        PUBLISHED = "published"
        CLOSED = "closed"  # nobody is told any more; what is recalled stays recalled

    class Origin(models.TextChoices):
        SIGNED = "signed"
        EVENT = "event"

    id = models.CharField(max_length=24, primary_key=True)
    owner = models.ForeignKey(Party, models.PROTECT, related_name="recalls")
    state = models.CharField(max_length=9, choices=State, default=State.DRAFT)
    origin = models.CharField(max_length=6, choices=Origin, default=Origin.SIGNED)
    is_drill = models.BooleanField(default=False)  # practised: nothing is stopped, and no patient is told
    content = models.JSONField()  # content.Content.public
    definition = models.CharField(max_length=64)  # SHA-256 of it; what a signature names
    created_ms = models.BigIntegerField()
    created_by = models.CharField(max_length=32, blank=True)  # pseudonym
    published_ms = models.BigIntegerField(null=True)
    statement_hash = models.CharField(max_length=64, blank=True)  # of the recall-notice entry
    event_id = models.CharField(max_length=1024, blank=True)  # of the class-level event that custody folds
    closed_ms = models.BigIntegerField(null=True)
    closed_by = models.CharField(max_length=32, blank=True)
    closing = models.CharField(max_length=1000, blank=True)
    looked_index = models.BigIntegerField(default=-1)  # custody's position at the newest look for holders
    due_ms = models.BigIntegerField(default=0)  # no look before

    class Meta:
        indexes = [models.Index(fields=["state", "due_ms"]), models.Index(fields=["owner", "created_ms"])]
        constraints = [
            models.UniqueConstraint(
                fields=["owner", "event_id"], condition=~models.Q(event_id=""), name="recall_event_once"
            )
        ]


class RecallLot(models.Model):
    """A lot of a recall; `lot` '' = every lot of the product. Written with its recall."""

    recall = models.ForeignKey(Recall, models.CASCADE, related_name="lots")
    gtin = models.CharField(max_length=14)
    lot = models.CharField(max_length=64, blank=True)
    lot_class = models.CharField(max_length=1024, db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["recall", "gtin", "lot"], name="recall_lot_once")]


class RecallSignature(models.Model):
    """That a person signed a recall's content. Written by `recalls.services` with its statement; never changed.

    It counts while `definition` is the recall's.
    """

    statement_hash = models.CharField(max_length=64, primary_key=True)
    recall = models.ForeignKey(Recall, models.CASCADE, related_name="signatures")
    definition = models.CharField(max_length=64)
    member = models.ForeignKey(Member, models.PROTECT)
    at_ms = models.BigIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["recall", "definition", "member"], name="recall_signature_once")]


class Notice(models.Model):
    """That a party was told which of its packs a recall concerns.

    Written by `recalls.reach`, `responses` and `delivery`. `packs` are those to be set aside: in its hands, or on their
    way to it. `supplied` were dispensed by it.
    """

    id = models.CharField(max_length=24, primary_key=True)
    recall = models.ForeignKey(Recall, models.PROTECT, related_name="notices")
    holder = models.CharField(max_length=1024)  # URI as custody names it
    party = models.ForeignKey(Party, models.PROTECT, null=True, related_name="recall_notices")  # null: not registered
    version = models.IntegerField(default=1)
    packs = models.BigIntegerField()
    supplied = models.BigIntegerField()
    moved_index = models.BigIntegerField(
        default=-1
    )  # log index of the newest record about its packs, setting aside left out
    to_send = models.BooleanField(default=True)  # over the channels that bring it (delivery.py)
    created_ms = models.BigIntegerField()
    deliver_by_ms = models.BigIntegerField()
    answer_by_ms = models.BigIntegerField()
    delivered_ms = models.BigIntegerField(null=True)  # the first receipt of any channel
    opened_ms = models.BigIntegerField(null=True)  # by a member
    answered_ms = models.BigIntegerField(null=True)  # the acknowledgement that still holds
    answered_index = models.BigIntegerField(null=True)  # log index of the list that it answered

    class Meta:
        constraints = [models.UniqueConstraint(fields=["recall", "holder"], name="notice_once")]
        indexes = [models.Index(fields=["party", "created_ms"]), models.Index(fields=["to_send"])]


class NoticeVersion(models.Model):
    """What a notice said from a moment on. Written by `recalls.reach`; never changed."""

    notice = models.ForeignKey(Notice, models.CASCADE, related_name="versions")
    number = models.IntegerField()
    packs = models.BigIntegerField()
    supplied = models.BigIntegerField()
    places = models.JSONField()  # [[gtin, lot, place, status, packs], …], sorted
    digest = models.CharField(max_length=64)  # of what it was counted from (holdings.Holding.digest)
    as_of_index = models.BigIntegerField()  # log index up to which custody had read
    at_ms = models.BigIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["notice", "number"], name="notice_version_once")]


class NoticeStep(models.Model):
    """What was done to bring a notice to its party, and what came back. Never changed."""

    class Kind(models.TextChoices):
        SENT = "sent"
        FAILED = "failed"
        DELIVERED = "delivered"  # with a receipt: fetched, answered, opened, or told by telephone
        OPENED = "opened"  # by a named member

    class Channel(models.TextChoices):
        PORTAL = "portal"
        API = "api"
        WEBHOOK = "webhook"
        FOLDER = "folder"
        EMAIL = "email"
        PHONE = "phone"

    notice = models.ForeignKey(Notice, models.CASCADE, related_name="steps")
    kind = models.CharField(max_length=9, choices=Kind)
    channel = models.CharField(max_length=7, choices=Channel)
    version = models.IntegerField()
    at_ms = models.BigIntegerField()
    actor = models.CharField(max_length=128, blank=True)  # a member's pseudonym, a party's URI, '' = this house
    detail = models.CharField(max_length=300, blank=True)
    delivery_id = models.CharField(max_length=32, blank=True, db_index=True)  # of exchange, where it carries the notice
    statement_hash = models.CharField(max_length=64, blank=True)  # of what was recorded on the log about it


class Acknowledgement(models.Model):
    """A holder's own count of what it was told of. Written by `recalls.responses` with its statement; never changed."""

    statement_hash = models.CharField(max_length=64, primary_key=True)
    notice = models.ForeignKey(Notice, models.CASCADE, related_name="acknowledgements")
    version = models.IntegerField()
    as_of_index = models.BigIntegerField()  # of the list that it answers
    packs = models.BigIntegerField()
    counts = models.JSONField()  # responses.COUNTS -> packs
    reason = models.CharField(max_length=500, blank=True)  # where they do not add up
    list_digest = models.CharField(max_length=64)  # of how they stood then (gather.standing_digest)
    actor = models.CharField(max_length=128)  # a member's pseudonym, or "token" for a system of the party
    at_ms = models.BigIntegerField()


class RecallContact(models.Model):
    """Whom to call at a party in a recall. Written by `recalls.services`; not on the log, since it names people."""

    party = models.OneToOneField(Party, models.CASCADE, primary_key=True, related_name="recall_contact")
    name = models.CharField(max_length=120, blank=True)
    phone = models.CharField(max_length=40, blank=True)
    email = models.EmailField(blank=True)
