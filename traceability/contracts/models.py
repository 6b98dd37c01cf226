"""Contract versions as the log tells them, and what they found. Projection FINDINGS; all of it rebuildable."""

from django.db import models


class Contract(models.Model):
    """One version of a rule contract and its life on the log (lifecycle.py)."""

    key = models.CharField(max_length=80, primary_key=True)  # "<contract>/<version>"
    contract = models.CharField(max_length=64, db_index=True)
    version = models.IntegerField()
    template = models.CharField(max_length=32)
    parameters = models.JSONField()
    items = models.JSONField()  # item ids in its scope; empty = all
    approvals = models.IntegerField()  # how many it needs
    parties = models.JSONField()  # URIs of those who may approve
    definition = models.CharField(max_length=64)
    state = models.CharField(max_length=10)  # lifecycle.State
    approved_by = models.JSONField(default=dict)  # party URI -> log index
    proposed_by = models.CharField(max_length=128)
    proposed_index = models.BigIntegerField()
    active_index = models.BigIntegerField(null=True)
    ended_index = models.BigIntegerField(null=True)


class MasterKey(models.Model):
    """Under which identifiers a master-data subject was known from a log index on."""

    key = models.CharField(max_length=1100, primary_key=True)  # "<lookup>@<index>"
    lookup = models.CharField(max_length=1040, db_index=True)  # "place:<uri>", "gtin:<14 digits>", "nmpa:<7 digits>"
    index = models.BigIntegerField()
    subject = models.CharField(max_length=160)


class RecallMark(models.Model):
    """An event that recalls or freezes a lot or product, or freezes a place, or ends that, by someone who may."""

    key = models.CharField(max_length=1100, primary_key=True)  # "<index>:<class or place>"
    index = models.BigIntegerField(db_index=True)
    what = models.CharField(max_length=8, default="recall")  # recall | freeze
    lot_class = models.CharField(max_length=1024)  # or the place
    effective_ms = models.BigIntegerField()
    reporter = models.CharField(max_length=128)
    sets = models.BooleanField()


class Timer(models.Model):
    """When time alone may change the findings on a shipment (ledger time)."""

    subject = models.CharField(max_length=1024, primary_key=True)  # despatch advice
    due_ms = models.BigIntegerField(db_index=True)


class Finding(models.Model):
    """What a contract version found about a subject; open until `retracted_index` is set."""

    key = models.CharField(max_length=64, primary_key=True)  # SHA-256 of rule, kind, subject, discriminator
    rule = models.CharField(max_length=32)
    kind = models.CharField(max_length=8)  # thing | holder | despatch | log | key
    subject = models.CharField(max_length=1024, db_index=True)
    incident = models.CharField(max_length=64, db_index=True)  # SHA-256; findings of one incident make one alert
    severity = models.CharField(max_length=2)  # S1 | S2 | S3 | S4
    certainty = models.CharField(max_length=8)  # certain | possible
    code = models.CharField(max_length=40)  # of the explanation (wording.py)
    params = models.JSONField()
    evidence = models.JSONField()  # log indexes
    parties = models.JSONField()  # URIs of the parties concerned
    gtin = models.CharField(max_length=14, blank=True)
    lot = models.CharField(max_length=64, blank=True)
    at_ms = models.BigIntegerField()  # when it happened
    judged_by = models.CharField(max_length=80)  # key of the contract version
    opened_index = models.BigIntegerField()
    retracted_index = models.BigIntegerField(null=True)
    changed_index = models.BigIntegerField(db_index=True)

    class Meta:
        indexes = [models.Index(fields=["rule", "retracted_index"])]
