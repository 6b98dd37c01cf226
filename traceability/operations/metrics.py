"""/metrics: facts read at scrape time, so that every process of the house gives the same answer, and the counters that
the processes of this machine share (common/metrics.py). Text format of Prometheus."""

import os
import platform
import tomllib
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import django
from django.conf import settings
from django.db.models import Count
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from ledger import api as ledger
from traceability.alerts import selectors as alerts
from traceability.alerts.models import Alert
from traceability.common.metrics import REGISTRY
from traceability.exchange import counts as exchange
from traceability.exchange.models import Channel, Delivery, Subscription

from . import facts as selector
from . import health
from .facts import Facts, LogFacts

SEVERITIES = ("S1", "S2", "S3", "S4")


def text() -> bytes:
    """The whole answer."""
    registry = CollectorRegistry()
    registry.register(FactsCollector())
    return generate_latest(registry) + generate_latest(_counters())


def _counters() -> CollectorRegistry:
    """The counters of all processes of this machine, or of this process alone where they share no folder."""
    if not os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        return REGISTRY
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # the library leaves it so
    return registry


class FactsCollector(Collector):
    """What `facts.gather` found, as gauges."""

    def collect(self) -> Iterator[Metric]:
        found = selector.gather()
        yield InfoMetricFamily("dosetrail_build", "What runs here.", value=build())
        yield _labelled(
            "dosetrail_health_check",
            "Whether a check of /healthz is fine (1), failing (0) or not to be seen from here (absent).",
            "check",
            (
                (one.name, one.state == ledger.health.OK)
                for one in health.judge(found)
                if one.state != ledger.health.UNKNOWN
            ),
        )
        for folder, free in (("data", found.disk_data), ("database", found.disk_database)):
            if free is not None:
                yield _labelled("dosetrail_disk_free_bytes", "Free where it lies.", "folder", [(folder, free)])
        if found.log is not None:
            yield from _log(found, found.log)
            yield from _folds(found.log)
            yield from _witnesses(found, found.log.log)
            yield _plain("dosetrail_database_bytes", "Size of the database on disk.", selector.database_bytes())
            yield from _outgoing()
            yield _labelled("dosetrail_alerts_open", "Alerts that nobody has closed.", "severity", _open_alerts())


def _log(found: Facts, facts: LogFacts) -> Iterator[Metric]:
    log = facts.log
    yield _plain("dosetrail_log_entries", "Entries in the log, signed or published.", log.size)
    yield _plain("dosetrail_log_published_entries", "Entries under a published checkpoint.", log.published_size)
    yield _plain("dosetrail_log_final_entries", "Entries under a checkpoint that a quorum cosigned.", log.final_size)
    yield _plain("dosetrail_backlog_statements", "Statements that wait for their index.", log.backlog)
    age = found.age_s(log.checkpoint_ms)
    if age is not None:
        yield _plain("dosetrail_checkpoint_age_seconds", "Time since the newest published checkpoint.", age)
    oldest = found.age_s(facts.oldest_ms) if log.backlog else 0
    if oldest is not None:
        yield _plain("dosetrail_backlog_oldest_seconds", "How long the oldest statement waits.", oldest)


def _folds(facts: LogFacts) -> Iterator[Metric]:
    positions = [(fold.name, fold.position) for fold in facts.folds]
    behind = [(fold.name, fold.behind) for fold in facts.folds]
    yield _labelled("dosetrail_projection_position", "The next entry a projection reads.", "projection", positions)
    yield _labelled("dosetrail_projection_lag_entries", "Published entries it has not read.", "projection", behind)


def _witnesses(found: Facts, log: ledger.LogStanding) -> Iterator[Metric]:
    ages = [(one.name, found.age_s(one.cosigned_ms)) for one in log.witnesses if one.cosigned_ms]
    sizes = [(one.name, one.size) for one in log.witnesses]
    yield _labelled("dosetrail_witness_cosigned_age_seconds", "Time since a witness cosigned.", "witness", ages)
    yield _labelled("dosetrail_witness_cosigned_entries", "The size that a witness cosigned last.", "witness", sizes)
    quorum = found.age_s(log.quorum_ms)
    if quorum is not None:
        yield _plain("dosetrail_quorum_age_seconds", "Time since a quorum of witnesses had cosigned.", quorum)


def _outgoing() -> Iterator[Metric]:
    yield _labelled("dosetrail_subscriptions", "Webhooks of subscribers.", "state", exchange.counts(Subscription))
    yield _labelled("dosetrail_channels", "Channels to partners.", "state", exchange.counts(Channel))
    yield _labelled("dosetrail_deliveries", "Documents for partners.", "state", exchange.counts(Delivery))


def _open_alerts() -> list[tuple[str, int]]:
    rows = Alert.objects.filter(state__in=alerts.OPEN_STATES).values("severity").annotate(number=Count("pk"))
    counts = {row["severity"]: row["number"] for row in rows.order_by()}
    return [(severity, counts.get(severity, 0)) for severity in SEVERITIES]


def _plain(name: str, words: str, value: float) -> Metric:
    return GaugeMetricFamily(name, words, value=value)


def _labelled(name: str, words: str, label: str, values: Iterable[tuple[str, float | None]]) -> Metric:
    family = GaugeMetricFamily(name, words, labels=[label])
    for of, value in values:
        if value is not None:
            family.add_metric([of], value)
    return family


@cache
def build() -> dict[str, str]:
    """Version of the product and of what it runs on."""
    project = tomllib.loads((Path(settings.BASE_DIR) / "pyproject.toml").read_text())["project"]
    return {"version": project["version"], "python": platform.python_version(), "django": django.get_version()}
