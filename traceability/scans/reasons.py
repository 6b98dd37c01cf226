"""The stable codes of preflight's reasons, and what each says to people."""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

STOP, WARN, ALLOW = "stop", "warn", "allow"
ORDER = {ALLOW: 0, WARN: 1, STOP: 2}

TEXTS: Mapping[str, str | Promise] = {
    "not-a-code": _("This is no code of a pack, case, pallet or lot. Scan it again."),
    "not-a-lot": _("This step is about a lot: give GTIN and lot number."),
    "no-serial": _("The serial number is missing: scan the code on the single pack."),
    "missing-gs": _("The scanner swallowed a separator. Compare lot and serial with the print, or scan again."),
    "unknown": _("Nothing is recorded of this code yet."),
    "unknown-lot": _("Nothing is recorded of this lot yet."),
    "unknown-product": _("This product is not registered here."),
    "not-your-product": _("Another organisation is registered as the maker of this product."),
    "double-scan": _("You have dispensed it moments ago: this is the same pack, scanned twice."),
    "from-patient": _("It has been in a patient's hands: it never goes back to stock that can be sold."),
    "unverified": _("It was returned: verify it with the step for returns before it goes back into stock."),
    "not-a-return": _("It is not on hold because of a return."),
    "verify-each": _("It is no sealed case of a single lot: scan each pack, or each such case in it."),
    "print-missing": _("Scan the code that holds lot and expiry date: they are compared with the maker's record."),
    "not-less": _("Less has to be left than before."),
    "open-too-long": _("This pack has been open for longer than the rules allow."),
    "exists": _("This serial number exists already."),
    "is-active": _("It is in stock; this step does not fit."),
    "is-shipped": _("It is recorded as shipped and not yet received."),
    "is-dispensed": _("It has been dispensed already."),
    "is-partially_dispensed": _("A part of it has been dispensed already."),
    "is-destroyed": _("It is recorded as destroyed."),
    "is-decommissioned": _("It has been taken out of use."),
    "is-sampled": _("It was taken as a sample."),
    "is-stolen": _("It is reported as stolen."),
    "is-exported": _("It was exported."),
    "recalled": _("Its lot has been recalled."),
    "held": _("It is on hold."),
    "not-held": _("It is not on hold: there is nothing to release."),
    "lot-held": _("Its whole lot is on hold by its maker: that stays until the maker releases the lot."),
    "frozen": _("Its lot is frozen by the medicines authority: it must stay where it is."),
    "place-frozen": _("This place is frozen by the medicines authority: goods must stay where they are."),
    "at-frozen-place": _("It is recorded at a place that the medicines authority has frozen."),
    "expired": _("Its expiry date has passed."),
    "inside-recalled": _("A pack inside it belongs to a recalled lot."),
    "inside-held": _("A pack inside it is on hold."),
    "inside-frozen": _("A pack inside it belongs to a lot that the medicines authority has frozen."),
    "inside-expired": _("A pack inside it is past its expiry date."),
    "lot-mismatch": _("The lot on the pack differs from the recorded one."),
    "expiry-mismatch": _("The expiry date on the pack differs from the recorded one."),
    "wrong-recipient": _("It was shipped to another organisation."),
    "no-despatch": _("No despatch of it has been recorded."),
    "elsewhere": _("It is recorded at another place."),
    "in-container": _("It is recorded inside a case or on a pallet: unpack that first."),
    "not-inside": _("It is recorded in no container: there is nothing to unpack."),
    "container-in-itself": _("A container cannot be packed into itself."),
    "short": _("It is on the despatch advice and was not scanned."),
    "over": _("It is not on the despatch advice."),
    "despatch-taken": _("Another organisation has used this despatch number. Choose one that is yours alone."),
    "no-permission": _("This step needs the quality role."),
    "nothing-to-undo": _("Your organisation has recorded no dispensing of this pack at this place."),
    "undo-too-late": _("It was dispensed longer ago than the rules allow: that cannot be undone."),
    "undo-waiting": _("An undo of this dispensing is on its way to the log. Try again in a few seconds."),
    "undo-elsewhere": _("It was dispensed by others or at another place: only they can undo that."),
    "other": _("Its state does not fit this step."),
}
# Against these no reason helps: there is no event that such a step could become.
HARD = {"not-a-code", "not-a-lot", "no-serial", "not-inside", "container-in-itself", "no-permission"}
UNDO_GUARD = {"nothing-to-undo", "undo-too-late", "undo-elsewhere", "undo-waiting"}
