"""Organisations, their places, licences, people and keys. The current version; history is on the log."""

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

PARTY_NAMESPACE = "urn:dosetrail:party:"
SITE_NAMESPACE = "urn:dosetrail:site:"
_LATITUDES = [MinValueValidator(-90_000_000), MaxValueValidator(90_000_000)]
_LONGITUDES = [MinValueValidator(-180_000_000), MaxValueValidator(180_000_000)]


class Party(models.Model):
    """An organisation. Written by `parties.services`; each change is a logged master-data version. Not rebuildable."""

    class Role(models.TextChoices):
        MANUFACTURER = "manufacturer"
        DISTRIBUTOR = "distributor"
        HOSPITAL = "hospital"
        PHARMACY = "pharmacy"
        REGULATOR = "regulator"

    id = models.SlugField(primary_key=True, max_length=64)
    name = models.CharField(max_length=200)
    roles = models.JSONField(default=list)  # of Role values
    cbv_compliant = models.BooleanField(default=False)  # refuse terms outside CBV in this party's events
    active = models.BooleanField(default=True)

    @property
    def uri(self) -> str:
        return PARTY_NAMESPACE + self.id

    def has_role(self, role: str) -> bool:
        return role in self.roles

    def __str__(self) -> str:
        return self.name


class PartyIdentifier(models.Model):
    """One typed identifier of a party (GLN, GS1 company prefix, licence number, 统一社会信用代码), with validity.

    Part of the party's version.

    Written by `parties.services`.
    """

    class Scheme(models.TextChoices):
        GLN = "gln"
        COMPANY_PREFIX = "gcp"  # tells where in its keys the prefix ends, which EPC URNs say and Digital Links do not
        LICENCE = "licence"
        USCC = "uscc"

    party = models.ForeignKey(Party, models.CASCADE, related_name="identifiers")
    scheme = models.CharField(max_length=16, choices=Scheme)
    value = models.CharField(max_length=64)
    valid_from = models.DateField(null=True)
    valid_to = models.DateField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["scheme", "value"], name="party_identifier_once")]


class Site(models.Model):
    """A place where goods are. Written by `parties.services`; each change is a logged version. Not rebuildable."""

    id = models.SlugField(primary_key=True, max_length=64)
    party = models.ForeignKey(Party, models.PROTECT, related_name="sites")
    name = models.CharField(max_length=200)
    gln = models.CharField(max_length=13, null=True, blank=True, unique=True)
    latitude_e6 = models.IntegerField(validators=_LATITUDES)  # micro-degrees, north positive
    longitude_e6 = models.IntegerField(validators=_LONGITUDES)  # micro-degrees, east positive
    time_zone = models.CharField(max_length=64)  # IANA name
    city = models.CharField(max_length=100)
    country = models.CharField(max_length=2)  # ISO 3166-1 alpha-2

    @property
    def uri(self) -> str:
        """The place's canonical URI in events: its GLN as Digital Link, else our own namespace."""
        return f"https://id.gs1.org/414/{self.gln}" if self.gln else SITE_NAMESPACE + self.id

    def __str__(self) -> str:
        return self.name


class Licence(models.Model):
    """A permission of an authority to a party. Written by `parties.services`; each change is a logged version."""

    party = models.ForeignKey(Party, models.PROTECT, related_name="licences")
    kind = models.CharField(max_length=32, choices=[(kind, kind) for kind in ("manufacture", "wholesale", "dispense")])
    number = models.CharField(max_length=64)
    authority = models.CharField(max_length=200)
    valid_from = models.DateField()
    valid_to = models.DateField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "number"], name="licence_once")]


class Member(models.Model):
    """A person acting for a party. Written by `parties.services`. The log shows only `pseudonym`. Not rebuildable."""

    class Role(models.TextChoices):
        OPERATOR = "operator"  # records steps
        QUALITY = "quality"  # may also hold, release, override a stop and decide on partners' master data
        ADMIN = "admin"  # may also manage members, keys and master data
        INSPECTOR = "inspector"  # regulator's people

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, related_name="member")
    party = models.ForeignKey(Party, models.PROTECT, related_name="members")
    role = models.CharField(max_length=16, choices=Role)
    pseudonym = models.CharField(max_length=32, unique=True)
    site = models.ForeignKey(Site, models.PROTECT, null=True, blank=True)  # where the member usually works


class PartyKey(models.Model):
    """A signing key of a party. `sealed_seed` is set for hosted keys only. Status is judged on the log (keyring).

    Written by `parties.keys`; not rebuildable (the log has the public half only).
    """

    kid = models.CharField(max_length=64, primary_key=True)  # hex of the RFC 9679 thumbprint
    party = models.ForeignKey(Party, models.PROTECT, related_name="keys")
    public_key = models.BinaryField()
    sealed_seed = models.BinaryField(null=True)  # PyNaCl SecretBox under settings.KEY_ENCRYPTION_KEY
    label = models.CharField(max_length=64, blank=True)
    created_ms = models.BigIntegerField()
    revoked_ms = models.BigIntegerField(null=True)  # when that was done here
    retired_ms = models.BigIntegerField(null=True)  # by a rotation: from this moment on it does not sign any more


class KeyAct(models.Model):
    """What was done to a key, by whom and why. Written by `parties.keys` with the statement; not rebuildable.

    The log says what and when; it does not say who, since it is public and people are not.
    """

    class Kind(models.TextChoices):
        REGISTERED = "registered"
        RETIRED = "retired"
        REVOKED = "revoked"

    kid = models.CharField(max_length=64, db_index=True)
    kind = models.CharField(max_length=10, choices=Kind)
    statement_hash = models.CharField(max_length=64)
    actor = models.CharField(max_length=64)  # a member's pseudonym, or a command; '' = with the party's founding
    reason = models.CharField(max_length=500)
    at_ms = models.BigIntegerField()
    bad_since_ms = models.BigIntegerField(null=True)


class ApiToken(models.Model):
    """A bearer token of a party's system; only its SHA-256 is kept. Written by `parties.services`."""

    digest = models.CharField(max_length=64, primary_key=True)
    party = models.ForeignKey(Party, models.CASCADE, related_name="tokens")
    label = models.CharField(max_length=64)
    created_ms = models.BigIntegerField()
    revoked_ms = models.BigIntegerField(null=True)


class SignInFailure(models.Model):
    """A wrong password for a user name (a keyed hash of it). Written by `parties.throttle`, kept for minutes only."""

    name = models.CharField(max_length=64)
    at_ms = models.BigIntegerField()

    class Meta:
        indexes = [models.Index(fields=["name", "at_ms"])]
