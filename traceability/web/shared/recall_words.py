"""Recalls in words: classes, states, steps, counts, and what is wrong with a form."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from traceability.common.problems import ProblemError
from traceability.parties.services import ConfirmationError

from . import confirmation

CLASSES = {
    "1": gettext_lazy("Class 1: may do serious harm"),
    "2": gettext_lazy("Class 2: may do harm that passes"),
    "3": gettext_lazy("Class 3: is not expected to do harm"),
}
STATES = {
    "draft": (gettext_lazy("Draft"), "is-unknown"),
    "signed": (gettext_lazy("Signed by one"), "is-warn"),
    "published": (gettext_lazy("Published"), "is-danger"),
    "closed": (gettext_lazy("Closed"), "is-ok"),
}
NOTICE_STATES = {
    "none": (gettext_lazy("Nothing left"), "is-unknown"),
    "waiting": (gettext_lazy("Sent"), "is-unknown"),
    "delivered": (gettext_lazy("Delivered"), "is-warn"),
    "opened": (gettext_lazy("Opened"), "is-warn"),
    "answered": (gettext_lazy("Answered"), "is-ok"),
    "late": (gettext_lazy("Late: call"), "is-danger"),
}
COUNTS = {
    "set_aside": gettext_lazy("Found and set aside"),
    "sold": gettext_lazy("Already sold or given to patients"),
    "passed_on": gettext_lazy("Passed on to others"),
    "destroyed": gettext_lazy("Destroyed"),
    "not_found": gettext_lazy("Not found"),
}
BALANCE = {
    "held": gettext_lazy("Held"),
    "in_transit": gettext_lazy("On the way"),
    "dispensed": gettext_lazy("Dispensed"),
    "destroyed": gettext_lazy("Destroyed or sampled"),
    "exported": gettext_lazy("Exported"),
    "unknown": gettext_lazy("Unknown"),
}
STEPS = {
    "sent": gettext_lazy("Sent"),
    "failed": gettext_lazy("Failed"),
    "delivered": gettext_lazy("Delivered"),
    "opened": gettext_lazy("Opened"),
}
CHANNELS = {
    "portal": gettext_lazy("portal"),
    "api": gettext_lazy("their system"),
    "webhook": gettext_lazy("webhook"),
    "folder": gettext_lazy("folder"),
    "email": gettext_lazy("e-mail"),
    "phone": gettext_lazy("telephone"),
}
_FAULTS: Mapping[str, tuple[str, str | Promise]] = {
    **confirmation.FAULTS,
    "recall-class": ("class", gettext_lazy("Choose the class.")),
    "recall-lots": ("lots", gettext_lazy("Name 1 to 100 lots, one per line.")),
    "recall-lot": ("lots", gettext_lazy("This is no lot: give its code as scanned, or GTIN, a space and the lot.")),
    "recall-reason": ("reason", gettext_lazy("Say why, in 1 to 1000 characters.")),
    "recall-instruction": ("instruction", gettext_lazy("Say what holders must do, in 1 to 1000 characters.")),
    "recall-hours": (
        "deliver_hours",
        gettext_lazy("Give whole hours from 1 to 2160; the time to answer is not shorter than the time to be told."),
    ),
    "not-your-product": ("lots", gettext_lazy("Only its maker or a regulator recalls a product.")),
    "recall-signed": ("password", gettext_lazy("You have signed this already. Another person must sign too.")),
    "recall-changed": ("password", gettext_lazy("The draft was changed meanwhile. Read it again.")),
    "recall-state": ("password", gettext_lazy("This recall is no draft any more.")),
    "recall-closing": ("remark", gettext_lazy("Say what came of it, in 1 to 1000 characters.")),
    "recall-call": ("remark", gettext_lazy("Say whom you spoke to, in 1 to 300 characters.")),
    "recall-answer-count": ("set_aside", gettext_lazy("Give whole numbers of packs.")),
    "recall-answer-difference": (
        "reason",
        gettext_lazy("The numbers do not add up to the packs of the notice. Check them, or say why."),
    ),
    "recall-answer-reason": ("reason", gettext_lazy("The reason has at most 500 characters.")),
    "notice-changed": ("set_aside", gettext_lazy("Packs have come or gone meanwhile. Look at the list again.")),
    "notice-answered": ("", gettext_lazy("A colleague has answered meanwhile. Your counts were not recorded.")),
    "recall-email": ("email", gettext_lazy("This is no e-mail address.")),
    "recall-name": ("name", gettext_lazy("The name has at most 120 characters.")),
    "recall-phone": ("phone", gettext_lazy("The number has at most 40 characters.")),
    "role": ("password", gettext_lazy("Only people with the quality role can do this. Ask one of them.")),
}


@dataclass(frozen=True)
class Error:
    """One line of the error summary: the field it leads to and what to do."""

    field: str
    text: str


def explain(error: ProblemError | ConfirmationError) -> list[Error]:
    """Every fault of a refusal, in words."""
    if isinstance(error, ConfirmationError):
        return [_worded(error.code, "password", str(error))]
    if error.errors:
        return [
            _worded(str(one["code"]), str(one.get("field", "")), str(one["message"]), of=str(one["message"]))
            for one in error.errors
        ]
    return [_worded(error.code, error.pointer.rpartition("/")[2], error.detail)]


def _worded(code: str, field: str, detail: str, *, of: str = "") -> Error:
    if code not in _FAULTS:
        return Error(field, _("It could not be recorded: {why}").format(why=detail))
    target, text = _FAULTS[code]
    named = f"{of.rpartition(': ')[0]}: " if code == "recall-lot" and ": " in of else ""
    return Error(field or target, f"{named}{text}")
