"""FINDINGS: what the contracts in force make of the log so far.

Each subject that an entry touches is judged anew as of that entry, and what changed is opened or retracted. The history
of a finding is therefore the same however the entries were cut into batches. What only time decides (the account of a
shipment) is judged as of the last entry before its moment, by the record times on the log or by a tick of the log's
clock (`tick`), whichever comes first: both give the same row.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from django.db import transaction
from django.db.models import Q

from ledger import api as ledger
from traceability.common import bulk
from traceability.common.models import Cursor
from traceability.common.projection import LogEntry, Projection

from . import engine, key_reports, lifecycle_store, log_reports
from .engine import Facts, Judged, Kind, Version
from .facts import Alike, ShipmentFacts, ThingFacts
from .gather import holders, recalls, shipments, things
from .gather.event_rows import EventRows
from .gather.reference import keep_keys
from .models import Contract, Finding, MasterKey, RecallMark, Timer
from .touched import Moments, Touched

NAME = "findings"


@dataclass(frozen=True)
class _Batch:
    """The entries' span: (index, record time) in order, and the index before the first; what was read of the events."""

    times: Sequence[tuple[int, int]]
    before: int
    rows: EventRows = field(default_factory=EventRows)

    @property
    def end(self) -> int:
        return self.times[-1][0] if self.times else self.before

    @property
    def last_ms(self) -> int:
        return self.times[-1][1] if self.times else 0

    @cached_property
    def _ms(self) -> Mapping[int, int]:
        return dict(self.times)

    def ms_at(self, index: int) -> int:
        return self._ms.get(index, 0)

    def last_before(self, due_ms: int) -> int:
        """The last index of the log whose record time is before a moment."""
        return max((index for index, ms in self.times if ms < due_ms), default=self.before)


def _apply(entries: Sequence[LogEntry]) -> None:
    batch = _Batch([(entry.index, entry.record_time_ms) for entry in entries], entries[0].index - 1)
    keep_keys(entries)
    recalls.keep_marks(entries, batch.rows)
    lifecycle_store.apply(entries)
    touched = Touched(entries, batch.rows)
    versions = lifecycle_store.versions()
    if touched.asking and _of_kind("thing", versions):
        _judge_things(things.gather(touched, batch.rows), _of_kind("thing", versions), touched.released)
    if touched.holders and _of_kind("holder", versions):
        _judge_holders(touched.holders, _of_kind("holder", versions), end=batch.end)
    waiting = Q(due_ms__lte=batch.last_ms) | Q(subject__among=frozenset(touched.despatches))
    timers = dict(Timer.objects.filter(waiting).values_list("subject", "due_ms"))
    _judge_shipments(touched.despatches, timers, versions, batch)
    log_reports.keep(entries)
    key_reports.keep(entries, turns=touched.turns)


def tick() -> int:
    """Judge the shipments whose account the log's clock has closed since the last entry; how many there were.

    Only once the fold has caught up with the log: an entry that is still to be read comes first.
    """
    checkpoint = ledger.latest_checkpoint()
    if checkpoint is None or not Timer.objects.filter(due_ms__lte=checkpoint.time_ms).exists():
        return 0
    with transaction.atomic():
        cursor = Cursor.objects.select_for_update().filter(projection=NAME).first()
        if cursor is None or cursor.position != checkpoint.size:
            return 0
        timers = dict(Timer.objects.filter(due_ms__lte=checkpoint.time_ms).values_list("subject", "due_ms"))
        batch = _Batch([], cursor.position - 1)
        _judge_shipments({}, timers, lifecycle_store.versions(), batch, now_ms=checkpoint.time_ms)
    return len(timers)


def _of_kind(kind: Kind, versions: Sequence[Version]) -> list[Version]:
    return [version for version in versions if engine.TEMPLATES[version.template].kind == kind]


