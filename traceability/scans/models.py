"""What was scanned, as it was scanned."""

from django.db import models


class ScanEvent(models.Model):
    """One recorded or refused scan: raw codes, who, where, the verdict, what came of it. Written by `scans.services`.

    Not rebuildable. `nonce` makes a retry a no-op: the first answer stands.
    """

    party = models.CharField(max_length=64)
    member = models.CharField(max_length=32, default="")  # pseudonym; '' = the party's own system
    device = models.CharField(max_length=64, default="")
    nonce = models.CharField(max_length=64, null=True)
    step = models.CharField(max_length=32)
    place = models.CharField(max_length=1024)
    codes = models.JSONField()  # raw, as scanned
    details = models.JSONField(default=dict)  # what else the step was told
    profile = models.CharField(max_length=80, default="")  # that it was judged by, such as core/1
    verdict = models.CharField(max_length=8)
    reasons = models.JSONField()  # [{verdict, code, epc}]
    override_reason = models.CharField(max_length=500, default="")
    event_ids = models.JSONField(default=list)
    statement_hashes = models.JSONField(default=list)
    scanned_ms = models.BigIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["party", "nonce"], name="scan_nonce_once")]
        indexes = [models.Index(fields=["party", "scanned_ms"])]
