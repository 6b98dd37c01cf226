"""Asking first: what speaks against a step on these goods, from what is recorded. Pure."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from traceability.gs1.scan import ScannedCode

from .steps import Shape, Step

STOP, WARN, ALLOW = "stop", "warn", "allow"
_ORDER = {ALLOW: 0, WARN: 1, STOP: 2}


@dataclass(frozen=True)
class Reason:
    """Why a step is warned of or stopped; `code` is stable, `text` is for people."""

    verdict: str
    code: str
    text: str | Promise
    epc: str = ""


@dataclass(frozen=True)
class Known:
    """What is recorded of a scanned thing."""

    status: str
    place: str
    lot: str = ""
    expiry: date | None = None
    held: bool = False
    recalled: bool = False
    destinations: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Preflight:
    """The answer: the worst verdict and every reason."""

    verdict: str
    reasons: tuple[Reason, ...]


_STATUS_TEXTS = {
    "active": _("It is in stock; this step does not fit."),
    "shipped": _("It is recorded as shipped and not yet received."),
    "dispensed": _("It has been dispensed already."),
    "partially_dispensed": _("A part of it has been dispensed already."),
    "destroyed": _("It is recorded as destroyed."),
    "decommissioned": _("It has been taken out of use."),
    "sampled": _("It was taken as a sample."),
    "stolen": _("It is reported as stolen."),
    "exported": _("It was exported."),
}


def judge(
    step: Step,
    codes: Sequence[ScannedCode],
    known: Mapping[str, Known],
    *,
    place: str,
    own_uris: Collection[str],
    today: date,
    despatched: Collection[str] | None = None,
) -> Preflight:
    """All reasons against the step. `today` is the local date at the place; `despatched` what the advice lists."""
    reasons: list[Reason] = []
    for code in codes:
        reasons += _of_code(step, code)
        if step.shape is Shape.LOT or not code.epc:
            continue
        if code.epc in known:
            reasons += _of_known(step, code, known[code.epc], place=place, own_uris=own_uris, today=today)
        elif step.shape is not Shape.COMMISSION:
            verdict = STOP if "unknown" in step.stops_on else WARN
            reasons.append(Reason(verdict, "unknown", _("Nothing is recorded of this code yet."), code.epc))
    reasons += _of_despatch(codes, despatched)
    worst = max((reason.verdict for reason in reasons), key=_ORDER.__getitem__, default=ALLOW)
    return Preflight(worst, tuple(reasons))


def _of_code(step: Step, code: ScannedCode) -> list[Reason]:
    if not code.epc or code.kind == "unknown":
        return [
            Reason(STOP, "not-a-code", _("This is no code of a pack, case, pallet or lot. Scan it again."), code.raw)
        ]
    if step.shape is Shape.LOT and code.kind != "lot":
        return [Reason(STOP, "not-a-lot", _("This step is about a lot: give GTIN and lot number."), code.epc)]
    if step.shape is not Shape.LOT and code.kind in {"gtin", "lot", "gln"}:
        return [
            Reason(STOP, "no-serial", _("The serial number is missing: scan the code on the single pack."), code.epc)
        ]
    if "missing-gs" in code.flags:
        text = _("The scanner swallowed a separator. Compare lot and serial with the print, or scan again.")
        return [Reason(WARN, "missing-gs", text, code.epc)]
    return []


def _of_known(
    step: Step, code: ScannedCode, known: Known, *, place: str, own_uris: Collection[str], today: date
) -> list[Reason]:
    found: list[Reason] = []

    def add(verdict: str, reason: str, text: str | Promise) -> None:
        found.append(Reason(verdict, reason, text, code.epc))

    if step.shape is Shape.COMMISSION:
        add(STOP, "exists", _("This serial number exists already."))
        return found
    if known.status not in step.from_statuses:
        add(STOP, f"is-{known.status}", _STATUS_TEXTS.get(known.status, _("Its state does not fit this step.")))
    if known.recalled:
        add(STOP if "recalled" in step.stops_on else WARN, "recalled", _("Its lot has been recalled."))
    if known.held:
        add(STOP if "held" in step.stops_on else WARN, "held", _("It is on hold."))
    if known.expiry is not None and today > known.expiry:
        add(STOP if "expired" in step.stops_on else WARN, "expired", _("Its expiry date has passed."))
    if code.lot and known.lot and code.lot != known.lot:
        add(STOP, "lot-mismatch", _("The lot on the pack differs from the recorded one."))
    if code.expiry and known.expiry and code.expiry != known.expiry:
        add(STOP, "expiry-mismatch", _("The expiry date on the pack differs from the recorded one."))
    if step.biz_step == "receiving":
        if known.status == "shipped" and known.destinations and not known.destinations & set(own_uris):
            add(WARN, "wrong-recipient", _("It was shipped to another organisation."))
        elif known.status == "active" and known.place != place:
            add(WARN, "no-despatch", _("No despatch of it has been recorded."))
    elif step.is_recorded and known.status in {"active", "partially_dispensed"} and known.place != place:
        add(WARN, "elsewhere", _("It is recorded at another place."))
    return found


def _of_despatch(codes: Sequence[ScannedCode], despatched: Collection[str] | None) -> list[Reason]:
    if despatched is None:
        return []
    scanned = {code.epc for code in codes}
    missing = [
        Reason(WARN, "short", _("It is on the despatch advice and was not scanned."), epc)
        for epc in sorted(set(despatched) - scanned)
    ]
    extra = [
        Reason(WARN, "over", _("It is not on the despatch advice."), epc) for epc in sorted(scanned - set(despatched))
    ]
    return missing + extra
