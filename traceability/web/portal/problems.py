"""A refusal in people's words, with the field that mends it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from traceability.common.problems import ProblemError
from traceability.web.shared import confirmation, names

_WORDS: dict[str, tuple[str, str | Promise]] = {
    **confirmation.FAULTS,
    "codes": ("codes", gettext_lazy("Give 1 to 1000 codes, one per line.")),
    "not-your-place": ("place", gettext_lazy("Choose one of your own places.")),
    "unknown-receiver": ("receiver", gettext_lazy("Choose the receiver from the list.")),
    "unknown-sender": ("sender", gettext_lazy("Choose the sender from the list.")),
    "container": ("container", gettext_lazy("Scan the container's SSCC, the 18 digits on its label.")),
    "quantity-left": ("quantity_left", gettext_lazy("Say how much is left as a whole number.")),
    "country": ("country", gettext_lazy("Give the country as two capital letters, such as NL.")),
    "witness": ("witness", gettext_lazy("Choose a witness from the list: another member of your organisation.")),
    "ward": ("ward", gettext_lazy("Choose one of your own places.")),
    "details": ("codes", gettext_lazy("One of the fields is too long.")),
    "override-reason": ("override_reason", gettext_lazy("Write a comment of 1 to 500 characters.")),
    "role": ("codes", gettext_lazy("Only people with the quality role can do this. Ask one of them.")),
    "one-code": ("codes", gettext_lazy("Undo one pack at a time.")),
    "channel-ended": ("partner", gettext_lazy("This way to the partner has ended. Set up another one.")),
    "nothing-to-undo": (
        "codes",
        gettext_lazy("No dispensing of this pack at this place in the last ten days can be undone."),
    ),
    "preflight-stop": ("codes", gettext_lazy("The check stops this. Nothing was recorded.")),
    "username": (
        "username",
        gettext_lazy("Choose another user name: letters, digits and @ . + - _ only, not in use yet."),
    ),
    "new-password": (
        "new_password",
        gettext_lazy("The new password is too short or too common. Take ten characters that nobody would guess."),
    ),
    "member-role": ("role", gettext_lazy("Choose a role.")),
    "label": ("label", gettext_lazy("Give the token a name of 1 to 64 characters.")),
    "bad-since": ("since", gettext_lazy("A key is bad since now, or since a moment in the past.")),
    "overlap": ("overlap", gettext_lazy("Both keys may count for 0 to 90 days: give whole hours up to 2160.")),
    "public-key": ("public", gettext_lazy("This is no public key: 64 hex digits, as the device shows them.")),
    "key-known": ("public", gettext_lazy("This public key is registered already. The device must make a new one.")),
    "key-ended": ("reason", gettext_lazy("This key is revoked or retired already.")),
    "key-hosted": ("reason", gettext_lazy("This key is kept here, not on a device.")),
    "oneself": ("username", gettext_lazy("You cannot end your own access. Ask another administrator.")),
    "not-a-regulator": ("comment", gettext_lazy("The regulator closes alerts. Answer it instead.")),
    "storage-full": (
        "codes",
        gettext_lazy(
            "There is no room left to record anything. Nothing was recorded. Keep the goods and your notes, tell"
            " whoever runs this system, and try again later."
        ),
    ),
    "partner": ("partner", gettext_lazy("Choose the partner from the list.")),
    "dest-refused": (
        "dest",
        gettext_lazy("This address is not called: give an https address of a public server, on the usual port."),
    ),
    "kind": ("kind", gettext_lazy("Choose what is wrong.")),
    "not-things": ("codes", gettext_lazy("An exception is about packs, cases or pallets: scan their codes.")),
    "exception-open": (
        "codes",
        gettext_lazy("One of these goods is in another exception that is not resolved. Add what you see there."),
    ),
    "no-channel": (
        "channel",
        gettext_lazy("This way to the partner is not running. Choose another, or send the message yourself."),
    ),
    "changed-meanwhile": ("comment", gettext_lazy("Someone else has acted on this meanwhile. Look at it again.")),
    "hold-waiting": (
        "comment",
        gettext_lazy("The hold is on its way to the log. Try again in a few seconds."),
    ),
    "comment": ("comment", gettext_lazy("Write a comment of 1 to 500 characters.")),
    "link-type": ("kind", gettext_lazy("Choose what the link leads to.")),
    "link-href": (
        "href",
        gettext_lazy(
            "Give an address that begins with https:// and a server's name, in plain letters, without user, password"
            " or #, of at most 1024 characters."
        ),
    ),
    "link-title": ("title", gettext_lazy("Give it a title of 1 to 200 characters, on one line.")),
    "link-language": ("language", gettext_lazy("Write the language as en, zh-Hans or pt-BR, or leave it empty.")),
    "link-media-type": ("media_type", gettext_lazy("Choose what kind of file it is.")),
    "link-twice": ("href", gettext_lazy("This link is there already.")),
    "too-many": ("href", gettext_lazy("There are 50 links here: remove one before you add another.")),
    "no-signing-key": (
        "href",
        gettext_lazy("Your organisation has no signing key in force here, and each version is signed."),
    ),
    "state-changed": ("comment", gettext_lazy("Someone else has acted on this alert. Look at it again.")),
    "state": ("comment", gettext_lazy("The alert is no longer in a state where this can be done.")),
}


@dataclass(frozen=True)
class Error:
    """One line of the error summary: the field it leads to and what to do."""

    field: str
    text: str


def worded(code: str, detail: str, field: str = "codes") -> Error:
    """The error of a stable code; one without words of its own gives the detail."""
    if code in _WORDS:
        target, text = _WORDS[code]
        return Error(target, str(text))
    if code.startswith("code-"):
        return Error("codes", f"{detail.partition(':')[0]}: {names.code_fault(code.removeprefix('code-'))}")
    return Error(field, _("It could not be recorded: {why}").format(why=detail))


def explain(problem: ProblemError) -> list[Error]:
    """Every fault of a problem document."""
    if problem.code == "preflight-stop":
        return [worded(problem.code, problem.detail), *map(_stopped, problem.errors)]
    if problem.code in _WORDS:
        return [worded(problem.code, problem.detail)]
    faults = [
        Error(str(fault.get("field") or "codes"), str(fault["message"]))
        for fault in problem.errors
        if fault.get("message")
    ]
    return faults or [worded(problem.code, problem.detail)]


def _stopped(reason: Mapping[str, Any]) -> Error:
    """One of the reasons of a stop, with the goods that it is about."""
    about = f"{names.goods(str(reason['epc']))}: " if reason.get("epc") else ""
    return Error("codes", f"{about}{reason['message']}")
