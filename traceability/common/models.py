"""What every room stands on: the content of private log entries, projection cursors, master data by log index."""

from django.db import models


class Document(models.Model):
    """The off-log content of one private log entry (an event, a master-data version, an alert transition).

    Written by `common.documents.record` and by capture in the transaction that submits the statement, or, of a large
    document, before it; never changed. Cannot be rebuilt: the log holds only its commitment. Deleting `secret` and
    `body` makes its claims unprovable and leaves the log valid.
    """

    statement_hash = models.CharField(max_length=64, primary_key=True)  # lower-case hex of the RFC 6962 leaf hash
    kind = models.CharField(max_length=32)  # the statement's sub without "dosetrail:"
    party = models.CharField(max_length=128)  # the signer's party URI (the statement's iss)
    body = models.BinaryField()  # the committed JSON document, UTF-8
    secret = models.BinaryField()  # 32 bytes; salts of the claims derive from it
    submitted_ms = models.BigIntegerField()
    # Beside the document, not committed: the portal member's pseudonym, capture warnings and the like.
    annotation = models.JSONField(default=dict)


class Cursor(models.Model):
    """How far a projection has read: the next log index. Written by `common.projection` and `rebuilding`; rebuilt."""

    projection = models.CharField(max_length=32, primary_key=True)
    position = models.BigIntegerField(default=0)
    schema = models.CharField(max_length=64, default="")  # `projection.schema` by which it was built, '' = to be reset
    rebuild = models.JSONField(null=True)  # while a rebuild is under way: digest of each table before it, or nothing


class DerivedKey(models.Model):
    """A key of ids that nobody may guess, kept when the key-encryption key is changed. Written by `common.sealing`.

    Not rebuildable. Without a row it is derived from the key-encryption key, which is then still the first one.
    """

    purpose = models.CharField(max_length=32, primary_key=True)
    sealed_seed = models.BinaryField()


class MasterVersion(models.Model):
    """One version of a master-data subject, as of a log index. Projection of master-data entries; rebuildable."""

    index = models.BigIntegerField(primary_key=True)  # log index
    subject = models.CharField(max_length=160)  # "site:riverside-main", "item:09504000059118", "lot:<gtin>:<lot>"
    effective_ms = models.BigIntegerField()
    body = models.JSONField()

    class Meta:
        indexes = [models.Index(fields=["subject", "index"])]


class MasterCode(models.Model):
    """That a master-data subject once had a code: an item its GTIN or NMPA prefix, a site its party.

    Written by the fold that writes the versions, so that they are found without reading them all; rebuildable.
    """

    key = models.CharField(max_length=330, primary_key=True)  # "<code> <subject>"
    code = models.CharField(max_length=160)  # "gtin:<14 digits>", "nmpa_prefix:<7 digits>", "party:<id>"
    subject = models.CharField(max_length=160)

    class Meta:
        indexes = [models.Index(fields=["code", "subject"])]
