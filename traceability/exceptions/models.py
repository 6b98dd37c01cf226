"""Goods that do not fit their data: work items of the party that has them, each with a clock."""

from django.db import models

from traceability.exchange.models import Delivery
from traceability.parties.models import Party


class ExceptionItem(models.Model):
    """One exception and where it stands. Written by `exceptions.services` and `arrivals`; not rebuildable.

    What is done to the goods, hold and release, is on the log; the item itself is between the party and its partner.
    """

    class Kind(models.TextChoices):
        """The five classes of the Healthcare Distribution Alliance's exceptions guidelines."""

        PRODUCT_NO_DATA = "product-no-data"
        DATA_NO_PRODUCT = "data-no-product"
        DATA_ISSUE = "data-issue"
        PACKAGING = "packaging"
        UNAVAILABLE = "unavailable"

    class State(models.TextChoices):
        OPEN = "open"
        ASKED = "asked"  # the partner was asked
        ANSWERED = "answered"  # by the partner, on its own desk; the party decides
        ESCALATED = "escalated"  # the regulator sees it
        RESOLVED = "resolved"

    id = models.CharField(max_length=24, primary_key=True)
    party = models.ForeignKey(Party, models.PROTECT, related_name="exceptions")
    partner = models.ForeignKey(Party, models.PROTECT, null=True, related_name="exceptions_asked")
    kind = models.CharField(max_length=16, choices=Kind)
    state = models.CharField(max_length=9, choices=State, default=State.OPEN)
    place = models.CharField(max_length=1024)  # the site's URI
    despatch = models.CharField(max_length=1024, blank=True)
    note = models.CharField(max_length=500)
    opened_ms = models.BigIntegerField()
    due_ms = models.BigIntegerField()
    closed_ms = models.BigIntegerField(null=True)
    asked_ms = models.BigIntegerField(null=True)  # from then on the partner sees it
    escalated_ms = models.BigIntegerField(null=True)  # from then on the regulator sees it
    waits = models.BooleanField()  # for data whose arrival resolves it
    looked_index = models.BigIntegerField(default=-1)  # log index up to which arrivals were looked for
    version = models.IntegerField(default=0)  # steps that people took

    class Meta:
        indexes = [
            models.Index(fields=["party", "state", "due_ms"]),
            models.Index(fields=["partner", "asked_ms"]),
            models.Index(fields=["looked_index"], condition=models.Q(waits=True), name="exception_waiting"),
        ]


class ExceptionGoods(models.Model):
    """A thing that an exception is about. Written with its item; not rebuildable."""

    item = models.ForeignKey(ExceptionItem, models.CASCADE, related_name="goods")
    party = models.ForeignKey(Party, models.CASCADE, related_name="+")
    epc = models.CharField(max_length=1024)
    code = models.CharField(max_length=500)  # as scanned
    lot = models.CharField(max_length=64, blank=True)  # as printed, '' where the code does not say
    expiry = models.CharField(max_length=10, blank=True)  # ISO date as printed
    held = models.BooleanField()  # by this exception; False: it was on hold before, or is not here
    is_open = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["party", "epc"], condition=models.Q(is_open=True), name="exception_once")
        ]


class ExceptionStep(models.Model):
    """What became of an exception, when and by whom. Written by `exceptions.services`; never changed."""

    COMMENTED = "commented"  # the regulator's word to the party; the exception stays where it stands

    item = models.ForeignKey(ExceptionItem, models.CASCADE, related_name="steps")
    state = models.CharField(max_length=9, choices=[*ExceptionItem.State.choices, (COMMENTED, "Commented")])
    at_ms = models.BigIntegerField()
    # A pseudonym, or token:… for a system: of the partner when answered, the regulator when commented; '' = this house.
    actor = models.CharField(max_length=32, blank=True)
    comment = models.CharField(max_length=500, blank=True)
    event_ids = models.JSONField(default=list)  # of the hold or release recorded with it
    delivery = models.ForeignKey(Delivery, models.PROTECT, null=True, related_name="+")  # the message that went out