def _judge_things(found: Sequence[Alike], versions: Sequence[Version], released: Mapping[int, Collection[int]]) -> None:
    """Judge things as of each entry that asks for them: once for all of which the log then said the same.

    `released`: at which entries recalls were made void, and which; the subjects of findings that rest on one of those
    are judged there too, also when the finding is of this very batch.
    """
    concerned = [(one, mine) for one in found if (mine := engine.concerned(one.facts, versions))]
    store = _Store("thing", [name for one, _ in concerned for name in one.names])
    clear: set[Hashable] = set()
    for one, mine in concerned:
        for index in sorted(one.moments | released.keys()):
            names = one.names
            if index not in one.moments:
                names = [name for name in names if store.rests_on(name, released[index])]
            known = store.known(names)
            likeness = one.likeness(index)
            if not known and (not names or likeness in clear):
                continue
            state = one.facts.as_of(index)
            judged = engine.evaluate("thing", state, mine, ledger_time_ms=0)
            if likeness and not judged:
                clear.add(likeness)
            for name in names if judged else known:
                if name != state.subject:
                    state = state.called(name)
                    judged = engine.evaluate("thing", state, mine, ledger_time_ms=0)
                store.update(name, state, judged, index)
    store.save()


def _judge_holders(moments: Moments, versions: Sequence[Version], *, end: int) -> None:
    facts = holders.gather(moments, end=end)
    store = _Store("holder", moments)
    for subject in sorted(facts):
        for index in sorted(moments[subject]):
            state = facts[subject].as_of(index)
            store.update(subject, state, engine.evaluate("holder", state, versions, ledger_time_ms=0), index)
    store.save()


def _judge_shipments(
    moments: Moments,
    timers: Mapping[str, int],
    versions: Sequence[Version],
    batch: _Batch,
    *,
    now_ms: int | None = None,
) -> None:
    """`timers`: of these shipments, and of those whose time has come."""
    subjects = set(moments) | set(timers)
    if not subjects:
        return
    versions = _of_kind("despatch", versions)
    asking = {one: {batch.before, *moments.get(one, ())} for one in subjects}
    facts = shipments.gather(asking, batch.rows, end=batch.end)
    store = _Store("despatch", subjects)
    end_ms = batch.last_ms if now_ms is None else now_ms
    later = []
    for subject in sorted(subjects):
        waiting = timers.get(subject)
        steps = sorted(moments.get(subject, ()))
        for position, index in enumerate([None, *steps]):
            if index is not None:
                waiting = _account(facts[subject].as_of(index), versions, store, index=index, now_ms=batch.ms_at(index))
            until = batch.ms_at(steps[position]) if position < len(steps) else end_ms
            waiting = _pass_time(facts[subject], versions, batch, store, waiting=waiting, until_ms=until)
        if waiting is not None:
            later.append(Timer(subject=subject, due_ms=waiting))
    bulk.delete(Timer, "subject", timers)
    Timer.objects.bulk_create(later)
    store.save()


def _pass_time(
    facts: ShipmentFacts,
    versions: Sequence[Version],
    batch: _Batch,
    store: "_Store",
    *,
    waiting: int | None,
    until_ms: int,
) -> int | None:
    """Judge at each moment that falls due up to `until_ms`; the next one after it, or None."""
    while waiting is not None and waiting <= until_ms:
        index = batch.last_before(waiting)
        waiting = _account(facts.as_of(index), versions, store, index=index, now_ms=waiting)
    return waiting


def _account(
    facts: ShipmentFacts, versions: Sequence[Version], store: "_Store", *, index: int, now_ms: int
) -> int | None:
    """Judge a shipment as of an entry at a moment of ledger time; when time alone may change that, or None."""
    due = engine.due_ms(facts, versions)
    is_due = any(one <= now_ms for one in due)
    found = engine.evaluate("despatch", facts, versions, ledger_time_ms=now_ms) if is_due else []
    store.update(facts.subject, facts, found, index)
    return next((one for one in due if one > now_ms), None)


