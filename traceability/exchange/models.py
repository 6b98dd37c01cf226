"""What goes out: subscriptions to named queries, and where each stands."""

from django.db import models

from traceability.queries.models import NamedQuery

ALL_OF_IT = 2**63 - 1  # as event index of a place: everything that became visible at that log index was sent


class Subscription(models.Model):
    """A webhook that gets what a named query finds. Written by `exchange.subscriptions` and `sender`; not rebuildable.

    Its place is (`since_index`, `event_index`) of `visibility.rules.visible_since`, behind the last event that the
    receiver has answered for with 2xx. `lease` names the sender that is at it now.
    """

    class State(models.TextChoices):
        ACTIVE = "active"
        SUSPENDED = "suspended"  # after too many failures; a person resumes it

    id = models.CharField(max_length=32, primary_key=True)
    query = models.ForeignKey(NamedQuery, models.CASCADE, related_name="subscriptions")
    dest = models.CharField(max_length=1024)
    sealed_seed = models.BinaryField(null=True)  # the signatureToken, sealed; never shown again
    schedule = models.JSONField(null=True)  # as given; None = stream
    report_if_empty = models.BooleanField(default=False)
    initial_ms = models.BigIntegerField(null=True)  # initialRecordTime
    created_ms = models.BigIntegerField()
    state = models.CharField(max_length=12, choices=State, default=State.ACTIVE)
    since_index = models.BigIntegerField()
    event_index = models.BigIntegerField()
    batch = models.IntegerField()  # events at most in the next report: halved when the receiver says 413
    due_ms = models.BigIntegerField()  # not looked at before
    attempts = models.IntegerField(default=0)  # failures in a row
    failing_since_ms = models.BigIntegerField(null=True)
    error = models.CharField(max_length=300, blank=True)  # of the last attempt, '' = it went well
    sent_ms = models.BigIntegerField(null=True)  # of the last report that was answered with 2xx
    sent_events = models.BigIntegerField(default=0)
    lease = models.CharField(max_length=32, blank=True)
    leased_until_ms = models.BigIntegerField(default=0)

    class Meta:
        indexes = [models.Index(fields=["state", "due_ms"])]
