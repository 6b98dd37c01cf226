"""ALERTS: findings grouped into incidents, and what people have done about them.

An alert's row is a function of its incident's findings and of the transition statements about it, so that it may be
computed again at any time. Ids are keyed hashes: nobody can guess from a serial number whether there is an alert on it.
"""

import hashlib
import hmac
import json
import logging
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from django.db import transaction

from ledger import api as ledger
from traceability.common import bulk, sealing
from traceability.common.models import Cursor
from traceability.common.projection import LogEntry, Projection, in_force
from traceability.contracts import selectors as contracts
from traceability.contracts.models import Finding

from . import rules
from .models import Alert, AlertChange, AlertParty

log = logging.getLogger(__name__)

NAME = "alerts"
KIND = "alert-transition"
SETTLE_MS = 5 * 60_000
_PARTS = 500
_EVIDENCE_PER_LINE = 100


def alert_id(incident: str) -> str:
    """The alert of an incident: 24 hex digits of an HMAC under a key of this house."""
    return hmac.digest(sealing.id_key(sealing.ALERT_IDS), incident.encode(), "sha256").hex()[:24]


def _apply(entries: Sequence[LogEntry]) -> None:
    # A tick between two entries files its findings under the entry before it.
    changed = Finding.objects.filter(
        changed_index__gte=entries[0].index - 1, changed_index__lte=entries[-1].index
    ).values_list("incident", flat=True)
    told = [entry for entry in entries if entry.kind == KIND and isinstance(entry.body, dict)]
    steps = [entry for entry in in_force(told) if entry.body and rules.is_step(entry.body)]
    touched = _sync(set(changed) | {step.body["incident"] for step in steps if step.body})
    _tell(touched | _take_steps(steps), position=entries[-1].index)


def refresh() -> int:
    """Take up what a tick found since the last entry; the number of incidents looked at."""
    position = Cursor.objects.filter(projection=NAME).values_list("position", flat=True).first() or 0
    late = Finding.objects.filter(changed_index=position - 1)
    if not late.exists():
        return 0
    with transaction.atomic():
        cursor = Cursor.objects.select_for_update().filter(projection=NAME).first()
        if cursor is None or cursor.position != position:
            return 0
        incidents = set(late.values_list("incident", flat=True))
        _tell(_sync(incidents), position=position - 1)
    return len(incidents)


def _sync(incidents: Collection[str]) -> set[str]:
    """Bring the alerts of these incidents in line with their findings; the ids of those that changed."""
    findings = {key: found for key, found in contracts.by_incident(incidents).items() if found}
    known = {alert.incident: alert for alert in bulk.among(Alert.objects.all(), "incident", findings)}
    times = _record_times({min(one.opened_index for one in found) for found in findings.values()})
    concerned = _concerned([alert.id for alert in known.values()])
    new: list[Alert] = []
    changed: list[Alert] = []
    parties: list[AlertParty] = []
    for incident in sorted(findings):
        values = _values(findings[incident], times)
        uris = {uri for one in findings[incident] for uri in one.parties}
        alert = known.get(incident) or Alert(id=alert_id(incident), incident=incident)
        before = {name: getattr(alert, name) for name in values} if incident in known else None
        if before == values and alert.state == _state(alert) and concerned[alert.id] == uris:
            continue
        for name, value in values.items():
            setattr(alert, name, value)
        alert.state = _state(alert)
        (changed if incident in known else new).append(alert)
        parties += [AlertParty(alert_id=alert.id, party=uri) for uri in sorted(uris)]
    Alert.objects.bulk_create(new, batch_size=_PARTS)
    columns = [field.attname for field in Alert._meta.concrete_fields if not field.primary_key]
    Alert.objects.bulk_update(changed, columns, batch_size=100)
    for part in bulk.chunks([alert.id for alert in changed]):
        AlertParty.objects.filter(alert_id__in=part).delete()
    AlertParty.objects.bulk_create(parties, batch_size=_PARTS)
    return {alert.id for alert in (*new, *changed)}


