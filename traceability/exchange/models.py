"""What goes out: subscriptions to named queries, channels to partners, and what was delivered through these."""

from django.db import models

from traceability.parties.models import Party
from traceability.queries.models import NamedQuery

ALL_OF_IT = 2**63 - 1  # as event index of a place: everything that became visible at that log index was sent


class Outgoing(models.Model):
    """Where something that sends stands. Written by its service and its sender; not rebuildable.

    Its place is (`since_index`, `event_index`) of `visibility.rules.visible_since`. `lease` names the sender that is at
    it now; state of retries lies here, so that nobody sleeps and a restart forgets nothing.
    """

    class State(models.TextChoices):
        ACTIVE = "active"
        SUSPENDED = "suspended"  # after too many failures; a person lets it go on
        ENDED = "ended"  # of a channel: by a person, for good

    state = models.CharField(max_length=12, choices=State, default=State.ACTIVE)
    since_index = models.BigIntegerField()
    event_index = models.BigIntegerField()
    due_ms = models.BigIntegerField()  # not looked at before
    attempts = models.IntegerField(default=0)  # failures in a row
    failing_since_ms = models.BigIntegerField(null=True)
    error = models.CharField(max_length=300, blank=True)  # of the last attempt, '' = it went well
    sent_ms = models.BigIntegerField(null=True)  # when something was last answered with 2xx
    lease = models.CharField(max_length=32, blank=True)
    leased_until_ms = models.BigIntegerField(default=0)
    created_ms = models.BigIntegerField()

    class Meta:
        abstract = True
        indexes = [models.Index(fields=["state", "due_ms"])]


class Subscription(Outgoing):
    """A webhook that gets what a named query finds. Written by `exchange.subscriptions` and `sender`; not rebuildable.

    Its place is behind the last event that the receiver has answered for with 2xx.
    """

    id = models.CharField(max_length=32, primary_key=True)
    query = models.ForeignKey(NamedQuery, models.CASCADE, related_name="subscriptions")
    dest = models.CharField(max_length=1024)
    sealed_seed = models.BinaryField(null=True)  # the signatureToken, sealed; never shown again
    schedule = models.JSONField(null=True)  # as given; None = stream
    report_if_empty = models.BooleanField(default=False)
    initial_ms = models.BigIntegerField(null=True)  # initialRecordTime
    batch = models.IntegerField()  # events at most in the next report: halved when the receiver says 413
    sent_events = models.BigIntegerField(default=0)


class Channel(Outgoing):
    """How a partner gets documents from a party. Written by `exchange.channels` and `dispatch`; not rebuildable.

    Its place is behind the last event that a delivery was made of.
    """

    class Way(models.TextChoices):
        DOWNLOAD = "download"
        FOLDER = "folder"
        WEBHOOK = "webhook"

    class Format(models.TextChoices):
        JSON_2_0 = "json-2.0"
        XML_2_0 = "xml-2.0"
        XML_1_2 = "xml-1.2"

    id = models.CharField(max_length=32, primary_key=True)
    party = models.ForeignKey(Party, models.CASCADE, related_name="channels")
    partner = models.ForeignKey(Party, models.CASCADE, related_name="channels_to_it")
    way = models.CharField(max_length=8, choices=Way)
    format = models.CharField(max_length=8, choices=Format)
    query = models.JSONField()  # parameters, as of a named query
    dest = models.CharField(max_length=1024, blank=True)  # of a webhook
    sealed_seed = models.BinaryField(null=True)  # the token that signs a webhook's calls, sealed
    statement = models.CharField(max_length=2000, blank=True)  # DSCSA transaction statement, in the header
    next_number = models.IntegerField(default=1)


class Delivery(models.Model):
    """A document for a partner: its bytes never change, its state does. Written by `exchange`; not rebuildable."""

    class State(models.TextChoices):
        QUEUED = "queued"  # made; to be fetched, or waiting for its turn
        SENT = "sent"  # put into the partner's folder
        FETCHED = "fetched"  # by the partner
        ANSWERED = "answered"  # the partner took it: 2xx, or an acknowledgement
        FAILED = "failed"  # given up, or refused by the partner

    id = models.CharField(max_length=32, primary_key=True)
    channel = models.ForeignKey(Channel, models.CASCADE, related_name="deliveries")
    message = models.CharField(max_length=40, blank=True)  # form of one that is no EPCIS document, '' = the channel's
    number = models.IntegerField()  # within the channel, from 1
    body = models.BinaryField()
    sha256 = models.CharField(max_length=64)
    size = models.IntegerField()  # bytes
    events = models.IntegerField()
    state = models.CharField(max_length=8, choices=State, default=State.QUEUED)
    created_ms = models.BigIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["channel", "number"], name="delivery_once")]
        indexes = [models.Index(fields=["channel", "state", "number"]), models.Index(fields=["created_ms", "id"])]

    @property
    def format(self) -> str:
        """What the bytes are: a key of `partner_document.MEDIA_TYPES`."""
        return self.message or self.channel.format


class DeliveryStep(models.Model):
    """What became of a delivery, when and by whom. Written by `exchange.deliveries`; never changed, not rebuildable."""

    delivery = models.ForeignKey(Delivery, models.CASCADE, related_name="steps")
    state = models.CharField(max_length=8, choices=Delivery.State)
    at_ms = models.BigIntegerField()
    actor = models.CharField(max_length=128, blank=True)  # a party's URI or a member's pseudonym; '' = this house
    detail = models.CharField(max_length=300, blank=True)  # the receiver's answer, or why it failed
