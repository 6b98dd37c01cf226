"""How fast all projections are folded anew from a realistic log. One database per run.

Run by `bench` as a process of its own, on SQLite and, where it is installed, on PostgreSQL; prints rows as JSON. The
events are those of `manage.py simulate --packs`: lots made, packed, sent in two hops and sold in part. BENCH_LOTS says
which: `large` (as there, ten thousand packs; 300,000 packs times BENCH_SCALE) or `small` (the demo world's 250 packs,
a dozen things an event; 100,000 packs times BENCH_SCALE). The digests of all tables before the rebuild must be those
after it. BENCH_PROFILE names a file for cProfile.
"""

import cProfile
import json
import os
import resource
import sys
import time
from collections import Counter
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

SEED = 7
DAYS_AGO = 22
PACKS = {"small": 100_000, "large": 300_000}


def main() -> None:
    """Found a house, capture, fold, rebuild, print."""
    import django

    django.setup()
    from django.core.management import call_command

    lots = os.environ.get("BENCH_LOTS", "small")
    packs = max(1_000, int(PACKS[lots] * float(os.environ.get("BENCH_SCALE", "1"))))
    call_command("migrate", verbosity=0)
    events, references = _fill(packs, lots)
    what = (
        f"rebuild of all projections, {lots} lots, {events:,} events ({references:,} EPC references, {packs:,} packs)"
    )
    sys.stdout.write(json.dumps([(f"{what}: {name}", figure) for name, figure in _measures(events, references)]))


def _fill(packs: int, lots: str) -> tuple[int, int]:
    """Events and EPC references of the stream, captured and sequenced; then folded as a running house does."""
    from django.core.management import call_command

    from bench.measures import epcs
    from ledger import api as ledger
    from traceability.capture import services as capture
    from traceability.common import projection
    from traceability.parties.models import Party
    from traceability.simulation import bootstrap, stream
    from traceability.simulation import events as written
    from traceability.simulation.world import LARGE, SMALL, make_world

    first = datetime.now(UTC).date() - timedelta(days=DAYS_AGO)
    start_ms = int(datetime(first.year, first.month, first.day, tzinfo=UTC).timestamp() * 1000)
    bootstrap.found(make_world(seed=SEED, first_day=first))
    call_command("deploy_contracts", verbosity=0, stdout=StringIO())
    parties, counted = Party.objects.in_bulk(), Counter[str]()
    size = {"small": SMALL, "large": LARGE}[lots]
    for batch in stream.batches(packs=packs, seed=SEED, start_ms=start_ms, first_day=first, size=size):
        context = {"@context": [written.CONTEXT]}
        capture.accept_events([context | event for event in batch.events], reporter=parties[batch.party])
        counted += Counter(events=len(batch.events), references=sum(len(epcs(event)) for event in batch.events))
        while ledger.sequence_once():
            pass
    started = time.perf_counter()
    projection.advance_all()
    sys.stderr.write(f"{dict(counted)}, folded in {time.perf_counter() - started:.1f} s\n")
    return counted["events"], counted["references"]


def _measures(events: int, references: int) -> list[tuple[str, str]]:
    """The rebuild as an operator runs it, and what each projection took of it."""
    from traceability.common import projection, rebuilding

    spent: Counter[str] = Counter()
    advance = rebuilding.advance

    def timed(one: projection.Projection, **options: Any) -> int:
        started = time.process_time()
        try:
            return advance(one, **options)
        finally:
            spent[one.name] += time.process_time() - started

    rebuilding.advance = timed
    rebuilding.begin(projection.all_projections(), keep_digests=True)
    profile = cProfile.Profile() if os.environ.get("BENCH_PROFILE") else None
    started, worked = time.perf_counter(), time.process_time()
    with profile or nullcontext():
        for _ in rebuilding.go_on():
            pass
    seconds, worked = time.perf_counter() - started, time.process_time() - worked
    if profile:
        profile.dump_stats(Path(os.environ["BENCH_PROFILE"]))
    if changed := rebuilding.finish():
        raise SystemExit(f"the rebuild built other rows: {', '.join(changed)}")
    each = ", ".join(f"{name} {_per(took, events)}" for name, took in spent.most_common())
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    rows = [
        ("events/s (references/s)", f"{events / seconds:,.0f} ({references / seconds:,.0f})"),
        ("µs per event, of it processor time of the process", f"{_per(seconds, events)}, {_per(worked, events)}"),
        ("µs of processor time per event, by projection", each),
        ("most memory of the process, MiB", f"{memory}"),
    ]
    sys.stderr.writelines(f"{name}: {figure}\n" for name, figure in rows)
    return rows


def _per(seconds: float, events: int) -> str:
    return f"{seconds * 1e6 / events:,.0f}"


if __name__ == "__main__":
    main()
