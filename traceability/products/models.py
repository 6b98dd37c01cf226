"""What is traced: trade items, their lots and how they must be stored. The current version; history is on the log."""

from django.core.validators import RegexValidator
from django.db import models


class StorageProfile(models.Model):
    """Temperature limits from a label. Written by `products.services`; each change is a logged version."""

    id = models.SlugField(primary_key=True, max_length=64)
    name = models.CharField(max_length=100)
    source = models.CharField(max_length=200)  # where the limits come from, with its date
    low_mc = models.IntegerField()  # milli-degrees Celsius, lowest allowed
    high_mc = models.IntegerField()  # milli-degrees Celsius, highest allowed
    low_seconds = models.IntegerField()  # an excursion below counts from so long on
    high_seconds = models.IntegerField()
    freeze_sensitive = models.BooleanField(default=False)
    freeze_mc = models.IntegerField(default=-500)
    freeze_seconds = models.IntegerField(default=3600)


class TradeItem(models.Model):
    """A product in one pack size. Written by `products.services`; each change is a logged version."""

    id = models.SlugField(primary_key=True, max_length=64)
    manufacturer = models.ForeignKey("parties.Party", models.PROTECT, related_name="trade_items")
    gtin = models.CharField(max_length=14, null=True, blank=True, unique=True)
    nmpa_prefix = models.CharField(  # product resource code, 码上放心
        max_length=7, null=True, blank=True, unique=True, validators=[RegexValidator(r"\A[0-9]{7}\Z")]
    )
    name = models.CharField(max_length=200)
    generic_name = models.CharField(max_length=200)
    strength = models.CharField(max_length=100)
    pack_size = models.CharField(max_length=100)
    authorisation = models.CharField(max_length=100)  # marketing authorisation number
    profile = models.ForeignKey(StorageProfile, models.PROTECT)

    def __str__(self) -> str:
        return self.name


class Lot(models.Model):
    """A production batch. Written by `products.services`; each change is a logged version."""

    item = models.ForeignKey(TradeItem, models.PROTECT, related_name="lots")
    number = models.CharField(max_length=20)
    production_date = models.DateField()
    expiry_date = models.DateField()  # last valid day

    class Meta:
        constraints = [models.UniqueConstraint(fields=["item", "number"], name="lot_once")]


class InspectionReport(models.Model):
    """A lot's inspection report: the document, and its hash as committed in the lot's logged version.

    Written by `products.services`; not rebuildable (the log has the hash only).
    """

    lot = models.ForeignKey(Lot, models.PROTECT, related_name="reports")
    document = models.FileField(upload_to="inspection-reports")
    sha256 = models.CharField(max_length=64)
    verdict = models.CharField(max_length=16)  # conformant | non_conformant
    created_ms = models.BigIntegerField()


class LinkSet(models.Model):
    """What a maker registered of a product, or of one of its lots, for the Digital Link resolver.

    Written by `products.links`; each change is a logged version, the row is gone when its last link is.
    """

    item = models.ForeignKey(TradeItem, models.PROTECT, related_name="link_sets")
    lot = models.ForeignKey(Lot, models.PROTECT, null=True, blank=True, related_name="link_sets")  # null = the product
    links = models.JSONField()  # members of gs1.linkset.TargetLink, in the maker's order

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["item"], condition=models.Q(lot=None), name="links_of_an_item_once"),
            models.UniqueConstraint(fields=["lot"], name="links_of_a_lot_once"),
        ]


class UnknownIdentifier(models.Model):
    """A GLN or GTIN met in an event that no master data knows: the steward's work list until master data does.

    Written by capture.
    """

    scheme = models.CharField(max_length=8)  # gln | gtin | nmpa
    value = models.CharField(max_length=64)
    first_event_id = models.CharField(max_length=512)
    first_reporter = models.CharField(max_length=128)
    first_seen_ms = models.BigIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["scheme", "value"], name="unknown_identifier_once")]


class VocabularyElement(models.Model):
    """A thing that a partner's header master data describes, as accepted. Written by `products.stewardship`.

    Each change is a logged version. What our own rows say of the same thing (`products.own`) stands there, not here.
    """

    uri = models.CharField(primary_key=True, max_length=1024)  # canonical
    types = models.JSONField(default=list)  # EPCClass, BusinessLocation ...


class VocabularyAttribute(models.Model):
    """One accepted value of an element's attribute. Written by `products.stewardship`."""

    element = models.ForeignKey(VocabularyElement, models.CASCADE, related_name="attributes")
    name = models.CharField(max_length=1280)  # CBV's bare, others as full URIs
    value = models.JSONField()
    value_key = models.CharField(max_length=64)  # SHA-256 of the value: equal values are found by it
    reporter = models.CharField(max_length=128)  # party URI that said so

    class Meta:
        constraints = [models.UniqueConstraint(fields=["element", "name", "value_key"], name="vocabulary_value_once")]
        indexes = [models.Index(fields=["name", "value_key"])]


class VocabularyEdge(models.Model):
    """An accepted step of a hierarchy. Written by `products.stewardship`; a circle does no harm to its readers."""

    parent = models.CharField(max_length=1024)
    child = models.CharField(max_length=1024, db_index=True)
    implied = models.BooleanField(default=False)  # follows from what the child is called, not from a list of children

    class Meta:
        constraints = [models.UniqueConstraint(fields=["parent", "child"], name="vocabulary_edge_once")]


class MasterDataProposal(models.Model):
    """What one party's documents say of one thing, until a steward decides. Written by `products.stewardship`.

    The same content by the same party is one proposal, however often it comes. Not rebuildable.
    """

    class State(models.TextChoices):
        OPEN = "open"
        ACCEPTED = "accepted"  # whole or in parts, see its decisions
        REJECTED = "rejected"
        SETTLED = "settled"  # another's proposal was accepted and says the same

    reporter = models.CharField(max_length=128)  # party URI
    uri = models.CharField(max_length=1024)  # canonical
    digest = models.CharField(max_length=64)  # `Element.digest`
    scheme = models.CharField(max_length=8)  # gtin | nmpa | gln | pgln | site | party, '' = none: finds the owner
    value = models.CharField(max_length=64)
    types = models.JSONField()
    attributes = models.JSONField()
    children = models.JSONField()
    job = models.CharField(max_length=32)  # the capture job whose document said so first
    state = models.CharField(max_length=8, default=State.OPEN)
    first_seen_ms = models.BigIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["reporter", "digest"], name="proposal_once")]
        indexes = [
            models.Index(fields=["state", "scheme", "value"]),
            models.Index(fields=["uri", "state"]),
            models.Index(fields=["state", "first_seen_ms", "id"]),
        ]


class MasterDataDecision(models.Model):
    """What a steward decided on a proposal, and what stood before. Written by `products.stewardship`, once each."""

    proposal = models.ForeignKey(MasterDataProposal, models.PROTECT, related_name="decisions")
    state = models.CharField(max_length=8)  # the state that the proposal took
    taken = models.JSONField()  # names of the attributes taken; "children" among them where those were
    before = models.JSONField()  # the accepted values of these names until then
    party = models.CharField(max_length=128)  # party URI of who decided
    actor = models.CharField(max_length=64)  # the member's pseudonym
    reason = models.CharField(max_length=500)
    at_ms = models.BigIntegerField()
