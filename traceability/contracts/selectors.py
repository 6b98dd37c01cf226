"""Reading contracts and what they found."""

from collections.abc import Collection, Iterable

from django.db.models import QuerySet

from traceability.common import bulk
from traceability.custody import selectors as custody
from traceability.custody.models import Containment

from .gather.reference import item_lookup
from .models import Contract, Finding

_MAX_DEPTH = 8


def contracts() -> QuerySet[Contract]:
    """All contract versions, newest of each contract first."""
    return Contract.objects.order_by("contract", "-version")


def active_at(index: int) -> QuerySet[Contract]:
    """The versions in force for an entry at a log index."""
    begun = Contract.objects.filter(active_index__lte=index)
    return (begun.filter(ended_index=None) | begun.filter(ended_index__gt=index)).order_by("contract")


def open_findings() -> QuerySet[Finding]:
    """What is found and not retracted, newest first."""
    return Finding.objects.filter(retracted_index=None).order_by("-opened_index", "key")


def open_findings_for(subjects: Collection[str], indexes: Collection[int] = ()) -> list[Finding]:
    """Open findings on a pack and its containers (`subjects`).

    With `indexes` (the events of the pack's history) a container's finding counts only if one of these events shows
    it: what happened to a box before or after the pack was in it is not the pack's.
    """
    found = list(open_findings().filter(subject__in=list(subjects)))
    history = set(indexes)
    return [one for one in found if not history or item_lookup(one.subject) or history & set(one.evidence)]


def by_incident(incidents: Iterable[str]) -> dict[str, list[Finding]]:
    """All findings of these incidents, retracted ones included, in key order."""
    found: dict[str, list[Finding]] = {incident: [] for incident in incidents}
    for row in bulk.among(Finding.objects.order_by("key"), "incident", list(found)):
        found[row.incident].append(row)
    return found


def affected_packs(finding: Finding) -> list[str]:
    """The packs that a finding is about, found on read: of a holder those inside during the time in question."""
    if finding.kind == "key":
        return []  # what a key signed may be the half of all: `capture.signed` lists it page by page
    if finding.kind == "despatch":
        items = set(finding.params["missing_items"]) | set(finding.params["extra_items"])
        inside = custody.all_contents(items, at_ms=finding.at_ms)
    elif item_lookup(finding.subject):
        return [finding.subject]
    else:
        items = {finding.subject}
        start = finding.params.get("start_ms", finding.at_ms)
        inside = _inside_during(finding.subject, start, finding.params.get("end_ms", start))
    return sorted(epc for epc in items | inside if item_lookup(epc))


def _inside_during(container: str, start_ms: int, end_ms: int) -> set[str]:
    """What was in a container, at any depth, at some time from `start_ms` to `end_ms`; one query per level."""
    found: set[str] = set()
    level = {container: (start_ms, end_ms)}
    for _ in range(_MAX_DEPTH):
        below: dict[str, tuple[int, int]] = {}
        rows = Containment.objects.values_list("parent", "child", "from_ms", "to_ms")
        for parent, child, from_ms, to_ms in bulk.among(rows, "parent", list(level)):
            start, end = (
                max(level[parent][0], from_ms),
                level[parent][1] if to_ms is None else min(level[parent][1], to_ms),
            )
            if start <= end and child not in found and child != container:
                below[child] = (start, end)
        if not below:
            break
        found |= set(below)
        level = below
    return found
