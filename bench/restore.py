"""How long a house takes to back up and to come back: a million events times BENCH_SCALE. One database per run.

Run by `bench` as a process of its own, on SQLite and, where it is installed, on PostgreSQL; prints rows as JSON.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
BATCH = 500
BASE_MS = 1_780_000_000_000


def main() -> None:
    """Build a house by its own services, back it up, restore it elsewhere."""
    import django

    django.setup()
    from django.core.management import call_command

    events = max(2_000, int(1_000_000 * float(os.environ.get("BENCH_SCALE", "1"))))
    call_command("migrate", verbosity=0)
    _fill(events)
    with tempfile.TemporaryDirectory(prefix="dosetrail-bench-restore-", dir=os.environ.get("BENCH_FOLDER")) as folder:
        sys.stdout.write(json.dumps(_measure(events, Path(folder))))


def _fill(events: int) -> None:
    """Each event by one party about one pack, captured, sequenced and folded as always."""
    from ledger import api as ledger
    from traceability.capture import services as capture
    from traceability.common import projection
    from traceability.parties import services as parties

    ledger.initialise(operator_name="Bench")
    party = parties.create_party(id="bench", name="Bench", roles=["regulator"])
    ledger.sequence_once()
    for start in range(0, events, BATCH):
        capture.accept_events([_event(number) for number in range(start, start + BATCH)], reporter=party)
        ledger.sequence_once()
        projection.advance_all()


def _event(number: int) -> dict[str, Any]:
    from datetime import UTC, datetime

    return {
        "@context": ["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"],
        "type": "ObjectEvent",
        "eventID": f"urn:uuid:00000000-0000-4000-8000-{number:012x}",
        "action": "OBSERVE",
        "eventTime": datetime.fromtimestamp((BASE_MS + number) / 1000, UTC).isoformat(timespec="milliseconds"),
        "eventTimeZoneOffset": "+00:00",
        "epcList": [f"https://id.gs1.org/01/09521000001008/21/R{number:09d}"],
        "bizStep": "inspecting",
        "disposition": "in_progress",
        "readPoint": {"id": "https://id.gs1.org/414/9521000900004"},
    }


def _measure(events: int, folder: Path) -> list[tuple[str, str]]:
    from django.db import connection

    from traceability.common.backup import sealed_file, services

    sealed_file.create_key(folder / "key")
    key = sealed_file.read_key(folder / "key")
    seconds = _timed(lambda: services.make(folder / "backup", key))
    size = (folder / "backup").stat().st_size
    rows = [(f"backup of {events:,} events, seconds / MB", f"{seconds:,.0f} / {size / 1e6:,.0f}")]
    if connection.vendor == "sqlite":
        environment = {"DJANGO_SETTINGS_MODULE": "traceability.settings.embedded", "DOSETRAIL_DATA_DIR": str(folder)}
    else:
        environment = {"BENCH_DATABASE": "dosetrail_restored"}
        with connection.cursor() as cursor:
            cursor.execute("CREATE DATABASE dosetrail_restored")
    words = [sys.executable, "-m", "bench.restore", "restore", str(folder / "backup"), str(folder / "key")]
    (folder / "house").mkdir()
    environment |= {"DOSETRAIL_DATA_DIR": str(folder / "house")}
    seconds = _timed(
        lambda: subprocess.run(words, cwd=ROOT, env={**os.environ, **environment}, stdout=sys.stderr, check=True)
    )
    what = f"restore of {events:,} events into an empty house, log and all tables checked: seconds, events/s"
    rows.append((what, f"{seconds:,.0f}, {events / seconds:,.0f}/s"))
    return rows


def restore() -> None:
    """`manage.py restore` in a process of its own, into the database that BENCH_DATABASE names if it does."""
    import django
    from django.conf import settings

    if name := os.environ.get("BENCH_DATABASE"):
        settings.DATABASES["default"]["NAME"] = name
    django.setup()
    from django.core.management import call_command

    call_command("restore", sys.argv[2], key_file=sys.argv[3])


def _timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


if __name__ == "__main__":
    restore() if sys.argv[1:2] == ["restore"] else main()
