"""How states, severities and events are said to an inspector."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext_lazy as _

from traceability.alerts import selectors as alerts
from traceability.alerts.models import Alert
from traceability.capture.models import PublishedEvent
from traceability.contracts import wording
from traceability.visibility import receipts
from traceability.web.shared import names

# severity -> (word, tone, icon)
SEVERITIES = {
    "S1": (_("Stop now"), "is-danger", "shared/icons/danger.svg"),
    "S2": (_("Set aside"), "is-warn", "shared/icons/warning.svg"),
    "S3": (_("Data fault"), "is-unknown", "shared/icons/info.svg"),
    "S4": (_("For information"), "is-unknown", "shared/icons/info.svg"),
}
STATES = {
    "new": _("New"),
    "acknowledged": _("Acknowledged"),
    "answered": _("Answered"),
    "resolved": _("Closed"),
    "retracted": _("Withdrawn"),
}
SETTLING = _("New, settling")
CERTAINTIES = {"certain": _("certain"), "possible": _("possible")}
RULES = {
    "temperature": _("Temperature"),
    "expired-sale": _("Sold after expiry"),
    "clone": _("Same serial twice"),
    "double-dispense": _("Dispensed twice"),
    "containment": _("Contents that contradict"),
    "quantity-mismatch": _("Delivery differs from despatch"),
    "movement-after-recall": _("Moved after recall"),
    "movement-after-freeze": _("Moved although frozen"),
    "log": _("The log itself"),
    "key": _("Keys"),
}
TEMPLATES = RULES | {"temperature-hot": _("Too warm"), "temperature-freeze": _("Too cold")}
CAUSES = {
    "confirmed": _("Confirmed"),
    "technical-error": _("Technical error"),
    "user-error": _("Mistake of a person"),
    "record-corrected": _("The record was corrected"),
    "sensor-fault": _("Sensor fault"),
    "handled-within-limits": _("Handled within the limits"),
    "other": _("Other"),
}

CHECKS = {
    "database": _("Database"),
    "checkpoint_age": _("Age of the newest checkpoint"),
    "backlog": _("Statements waiting for the log"),
    "backlog_age": _("Longest wait for the log"),
    "sequencer": _("Writer of the log"),
    "projections": _("Longest wait for a fold"),
    "witness_quorum": _("Since the witnesses' quorum"),
    "disk_data": _("Free space, data folder"),
    "disk_database": _("Free space, database"),
    "broker": _("Broker of background tasks"),
    "key_files": _("Files of secrets"),
}
CHECK_STATES = {
    "ok": (_("In order"), "is-ok"),
    "failing": (_("Not in order"), "is-danger"),
    "unknown": (_("Not visible"), "is-unknown"),
}
CHECK_VALUES = {
    "elected": _("at work"),
    "nobody": _("nobody"),
    "closed": _("closed, signs nothing"),
    "none": _("no quorum named"),
    "in-process": _("inside the process"),
    "reachable": _("reachable"),
}

CONTRACT_STATES = {
    "proposed": _("Proposed"),
    "active": _("In force"),
    "superseded": _("Replaced"),
    "revoked": _("Revoked"),
}
FOLDS = {
    "master-data": _("Master data"),
    "event-index": _("Index of events"),
    "custody": _("Custody"),
    "audience": _("Who may see what"),
    "cold-chain": _("Cold chain"),
    "findings": _("Findings"),
    "alerts": _("Alerts"),
    "event-hashes": _("Index of event hashes"),
}

# Parameters of the templates (contracts/templates)
PARAMETERS = {
    "clock_skew_s": _("Clock difference allowed"),
    "max_km_per_hour": _("Fastest possible, km per hour"),
    "min_distance_m": _("Distances below this many metres do not count"),
    "same_party_s": _("Taken for one double scan within"),
    "grace_days": _("Days of grace"),
    "grace_s": _("Time of grace"),
    "window_s": _("Time for receipts"),
    "group_s": _("One alert for excursions within"),
    "limit_mc": _("Limit"),
    "limit_s": _("Allowed time beyond it"),
    "max_gap_s": _("Longest gap between readings"),
    "strict": _("The limit itself is still good"),
}
_LEFT_OPEN = {"max_gap_s": _("three times the interval of the readings")}


def parameter(name: str, value: Any) -> tuple[str, str]:
    """A contract's parameter and its value in words; None = left to the product's profile or to the readings."""
    label = str(PARAMETERS.get(name, name))
    if value is None:
        return label, str(_LEFT_OPEN.get(name, _("as the product's profile says")))
    if name.endswith("_mc"):
        return label, wording.celsius(value)
    if name.endswith("_s"):
        return label, _duration(value)
    if isinstance(value, bool):
        return label, str(_("yes") if value else _("no"))
    return label, str(value)


def _duration(seconds: int) -> str:
    """A time span in the largest unit that says it without a fraction."""
    for size, words in ((3600, _("{n} h")), (60, _("{n} min"))):
        if seconds and seconds % size == 0:
            return str(words).format(n=seconds // size)
    return str(_("{n} s")).format(n=seconds)


def status(name: str) -> str:
    """What a thing is at, in words."""
    return str(names.STATUSES.get(name, name.replace("_", " ")))


def moment(ms: int) -> str:
    """A time as an inspector reads it, UTC to the minute."""
    return f"{datetime.fromtimestamp(ms / 1000, UTC):%Y-%m-%d %H:%M}"


def rows(page: Sequence[Alert], *, ledger_time_ms: int) -> list[dict[str, Any]]:
    """Alerts as the list shows them; the names with a fixed number of queries."""
    naming = names.Names().learn(gtins=[alert.gtin for alert in page])
    return [row(alert, naming, ledger_time_ms=ledger_time_ms) for alert in page]


def row(alert: Alert, naming: names.Names, *, ledger_time_ms: int) -> dict[str, Any]:
    """An alert as the list shows it."""
    severity, tone, icon = SEVERITIES[alert.severity]
    settling = alerts.is_settling(alert, ledger_time_ms=ledger_time_ms)
    return {
        "alert": alert,
        "title": alerts.title(alert),
        "rule": RULES.get(alert.rule, alert.rule),
        "subject": names.goods(alert.subject),
        "product": naming.product(alert.gtin),
        "severity": severity,
        "tone": tone,
        "icon": icon,
        "state": SETTLING if settling else STATES[alert.state],
        "certainty": CERTAINTIES[alert.certainty],
        "at": moment(alert.at_ms),
        "opened": moment(alert.opened_ms),
    }


def event_row(event: PublishedEvent, naming: names.Names, relation: str = "", container: str = "") -> dict[str, Any]:
    """An event as the evidence and history tables show it."""
    receipts.shown([(event.index, event.reporter)])
    return {
        "index": event.index,
        "hash": event.statement_hash,
        "at": moment(event.event_time_ms),
        "recorded": moment(event.record_time_ms),
        "step": names.step(event),
        "disposition": event.disposition.replace("_", " "),
        "place": naming.place(names.place_of(event)),
        "reporter": naming.party(event.reporter),
        "relation": relation,
        "container": names.goods(container) if container else "",
    }


def measured(value: Any, unit: str) -> str:
    """A value of a health check with its unit; '' for none."""
    if value is None:
        return ""
    if unit == "bytes":
        return filesizeformat(value)
    return f"{value} s" if unit == "s" else str(value)
