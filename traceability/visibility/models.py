"""Who may see which event, from when on: a projection; rebuildable."""

from django.db import models


class Audience(models.Model):
    """That an event is in the audience of a party from a log index on. Only ever added to, since what was read is read.

    `party` is a URI as events name parties (the party's own, a GLN of it or of a site), or EVERYBODY. Regulators see
    all without rows. Projection; rebuildable.
    """

    EVERYBODY = "*"

    pk = models.CompositePrimaryKey("party", "event_index")
    party = models.CharField(max_length=1024)
    event_index = models.BigIntegerField()
    since_index = models.BigIntegerField()  # the entry by which the rule held first

    class Meta:
        indexes = [models.Index(fields=["party", "since_index", "event_index"], name="visibility_since")]
