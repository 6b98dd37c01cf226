"""Reading alerts: the regulator's list, a party's own desk, one alert with its evidence."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from traceability.capture.models import PublishedEvent
from traceability.coldchain import selectors as coldchain
from traceability.contracts import selectors as contracts
from traceability.contracts import wording
from traceability.parties import selectors as parties
from traceability.parties.models import Party
from traceability.products import selectors as products
from traceability.visibility import proofs as proof_bundles
from traceability.visibility import receipts
from traceability.visibility.rules import visible_events, visible_indexes, visible_things

from .models import Alert, AlertParty, AlertTransition

FILTERS = ("rule", "severity", "state", "certainty", "gtin", "lot", "subject")
OPEN_STATES = (Alert.State.NEW, Alert.State.ACKNOWLEDGED, Alert.State.ANSWERED)


@dataclass(frozen=True)
class Evidence:
    """What an alert rests on, as far as the reader may see it; `hidden` = events that others reported."""

    events: Sequence[PublishedEvent]
    hidden: int
    readings: Sequence[tuple[int, int]]  # (ms, milli-°C), for a chart; empty for other rules
    packs: Sequence[str]


def for_regulator(filters: Mapping[str, Any] | None = None) -> QuerySet[Alert]:
    """All alerts, gravest and newest first; `filters` by FILTERS, `open` = True leaves out closed and retracted."""
    return _filtered(Alert.objects.all(), filters or {})


def for_party(party: Party, filters: Mapping[str, Any] | None = None) -> QuerySet[Alert]:
    """The alerts that concern `party`; a regulator's are all."""
    return _filtered(visible_alerts(Alert.objects.all(), party), filters or {})


def visible_alerts(alerts: QuerySet[Alert], party: Party) -> QuerySet[Alert]:
    """`alerts` narrowed to what `party` may see."""
    if party.has_role(Party.Role.REGULATOR):
        return alerts
    return alerts.filter(id__in=AlertParty.objects.filter(party__in=parties.uris_of(party)).values("alert_id"))


def get(alert_id: str, *, party: Party) -> Alert | None:
    """An alert that `party` may see, or None (do not tell apart from one that does not exist)."""
    return visible_alerts(Alert.objects.filter(id=alert_id), party).first()


def standing(alert: Alert) -> tuple[str, int]:
    """State and version with the steps that are recorded and not yet published."""
    newest = AlertTransition.objects.filter(alert_id=alert.id).order_by("-version").first()
    if newest is None or newest.version < alert.version:
        return alert.handled, alert.version
    return newest.to_state, newest.version


def transitions(alert: Alert) -> list[AlertTransition]:
    """What people did about it, oldest first."""
    return list(AlertTransition.objects.filter(alert_id=alert.id).order_by("version"))


def is_settling(alert: Alert, *, ledger_time_ms: int) -> bool:
    """Whether its findings may still change before it leaves the building; it is shown all the same."""
    return alert.state == Alert.State.NEW and ledger_time_ms < alert.settle_until_ms


def title(alert: Alert) -> str:
    """The alert in a few words, in the active language."""
    return wording.title(alert.code)


def explanation(alert: Alert) -> str:
    """What happened and what to do, in the active language."""
    return wording.explain(alert.code, alert.params, subject=alert.subject)


def evidence(alert: Alert, *, party: Party) -> Evidence:
    """The events, readings and packs behind an alert that `party` may see."""
    events = PublishedEvent.objects.filter(index__in=alert.evidence).order_by("event_time_ms", "event_id")
    seen = list(visible_events(events, party))
    receipts.shown((event.index, event.reporter) for event in seen)
    readings: Sequence[tuple[int, int]] = ()
    packs: set[str] = set()
    for finding in contracts.by_incident([alert.incident])[alert.incident]:
        packs |= set(contracts.affected_packs(finding))
    if "start_ms" in alert.params:
        margin = max(3_600_000, alert.params["end_ms"] - alert.params["start_ms"])
        start, end = alert.params["start_ms"] - margin, alert.params["end_ms"] + margin
        sources = coldchain.source_events(alert.subject, start, end)
        if visible_indexes(sources, party) == set(sources):
            readings = coldchain.chart_points(alert.subject, start_ms=start, end_ms=end)
    return Evidence(seen, events.count() - len(seen), readings, sorted(visible_things(packs, party)))


def limits(alert: Alert) -> list[int]:
    """The temperature limits to draw, in milli-°C: the product's range; where the rule has another limit, that one."""
    limit = alert.params.get("limit_mc")
    profile = products.profile_of(alert.params.get("item", ""))
    if limit is None or profile is None:
        return []
    return [limit, profile.high_mc] if limit < profile.low_mc else [profile.low_mc, max(limit, profile.low_mc)]


def proofs(alert: Alert, *, party: Party) -> dict[str, Any]:
    """The evidence bundle (docs/formats.md) of the events behind an alert that `party` may see."""
    return proof_bundles.bundle([event.statement_hash for event in evidence(alert, party=party).events])


def _filtered(alerts: QuerySet[Alert], filters: Mapping[str, Any]) -> QuerySet[Alert]:
    chosen = {name: value for name, value in filters.items() if name in FILTERS and value not in (None, "")}
    found = alerts.filter(**chosen)
    if filters.get("open"):
        found = found.filter(state__in=OPEN_STATES)
    return found.order_by("severity", "-opened_ms", "id")