def _concerned(names: Collection[str]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for name, party in bulk.among(AlertParty.objects.values_list("alert_id", "party"), "alert_id", names):
        found[name].add(party)
    return found


def _values(findings: Sequence[Finding], times: Mapping[int, int]) -> dict[str, Any]:
    """The row's columns from the incident's findings: the gravest open one speaks for all."""
    open_ones = [one for one in findings if one.retracted_index is None]
    shown = open_ones or findings
    lead = min(shown, key=lambda one: (one.severity, one.certainty, one.key))  # "certain" sorts before "possible"
    opened = min(one.opened_index for one in findings)
    opened_ms = times.get(opened, 0)
    at_once = lead.severity == "S1" and lead.certainty == "certain"
    return {
        "rule": lead.rule,
        "severity": lead.severity,
        "certainty": lead.certainty,
        "code": lead.code,
        "params": lead.params,
        "subject": lead.subject,
        "count": len(shown),
        "evidence": sorted({index for one in shown for index in one.evidence}),
        "gtin": lead.gtin,
        "lot": lead.lot,
        "at_ms": lead.at_ms,
        "judged_by": lead.judged_by,
        "opened_index": opened,
        "opened_ms": opened_ms,
        "settle_until_ms": opened_ms if at_once else opened_ms + SETTLE_MS,
        "retracted_index": None if open_ones else max(one.retracted_index or 0 for one in findings),
    }


def _state(alert: Alert) -> str:
    return alert.handled if alert.retracted_index is None else Alert.State.RETRACTED


def _take_steps(entries: Sequence[LogEntry]) -> set[str]:
    """Apply the transitions that people made, each to the version that it was made on; the ids of their alerts."""
    bodies = [(entry, entry.body) for entry in entries if entry.body]
    alerts = {alert.id: alert for alert in bulk.among(Alert.objects.all(), "id", {body["alert"] for _, body in bodies})}
    changed = {}
    for entry, body in bodies:
        alert = alerts.get(body["alert"])
        if alert is None or body["version"] != alert.version + 1 or body["party"] != entry.iss:
            continue
        alert.version += 1
        if rules.is_allowed(alert.handled, body["to"]):
            alert.handled = body["to"]
        alert.state = _state(alert)
        changed[alert.id] = alert
    Alert.objects.bulk_update(changed.values(), ["version", "handled", "state"], batch_size=100)
    return set(changed)


def _tell(names: Collection[str], *, position: int) -> None:
    """Put news into the outbox of the event stream; while a rebuild goes over what was told before, there is none."""
    if not names:
        return
    told = AlertChange.objects.order_by("-position").values_list("position", flat=True).first()
    if told is not None and position < told:
        return
    last: dict[str, str] = {}
    for change in bulk.among(AlertChange.objects.order_by("pk"), "alert_id", names):
        last[change.alert_id] = change.fingerprint
    shown = [(alert, _fingerprint(alert)) for alert in bulk.among(Alert.objects.order_by("id"), "id", names)]
    news = [(alert, fingerprint) for alert, fingerprint in shown if last.get(alert.id) != fingerprint]
    AlertChange.objects.bulk_create(
        AlertChange(position=position, alert_id=alert.id, fingerprint=fingerprint) for alert, fingerprint in news
    )
    transaction.on_commit(lambda: _say(alert for alert, _ in news))


def _say(alerts: Iterable[Alert]) -> None:
    """Log what changed; `evidence` holds the log indexes of the entries behind it, never what they name."""
    for alert in alerts:
        facts = {"alert": alert.id, "rule": alert.rule, "severity": alert.severity, "state": alert.state}
        log.info("alert", extra={**facts, "evidence": alert.evidence[:_EVIDENCE_PER_LINE]})


def _fingerprint(alert: Alert) -> str:
    shown = [alert.state, alert.version, alert.severity, alert.certainty, alert.code, alert.count, alert.evidence]
    return hashlib.sha256(json.dumps(shown).encode()).hexdigest()


def _record_times(indexes: Collection[int]) -> dict[int, int]:
    """When these entries came on the log; neighbours are read together."""
    if not indexes:
        return {}
    times: dict[int, int] = {}
    for index in sorted(indexes):
        if index not in times:
            times |= {entry.index: entry.record_time_ms for entry in ledger.published(index, 50)}
    return times


ALERTS = Projection(name=NAME, models=(Alert, AlertParty), apply=_apply)