class ExpectedList(models.Model):
    """What a party was told to expect under a number: a despatch list, or its own order. Written by `expected`.

    Not rebuildable: it came on paper, by mail or from an ERP, never over the log. Only the party itself sees it.
    """

    class Kind(models.TextChoices):
        ADVICE = "advice"
        ORDER = "order"

    party = models.ForeignKey(Party, models.CASCADE, related_name="+")
    document = models.CharField(max_length=1024)  # URI of the despatch advice or the order
    kind = models.CharField(max_length=6, choices=Kind)
    partner = models.ForeignKey(Party, models.PROTECT, null=True, related_name="+")
    things = models.JSONField()  # [[EPC, lot, ISO date of expiry], ...], sorted; '' where the list does not say
    amounts = models.JSONField()  # [[GTIN, lot, ISO date of expiry, packs], ...], sorted
    lines = models.IntegerField()
    sha256 = models.CharField(max_length=64)  # of the file or text as it was given
    actor = models.CharField(max_length=32, blank=True)  # the member's pseudonym, '' = the party's system
    by_quality = models.BooleanField()  # only then does it count for the release of goods on hold
    stored_ms = models.BigIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["party", "document", "kind"], name="expected_list_once")]
        indexes = [models.Index(fields=["party", "stored_ms"], name="expected_list_newest")]


class KeptOverview(models.Model):
    """What was worked out of a large shipment for a party. Written by `exceptions.kept`; rebuilt when it is looked at.

    Its rows lie beside it in pieces, so that a page reads a hundred and not all.
    """

    party = models.ForeignKey(Party, models.CASCADE, related_name="+")
    document = models.CharField(max_length=1024)
    as_of = models.BigIntegerField(default=-2)  # log index up to which records were read, -2 = never
    facts = models.JSONField(null=True)  # `overview.Facts`
    wanted_ms = models.BigIntegerField(null=True)  # since when somebody waits for a newer one

    class Meta:
        constraints = [models.UniqueConstraint(fields=["party", "document"], name="kept_overview_once")]
        indexes = [
            models.Index(fields=["wanted_ms"], condition=models.Q(wanted_ms__isnull=False), name="kept_overview_wanted")
        ]


class KeptRows(models.Model):
    """A hundred rows of a part of a kept overview, as JSON in zlib. Written by `exceptions.kept`, rebuilt with it."""

    overview = models.ForeignKey(KeptOverview, models.CASCADE, related_name="+")
    part = models.CharField(max_length=10)  # of `overview.PARTS`
    number = models.IntegerField()  # from 0
    body = models.BinaryField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["overview", "part", "number"], name="kept_rows_once")]


class KeptStanding(models.Model):
    """Where a shipment stands for a party, with figures. Written by `exceptions.standings`; rebuilt when looked at."""

    party = models.ForeignKey(Party, models.CASCADE, related_name="+")
    document = models.CharField(max_length=1024)
    as_of = models.BigIntegerField(default=-2)  # log index up to which records were read, -2 = never
    # As the shipment was recorded when it was counted: another one is counted anew.
    status = models.CharField(max_length=8, default="")
    shipped_index = models.BigIntegerField(default=-2)  # -2 = none
    received_index = models.BigIntegerField(default=-2)
    things = models.IntegerField(default=0)  # that both sides name
    counted_ms = models.BigIntegerField(default=0)
    standing = models.CharField(max_length=16, default="")  # custody.sides.Standing but SHORT; '' = never counted
    arrived_ms = models.BigIntegerField(null=True)  # the newest receipt
    sent = models.BigIntegerField(default=0)  # packs; so are the two below
    got = models.BigIntegerField(default=0)
    missing = models.BigIntegerField(default=0)
    by_content = models.BooleanField(default=False)  # whether a receipt belongs to it by content
    wanted_ms = models.BigIntegerField(null=True)  # since when somebody waits for a newer one

    class Meta:
        constraints = [models.UniqueConstraint(fields=["party", "document"], name="kept_standing_once")]
        indexes = [
            models.Index(fields=["wanted_ms"], condition=models.Q(wanted_ms__isnull=False), name="kept_standing_wanted")
        ]
