"""Alerts as findings make them, what people did about them, and the order in which changes leave the house."""

from django.db import models


class Alert(models.Model):
    """One incident: the findings that belong together. Projection ALERTS; rebuildable."""

    class State(models.TextChoices):
        NEW = "new"
        ACKNOWLEDGED = "acknowledged"
        ANSWERED = "answered"
        RESOLVED = "resolved"
        RETRACTED = "retracted"

    id = models.CharField(max_length=24, primary_key=True)  # keyed hash of the incident
    incident = models.CharField(max_length=64, unique=True)
    rule = models.CharField(max_length=32)
    severity = models.CharField(max_length=2)  # S1 | S2 | S3 | S4
    certainty = models.CharField(max_length=8)  # certain | possible
    code = models.CharField(max_length=40)  # of the explanation (contracts/wording.py)
    params = models.JSONField()
    subject = models.CharField(max_length=1024)
    count = models.IntegerField()  # findings behind it
    evidence = models.JSONField()  # log indexes
    gtin = models.CharField(max_length=14, blank=True)
    lot = models.CharField(max_length=64, blank=True)
    at_ms = models.BigIntegerField()  # when it happened
    judged_by = models.CharField(max_length=80)  # key of the contract version
    opened_index = models.BigIntegerField()
    opened_ms = models.BigIntegerField()  # ledger time
    settle_until_ms = models.BigIntegerField()  # before this (ledger time) nothing leaves the building
    retracted_index = models.BigIntegerField(null=True)
    handled = models.CharField(max_length=12, choices=State, default=State.NEW)  # what people made of it
    state = models.CharField(max_length=12, choices=State, default=State.NEW)  # `handled`, or retracted
    version = models.IntegerField(default=0)  # transitions made by people

    class Meta:
        indexes = [
            models.Index(fields=["state", "severity"]),
            models.Index(fields=["opened_ms", "id"]),
            models.Index(fields=["rule"]),
        ]


class AlertParty(models.Model):
    """A party concerned, by the URI that events name it with. Projection ALERTS; rebuildable."""

    pk = models.CompositePrimaryKey("alert_id", "party")
    alert_id = models.CharField(max_length=24)
    party = models.CharField(max_length=1024)

    class Meta:
        indexes = [models.Index(fields=["party"])]


class AlertTransition(models.Model):
    """What a person did about an alert. Written by `alerts.services` with its statement; never changed.

    The unique version is the compare-and-set: of two people who act on the same state only one is recorded. Its content
    is on the log as well (kind alert-transition), from which the fold restores the alert's state.
    """

    statement_hash = models.CharField(max_length=64, primary_key=True)
    alert_id = models.CharField(max_length=24)
    version = models.IntegerField()
    from_state = models.CharField(max_length=12)
    to_state = models.CharField(max_length=12)
    party = models.CharField(max_length=128)  # URI
    actor = models.CharField(max_length=32)  # the member's pseudonym
    comment = models.CharField(max_length=500)
    cause = models.CharField(max_length=32, blank=True)  # of a resolution
    time_ms = models.BigIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["alert_id", "version"], name="alert_transition_once")]


class AlertChange(models.Model):
    """Outbox of the event stream: its id is the stream's event id. Not part of the fold: a rebuild adds no old news."""

    position = models.BigIntegerField(db_index=True)  # log index up to which the fold had read
    alert_id = models.CharField(max_length=24, db_index=True)
    fingerprint = models.CharField(max_length=64)  # of what the change shows; the same again is no news
