"""The log by itself: appending, proofs in a large tree, the checker, a follower's copy. One database per run.

Run by `bench` as a process of its own, on SQLite and, where it is installed, on PostgreSQL; prints rows as JSON.
"""

import json
import os
import secrets
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ledger.api import SigningKey

ROOT = Path(__file__).resolve().parents[1]
PARTY = "urn:dosetrail:party:bench"
PROOFS = 2000
STATEMENTS = 2000


def main() -> None:
    """Measure on the database that the settings name; a million entries times BENCH_SCALE."""
    import django

    django.setup()
    from django.core.management import call_command

    from ledger import api

    call_command("migrate", verbosity=0)
    api.initialise(operator_name="Bench")
    api.register_key(public=_key().public, party_uri=PARTY)
    api.sequence_once()
    entries = max(2_000, int(1_000_000 * float(os.environ.get("BENCH_SCALE", "1"))))
    rows = [*_appending(), *_large_tree(entries)]
    if os.environ.get("BENCH_FOLLOW"):
        rows += _read_over_http()
    sys.stdout.write(json.dumps(rows))


def _appending() -> Iterator[tuple[str, str]]:
    from ledger import api

    for batch, count in ((1, 300), (50, 6_000), (500, 30_000)):
        items = _statements(count)
        started = time.perf_counter()
        for start in range(0, count, batch):
            api.submit(items[start : start + batch])
            api.sequence_once()
        rate = count / (time.perf_counter() - started)
        yield (
            f"appended to the log alone, batches of {batch}: statements/s, queued, sequenced, signed, durable",
            f"{rate:,.0f}",
        )


def _large_tree(entries: int) -> Iterator[tuple[str, str]]:
    from ledger import api

    while (size := api.published_size()) < entries:
        api.submit(_statements(min(20_000, entries - size)))
        api.sequence_once()
    waits = []
    for _ in range(PROOFS):
        index = secrets.randbelow(size)
        started = time.perf_counter()
        api.inclusion(index, size)
        waits.append(time.perf_counter() - started)
    cuts = [value * 1000 for value in statistics.quantiles(waits, n=100)]
    yield f"inclusion proof in a tree of {size:,}: p50 / p95 ms", f"{cuts[49]:.2f} / {cuts[94]:.2f}"
    bundle = json.dumps(_bundle())
    yield f"evidence bundle of one event in a tree of {api.published_size():,}, bytes", f"{len(bundle):,}"
    started = time.perf_counter()
    problems = api.fsck()
    seconds = time.perf_counter() - started
    yield f"fsck over {size:,} entries ({len(problems)} problems), entries/s", f"{size / seconds:,.0f}"


def _statements(count: int) -> list[bytes]:
    """Signed statements that the log has not seen."""
    from ledger import api

    return [
        api.sign_statement(key=_key(), iss=PARTY, kind="event", payload=secrets.token_bytes(32), iat=0)
        for _ in range(count)
    ]


@cache
def _key() -> "SigningKey":
    from ledger import api

    return api.generate_key()


def _bundle() -> object:
    from ledger import api

    secret = secrets.token_bytes(32)
    document = {
        "type": "ObjectEvent", "eventID": "urn:uuid:00000000-0000-4000-8000-000000000000", "action": "OBSERVE",
        "eventTime": "2026-03-01T08:00:00.000Z", "eventTimeZoneOffset": "+08:00", "bizStep": "receiving",
        "epcList": ["https://id.gs1.org/01/09521000001008/21/A1"], "bizLocation": {"id": "https://id.gs1.org/414/0"},
    }  # fmt: skip
    root = api.commit_claims(document, secret=secret, party=PARTY).root
    (name,) = api.submit([api.sign_statement(key=_key(), iss=PARTY, kind="event", payload=root, iat=0)])
    api.sequence_once()
    return api.evidence([(name, document, secret, lambda claim: True)])


def _read_over_http() -> list[tuple[str, str]]:
    """A follower's first copy from a running house, and the auditor's tool over the same log."""
    from django.conf import settings

    from ledger import api

    folder = Path(settings.DATA_DIR)
    house = subprocess.Popen([sys.executable, "-m", "traceability.supervisor", "web"], cwd=ROOT)
    policy = folder / "bench-policy"
    policy.write_text(api.policy_text())
    url = f"http://127.0.0.1:{settings.PORT}/log"
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "traceability.settings.follower",
        "DOSETRAIL_DATA_DIR": str(folder / "follower"),
    }
    follow = ["manage.py", "follow", "--once", "--log", url, "--policy", str(policy)]
    verify = ["-m", "ledger.verify", "log", url, "--vkey", api.vkey()]
    size = api.published_size()
    try:
        time.sleep(5)  # until it answers
        return [
            (
                f"follower's first copy of {size:,} entries over HTTP, every hash and signature checked, entries/s",
                _rate(size, follow, environment),
            ),
            (
                f"ledger.verify over the log of {size:,} entries by HTTP, a process per core, entries/s",
                _rate(size, verify, environment),
            ),
        ]
    finally:
        house.terminate()
        house.wait(timeout=30)


def _rate(size: int, words: list[str], environment: dict[str, str]) -> str:
    """Entries a second of a program that reads the whole log, or what it says went wrong."""
    started = time.perf_counter()
    command = [sys.executable, *words]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - started
    return f"{size / seconds:,.0f}" if done.returncode == 0 else (done.stdout + done.stderr)[-200:]


if __name__ == "__main__":
    main()
