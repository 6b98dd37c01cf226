"""The form of a step: its fields, what was typed into them, and what is wrong with that. Writes nothing."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from traceability.common.clock import now_ms
from traceability.epcis import times
from traceability.gs1 import scan
from traceability.gs1.errors import Gs1Error
from traceability.gs1.scan import ScannedCode
from traceability.parties.models import Member, Party
from traceability.scans.steps import Shape, Step
from traceability.web.shared import names

from . import under_way
from .problems import Error

WHITESPACE = " \t\r\n"  # not str.strip(): GS counts as whitespace there, and here it separates elements
_KINDS = {
    "receiver": "select",
    "sender": "select",
    "expiry": "date",
    "quantity_left": "number",
    "despatch": "suggest",
    "witness": "select",
    "ward": "select",
}
_LABELS: Mapping[str, tuple[str | Promise, str | Promise]] = {
    "receiver": (gettext_lazy("Receiver"), gettext_lazy("Who the goods go to")),
    "sender": (gettext_lazy("Sender"), gettext_lazy("Who the goods come from")),
    "despatch": (gettext_lazy("Despatch advice"), gettext_lazy("Its number; choose an open shipment or type it")),
    "container": (gettext_lazy("Container"), gettext_lazy("The SSCC on the case or pallet, scanned or typed")),
    "lot": (gettext_lazy("Lot number"), gettext_lazy("Left empty, it is taken from the first code")),
    "expiry": (gettext_lazy("Expiry date"), gettext_lazy("Left empty, it is taken from the first code")),
    "quantity_left": (gettext_lazy("Quantity left"), gettext_lazy("How many units stay in the pack")),
    "witness": (gettext_lazy("Witness of it"), gettext_lazy("Who was there and saw it, beside you")),
    "ward": (gettext_lazy("Ward"), gettext_lazy("The place where the goods are kept from now on")),
    "country": (gettext_lazy("Country"), gettext_lazy("Two letters, such as NL")),
    "rma": (gettext_lazy("Return authorisation"), gettext_lazy("Its number, where one was given")),
    "report": (gettext_lazy("Inspection report"), gettext_lazy("Its number")),
    "reason": (gettext_lazy("Reason"), gettext_lazy("In your own words; it is recorded")),
}


@dataclass(frozen=True)
class Field:
    """A labelled input of the page."""

    name: str
    label: str
    hint: str
    kind: str
    required: bool
    value: str = ""
    options: Sequence[tuple[str, str]] = ()
    error: str = ""


@dataclass(frozen=True)
class Filled:
    """What was typed: raw codes (each once), place, details; and the codes as understood."""

    codes: Sequence[str]
    place: str
    details: Mapping[str, str]
    scanned: Sequence[ScannedCode] = ()
    errors: Sequence[Error] = field(default_factory=tuple)
    offered: str = ""  # the despatch advice that was filled in because of the goods, or the one that was typed

    def nonce(self, seed: str, step: Step) -> str:
        """The page's nonce bound to its content: the same submitted twice is one scan, other content another."""
        return _digest([seed, step.id, self.place, list(self.codes), sorted(self.details.items())])[:48]


def fingerprint(filled: Filled, verdict: str, reasons: Sequence[tuple[str, str]]) -> str:
    """What was checked and what the check said; recording asks for the same."""
    return _digest([list(filled.codes), filled.place, sorted(filled.details.items()), verdict, sorted(reasons)])


def read(data: Mapping[str, str], step: Step) -> Filled:
    """The posted form, with every fault found and not the first only."""
    today = datetime.fromtimestamp(now_ms() / 1000, UTC).date()
    codes = list(dict.fromkeys(line.strip(WHITESPACE) for line in data.get("codes", "").split("\n")))
    codes = [code for code in codes if code]
    errors: list[Error] = []
    scanned: list[ScannedCode] = []
    if not codes:
        errors.append(Error("codes", _("Scan or type at least one code.")))
    for code in codes:
        try:
            scanned.append(scan.parse(code, today=today))
        except Gs1Error as error:
            errors.append(
                Error(
                    "codes",
                    _("“{code}” cannot be read: {why}").format(code=code[:60], why=names.code_fault(error.code)),
                )
            )
    details = {name: data.get(name, "").strip(WHITESPACE) for name in (*step.needs, *step.optional)}
    details = {name: value.upper() if name == "country" else value for name, value in details.items() if value}
    if step.shape is Shape.COMMISSION:
        details = _from_code(scanned) | details
    errors += _faults(step, details, today)
    return Filled(codes, data.get("place", ""), details, tuple(scanned), tuple(errors))


def fields(step: Step, member: Member, filled: Filled | None, given: Mapping[str, str]) -> list[Field]:
    """The step's own fields, filled in as far as they were; `given`: what the address says before anything was."""
    values = filled.details if filled else given
    wrong = {error.field: error.text for error in filled.errors} if filled else {}
    found = []
    for name in (*step.needs, *step.optional):
        label, hint = _LABELS.get(name, (name, ""))
        value = values.get(name, "")
        found.append(
            Field(
                name,
                str(label),
                str(hint),
                _KINDS.get(name, "text"),
                name in step.needs,
                names.document(value) if name == "despatch" else value,
                _options(name, step, member),
                wrong.get(name, ""),
            )
        )
    return found


def _from_code(scanned: Sequence[ScannedCode]) -> dict[str, str]:
    """Lot and expiry as the first code says them; one that says neither leaves both to the person."""
    first = next((code for code in scanned if code.kind == "pack"), None)
    found = {}
    if first and first.lot:
        found["lot"] = first.lot
    if first and first.expiry:
        found["expiry"] = first.expiry.isoformat()
    return found


def _faults(step: Step, details: Mapping[str, str], today: date) -> list[Error]:
    errors = [
        Error(name, _("Fill in: {field}.").format(field=_LABELS.get(name, (name, ""))[0]))
        for name in step.needs
        if name not in details
    ]
    if "expiry" in details:
        try:
            times.day(details["expiry"])
        except ValueError:
            errors.append(Error("expiry", _("Give the expiry date as year-month-day, such as 2028-12-31.")))
    if "quantity_left" in details and not details["quantity_left"].isdecimal():
        errors.append(Error("quantity_left", _("Say how much is left as a whole number.")))
    if "container" in details:
        errors += _container_faults(details["container"], today)
    return errors


def _container_faults(text: str, today: date) -> list[Error]:
    try:
        kind = scan.parse(text, today=today).kind
    except Gs1Error as error:
        why = names.code_fault(error.code)
        return [Error("container", _("“{code}” cannot be read: {why}").format(code=text[:60], why=why))]
    return [] if kind == "sscc" else [Error("container", _("Scan the container's SSCC, the 18 digits on its label."))]


def _options(name: str, step: Step, member: Member) -> list[tuple[str, str]]:
    if name in {"receiver", "sender"}:
        others = Party.objects.filter(active=True).exclude(id=member.party_id).order_by("name")
        return [(party.id, party.name) for party in others if not party.has_role(Party.Role.REGULATOR)]
    if name == "ward":
        return [(site.uri, site.name) for site in member.party.sites.order_by("name")]
    if name == "witness":
        people = Member.objects.filter(party=member.party, user__is_active=True).exclude(pk=member.pk)
        return [(one.user.get_username(), one.user.get_username()) for one in people.select_related("user")]
    if name == "despatch":
        return under_way.options(step, member.party)
    return []


def _digest(content: object) -> str:
    return hashlib.sha256(json.dumps(content, ensure_ascii=False).encode()).hexdigest()
