"""What the page says for each outcome: its name, what it means, what to do now. Never "genuine", never "verified"."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from .verdict import Outcome


@dataclass(frozen=True)
class Words:
    """The text of one outcome; `tone` and `icon` repeat in colour and shape what `title` says."""

    title: Promise
    meaning: Promise
    actions: Sequence[Promise]
    tone: str  # ok | warn | danger | unknown
    icon: str  # file of templates/shared/icons


_DO_NOT_TAKE = _("Do not take it. Keep the pack and the receipt.")
_ASK = _("Ask your pharmacist or doctor before you stop or change a treatment.")
_COMPARE = _("Compare product, lot and expiry with what is printed on your pack.")
_REPORT = _("Tell the pharmacy where you got it, or the medicines authority.")

OUTCOMES: Mapping[Outcome, Words] = {
    Outcome.REGISTERED: Words(
        _("Registered, not yet sold"),
        _(
            "The maker has recorded this code and nobody has recorded a sale. "
            "A copy of the code would get this answer too."
        ),
        (_COMPARE, _("If you have just bought it, the sale may not have been recorded yet: look again in two days.")),
        "ok",
        "check",
    ),
    Outcome.SOLD: Words(
        _("Sold once"),
        _("One sale or dispensing of this pack is recorded."),
        (
            _("Did you, or someone for you, get it then and there? If not, do not take it and ask your pharmacist."),
            _COMPARE,
        ),
        "ok",
        "check",
    ),
    Outcome.SOLD_AGAIN: Words(
        _("Possible copy: this code was seen more than once"),
        _(
            "It was sold more than once, or seen in two places that one pack cannot have reached. "
            "Your pack may be a copy, or was sold again."
        ),
        (_DO_NOT_TAKE, _REPORT, _ASK),
        "danger",
        "danger",
    ),
    Outcome.RECALLED: Words(
        _("Recalled"),
        _("The batch of this pack has been recalled. It should not be used or sold."),
        (_DO_NOT_TAKE, _("Take it back to a pharmacy."), _ASK),
        "danger",
        "danger",
    ),
    Outcome.WITHDRAWN: Words(
        _("Recorded as taken out of sale"),
        _(
            "It is recorded that this pack was destroyed, stolen, taken out of use or taken as a sample. "
            "A pack with this code should not be on sale; that may also be a mistake in the records."
        ),
        (_DO_NOT_TAKE, _REPORT, _ASK),
        "danger",
        "danger",
    ),
    Outcome.FROZEN: Words(
        _("Stopped by the medicines authority"),
        _(
            "The authority has stopped this batch, or the place where this pack is kept, while it looks into it. "
            "That is no recall, and says nothing yet about your pack."
        ),
        (_("Do not take it until the authority has decided. Keep the pack."), _ASK),
        "danger",
        "lock",
    ),
    Outcome.EXPIRED: Words(
        _("Expired"),
        _("The last day on which this pack may be used has passed."),
        (_("Do not take it."), _("Take it back to a pharmacy for disposal.")),
        "warn",
        "warning",
    ),
    Outcome.TEMPERATURE: Words(
        _("Temperature problem under review"),
        _(
            "On its way this pack was, or may have been, outside its storage temperature. "
            "Whether it can be used is being assessed."
        ),
        (_("Do not take it before your pharmacist has said that you can."), _ASK),
        "warn",
        "thermometer",
    ),
    Outcome.SERIAL_UNKNOWN: Words(
        _("No record of this pack yet"),
        _(
            "The product is known here, but there is nothing to show for this serial number. "
            "Most often a record is late; that alone does not make a pack false."
        ),
        (
            _("Check that you typed or scanned the whole code."),
            _("Look again in two days: the seller may not have recorded it yet."),
            _("If there is still nothing, ask your pharmacist before you use it."),
        ),
        "unknown",
        "unknown",
    ),
    Outcome.PRODUCT_UNKNOWN: Words(
        _("This product is not in Dosetrail"),
        _(
            "The code is well formed, but no company here has registered this product. "
            "It may be traced in another system."
        ),
        (_("Check that you typed or scanned the whole code."), _("Ask your pharmacist which system covers it.")),
        "unknown",
        "unknown",
    ),
    Outcome.CANNOT_CHECK: Words(
        _("We cannot check this code now"),
        _("The service cannot be reached. This says nothing about your pack."),
        (_("Try again in a few minutes."), _("In a hurry? Ask your pharmacist.")),
        "unknown",
        "clock",
    ),
}