class _Store:
    """The findings of some subjects: compared with what the engine says now, and written once at the end."""

    def __init__(self, kind: Kind, subjects: Collection[str]) -> None:
        self.kind = kind
        self.rows: dict[str, Finding] = {}
        self.by_subject: dict[str, set[str]] = defaultdict(set)
        self.changed: set[str] = set()
        self.new: set[str] = set()
        for row in bulk.among(Finding.objects.filter(kind=kind), "subject", subjects):
            self.rows[row.key] = row
            self.by_subject[row.subject].add(row.key)

    def known(self, subjects: Collection[str]) -> list[str]:
        """Those of the subjects on which there is, or was, a finding."""
        return [subject for subject in subjects if self.by_subject.get(subject)] if self.rows else []

    def rests_on(self, subject: str, evidence: Collection[int]) -> bool:
        """Whether an open finding on the subject names one of these entries as its evidence."""
        rows = (self.rows[key] for key in self.by_subject.get(subject, ()))
        return any(row.retracted_index is None and not set(evidence).isdisjoint(row.evidence) for row in rows)

    def update(self, subject: str, facts: Facts, found: Sequence[Judged], index: int) -> None:
        """Open, change or retract the findings on a subject as of a log index."""
        now = {_key(self.kind, one): one for one in found}
        for key, one in now.items():
            self._put(key, _fields(self.kind, facts, one), index)
        for key in self.by_subject[subject] - set(now):
            row = self.rows[key]
            if row.retracted_index is None:
                row.retracted_index = row.changed_index = index
                self.changed.add(key)

    def _put(self, key: str, values: Mapping[str, Any], index: int) -> None:
        row = self.rows.get(key)
        if row is None:
            row = Finding(key=key, opened_index=index, changed_index=index, **values)
            self.rows[key] = row
            self.by_subject[row.subject].add(key)
            self.new.add(key)
            return
        reopened = row.retracted_index is not None
        if not reopened and all(getattr(row, name) == value for name, value in values.items()):
            return
        for name, value in values.items():
            setattr(row, name, value)
        if reopened:
            row.opened_index, row.retracted_index = index, None
        row.changed_index = index
        self.changed.add(key)

    def save(self) -> None:
        Finding.objects.bulk_create([self.rows[key] for key in sorted(self.new)], batch_size=500)
        columns = [field.attname for field in Finding._meta.concrete_fields if not field.primary_key]
        changed = [self.rows[key] for key in sorted(self.changed - self.new)]
        Finding.objects.bulk_update(changed, columns, batch_size=200)


def _key(kind: Kind, one: Judged) -> str:
    """A finding that moves to another incident is another finding: the first incident's alert is then retracted."""
    return _sha(one.draft.rule, kind, one.draft.subject, one.draft.discriminator, one.draft.incident)


def _fields(kind: Kind, facts: Facts, one: Judged) -> dict[str, Any]:
    draft = one.draft
    gtin, lot = (facts.gtin, facts.lot) if isinstance(facts, ThingFacts) else ("", "")
    return {
        "rule": draft.rule,
        "kind": kind,
        "subject": draft.subject,
        "incident": _sha(draft.incident),
        "severity": draft.severity,
        "certainty": draft.certainty,
        "code": draft.code,
        "params": dict(draft.params),
        "evidence": list(draft.evidence),
        "parties": list(draft.parties),
        "gtin": gtin,
        "lot": lot[:64],
        "at_ms": draft.at_ms,
        "judged_by": one.by.name,
    }


def _sha(*parts: str) -> str:
    return hashlib.sha256(json.dumps(parts, ensure_ascii=False).encode()).hexdigest()


FINDINGS = Projection(
    name=NAME,
    models=(Contract, MasterKey, RecallMark, Timer, Finding),
    apply=_apply,
    version=2,  # a party is known by the SGLN of its GLN, too
)
