"""Queries that a party has given a name."""

from django.db import models

from traceability.parties.models import Party


class NamedQuery(models.Model):
    """A query under a name of its party's. Written by `queries.named`; not rebuildable."""

    party = models.ForeignKey(Party, models.CASCADE, related_name="named_queries")
    name = models.CharField(max_length=128)
    query = models.JSONField()  # parameters as they were given (EPCIS 2.0, section 8.2.7)
    created_ms = models.BigIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["party", "name"], name="named_query_once")]
