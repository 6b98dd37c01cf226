"""Who holds what, and what is inside what: projections of the event index; rebuildable."""

from django.db import models


class ItemState(models.Model):
    """What a thing's own events say of it. Containers' moves are not repeated here: selectors climb to them."""

    class Status(models.TextChoices):
        ACTIVE = "active"
        SHIPPED = "shipped"
        PARTIALLY_DISPENSED = "partially_dispensed"
        DISPENSED = "dispensed"
        DESTROYED = "destroyed"
        DECOMMISSIONED = "decommissioned"
        SAMPLED = "sampled"
        STOLEN = "stolen"
        EXPORTED = "exported"

    epc = models.CharField(max_length=1024, primary_key=True)
    status = models.CharField(max_length=20)
    place = models.CharField(max_length=1024)  # canonical URI of where it was last seen
    party = models.CharField(max_length=1024)  # who recorded that, or the receiver while it is shipped to nobody yet
    destination = models.CharField(max_length=1024, default="")  # while shipped: the owning party named
    lot = models.CharField(max_length=64, default="")
    expiry = models.CharField(max_length=40, default="")
    gtin = models.CharField(max_length=14, default="")
    container = models.CharField(max_length=1024, default="")  # what it lies in directly now, '' = in nothing
    history = models.CharField(
        max_length=32, default=""
    )  # digest of the events that name it; equal: they share their fate
    held_index = models.BigIntegerField(null=True)  # the event that put it on hold
    commissioned_index = models.BigIntegerField(null=True)
    known_since_ms = models.BigIntegerField()
    last_index = models.BigIntegerField()
    last_time_ms = models.BigIntegerField()
    opened_ms = models.BigIntegerField(null=True)  # when it was first dispensed from in part
    left = models.IntegerField(null=True)  # units in an opened pack, where the newest dispensing says so

    class Meta:
        indexes = [
            models.Index(fields=["gtin", "lot", "party", "history", "epc"]),
            models.Index(fields=["place", "status"]),
        ]


class LotCount(models.Model):
    """How many packs of a lot stand alike, so that a lot of a million is counted by its cases and holders.

    The sum of `ItemState` over packs with the same `lot_count.Standing`. Projection; rebuildable.
    """

    key = models.CharField(max_length=64, primary_key=True)  # SHA-256 of the other fields
    gtin = models.CharField(max_length=14)
    lot = models.CharField(max_length=64)
    container = models.CharField(max_length=1024)
    status = models.CharField(max_length=20)
    place = models.CharField(max_length=1024)
    party = models.CharField(max_length=1024)
    destination = models.CharField(max_length=1024)
    seen_ms = models.BigIntegerField()  # last_time_ms of packs in a container, else 0
    is_commissioned = models.BooleanField()
    packs = models.BigIntegerField()

    class Meta:
        indexes = [
            models.Index(fields=["gtin", "lot"]),
            models.Index(fields=["place"], name="lot_count_by_place"),
            models.Index(fields=["container"], condition=~models.Q(container=""), name="lot_count_in_container"),
        ]


class Containment(models.Model):
    """That a thing was inside another from a moment to a moment (null = still)."""

    pk = models.CompositePrimaryKey("child", "from_ms", "parent")
    child = models.CharField(max_length=1024)
    parent = models.CharField(max_length=1024)
    from_ms = models.BigIntegerField()
    to_ms = models.BigIntegerField(null=True)
    from_index = models.BigIntegerField()
    to_index = models.BigIntegerField(null=True)

    class Meta:
        indexes = [models.Index(fields=["parent", "from_ms"])]


class Shipment(models.Model):
    """What travels under one despatch advice: despatched and received sets."""

    class Status(models.TextChoices):
        OPEN = "open"
        PARTIAL = "partial"
        RECEIVED = "received"
        VOID = "void"

    despatch = models.CharField(max_length=1024, primary_key=True)  # business transaction of type desadv
    number = models.CharField(max_length=1024, default="")  # as it is printed, without whose number it is
    sender = models.CharField(max_length=128)  # party URI that recorded the despatch, '' while none did
    receiver = models.CharField(max_length=1024)  # destination as the despatch names it
    receiver_party = models.CharField(max_length=128, default="")  # party URI that recorded a receipt
    status = models.CharField(max_length=8)
    despatched = models.JSONField()  # EPCs, sorted
    received = models.JSONField()
    shipped_ms = models.BigIntegerField(null=True)
    received_ms = models.BigIntegerField(null=True)
    shipped_index = models.BigIntegerField(null=True)
    received_index = models.BigIntegerField(null=True)  # of the newest receipt

    class Meta:
        indexes = [
            models.Index(fields=["number"]),
            models.Index(fields=["sender"]),
            models.Index(fields=["receiver"]),
            models.Index(
                fields=["receiver_party"], condition=models.Q(shipped_index=None), name="shipment_unsent_by_receiver"
            ),
        ]


class LotStatus(models.Model):
    """What class-level events say of a lot: recalled, held, frozen, released. Projection; rebuildable."""

    lot_class = models.CharField(max_length=1024, primary_key=True)  # Digital Link of GTIN and lot
    recalled_index = models.BigIntegerField(null=True)
    recalled_ms = models.BigIntegerField(null=True)
    recalled_by = models.CharField(max_length=128, default="")
    held_index = models.BigIntegerField(null=True)  # by its maker
    frozen_index = models.BigIntegerField(null=True)  # by a regulator
    released_index = models.BigIntegerField(null=True)


class PlaceStatus(models.Model):
    """That a regulator has frozen a place with all goods at it. Projection; rebuildable."""

    place = models.CharField(max_length=1024, primary_key=True)  # canonical URI
    frozen_index = models.BigIntegerField()
