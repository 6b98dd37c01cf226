"""`make bench`: measures a house of its own over HTTP, prints a table and writes it under bench/results/.

Each figure says what it measures; none is asserted anywhere. BENCH_SCALE=0.2 makes a quick run, and
BENCH_PARTS=peers,browser runs those parts alone (the names of PARTS). The table is written after each part.
"""

import json
import os
import platform
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from tests.run import postgresql_server

ROOT = Path(__file__).resolve().parents[1]
PORT = int(os.environ.get("BENCH_PORT", "8900"))


@contextmanager
def running_house(folder: str) -> Iterator[str]:
    """An embedded house (web and engine as real processes) on its own data folder; its base URL."""
    environment = {**os.environ, "DOSETRAIL_DATA_DIR": folder, "PORT": str(PORT), "HOST": "127.0.0.1"}
    subprocess.run([sys.executable, "manage.py", "migrate", "-v", "0"], cwd=ROOT, env=environment, check=True)
    house = subprocess.Popen([sys.executable, "-m", "traceability.supervisor"], cwd=ROOT, env=environment)
    try:
        yield f"http://127.0.0.1:{PORT}"
    finally:
        house.terminate()
        house.wait(timeout=30)


def on_both(module: str, **more: str) -> list[tuple[str, str]]:
    """The figures of `bench.<module>` on SQLite, and on PostgreSQL where it is installed; `more`: its settings."""
    rows = []
    with tempfile.TemporaryDirectory(prefix="dosetrail-bench-alone-") as folder:
        settings = {"DJANGO_SETTINGS_MODULE": "traceability.settings.embedded", "DOSETRAIL_DATA_DIR": folder}
        rows += _alone(module, "SQLite", settings | {"BENCH_FOLLOW": "1"} | more)
    with postgresql_server() as postgres:
        if postgres is None:
            sys.stdout.write("NOT MEASURED on PostgreSQL: it is not installed\n")
        else:
            subprocess.run(["createdb", "dosetrail"], env={**os.environ, **postgres}, check=True)
            settings = {"DJANGO_SETTINGS_MODULE": "traceability.settings.test", "DOSETRAIL_TEST_DATABASE": "postgresql"}
            rows += _alone(module, "PostgreSQL", settings | postgres | more)
    return rows


def _alone(module: str, database: str, settings: dict[str, str]) -> list[tuple[str, str]]:
    environment = {**os.environ, **settings}
    done = subprocess.run([sys.executable, "-m", f"bench.{module}"], cwd=ROOT, env=environment, stdout=-1, check=True)
    return [(f"{database}: {what}", figure) for what, figure in json.loads(done.stdout)]


def browser_rows() -> list[tuple[str, str]]:
    """The figures of `bench.browser`, where Chromium is installed."""
    from bench import browser

    rows = browser.measures()
    if not rows:
        sys.stdout.write("NOT MEASURED in a browser: Chromium is not installed\n")
    return rows


def over_http() -> list[tuple[str, str]]:
    """The figures of `bench.measures`, of a house of the embedded size."""
    with tempfile.TemporaryDirectory(prefix="dosetrail-bench-") as folder:
        os.environ["DOSETRAIL_DATA_DIR"] = folder
        os.environ["PORT"] = str(PORT)
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "traceability.settings.embedded")
        with running_house(folder) as base_url:
            import django

            django.setup()
            from bench import measures

            return measures.all_measures(base_url, scale=float(os.environ.get("BENCH_SCALE", "1")))


PARTS: Mapping[str, Callable[[], list[tuple[str, str]]]] = {
    "http": over_http,
    **{name: partial(on_both, name) for name in ("log_alone", "restore", "queries", "webhooks", "pallet")},
    **{name: partial(on_both, name) for name in ("tracing", "recalls", "expected")},
    "capture": lambda: _alone("capture", "Whole houses", {"DJANGO_SETTINGS_MODULE": "traceability.settings.test"}),
    "rebuild-small": partial(on_both, "rebuild", BENCH_LOTS="small"),
    "rebuild-large": partial(on_both, "rebuild", BENCH_LOTS="large"),
    "peers": partial(on_both, "peers.qu4rtet"),
    "browser": browser_rows,
}


def measured() -> Iterator[list[tuple[str, str]]]:
    """The rows of one part after the other, with the time it took. A part that fails says so, and the others go on."""
    chosen = os.environ.get("BENCH_PARTS", "").split(",")
    for name, part in PARTS.items():
        if chosen != [""] and name not in chosen:
            continue
        started, before = time.perf_counter(), os.getloadavg()[0]
        try:
            rows = part()
        except Exception:  # noqa: BLE001 (whatever it is, the table and the exit status say that it was)
            traceback.print_exc()
            rows = [(f"{name}: NOT MEASURED, it failed", "see the output of the run")]
        took, after = time.perf_counter() - started, os.getloadavg()[0]
        figure = f"{took:,.0f}; {before:.1f} / {after:.1f}"
        yield [*rows, (f"(all of “{name}”: seconds; load of the machine before / after)", figure)]


def main() -> None:
    """Measure, and write the table anew after each part; the exit status says whether one failed."""
    git = ["git", "rev-parse", "--short", "HEAD"]
    commit = subprocess.run(git, cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()
    header = (
        f"Embedded size (SQLite, synchronous=FULL) unless a row says otherwise, "
        f"scale {os.environ.get('BENCH_SCALE', '1')}, {os.cpu_count()} cores, Python {platform.python_version()}, "
        f"commit {commit or 'unknown'}, {datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
    )
    stamp = time.strftime("%Y%m%d-%H%M%S")
    rows: list[tuple[str, str]] = []
    for part in measured():
        rows += part
        table = write(stamp, header, rows)
    sys.stdout.write(table)
    if any("NOT MEASURED" in what for what, _ in rows):
        raise SystemExit(1)


def write(stamp: str, header: str, rows: Sequence[tuple[str, str]]) -> str:
    """Write the table, and the same as JSON, under bench/results; the table."""
    results = ROOT / "bench" / "results"
    results.mkdir(exist_ok=True)
    lines = [header, "", "| what | figure |", "|---|---|", *(f"| {what} | {figure} |" for what, figure in rows)]
    table = "\n".join(lines) + "\n"
    (results / f"{stamp}.md").write_text(table)
    (results / f"{stamp}.json").write_text(json.dumps({"header": header, "rows": rows}, indent=1) + "\n")
    return table


if __name__ == "__main__":
    main()
