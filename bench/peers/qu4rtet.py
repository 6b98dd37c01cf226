"""The two documents of the design by QU4RTET and by this house, one after the other: EPCIS 1.2 XML until in custody.

Run by `bench` as a process of its own, on SQLite and, where it is installed, on PostgreSQL; prints rows as JSON.
QU4RTET (GPL) is no dependency: it is installed from PyPI into a venv in a temporary folder and runs as a process of its
own, its parser alone, without HTTP and Celery. Of this house everything runs that an event passes until custody knows
of it: validation, signature, log, checkpoint, event index. Both get the same bytes and commit them durably.
"""

import io
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
# The newest that there are, with the newest Django that quartet_epcis 4.1 says it works with.
PACKAGES = (
    "quartet_capture==4.1.0", "quartet_epcis==4.1.5", "EPCPyYes==4.0.5", "eparsecis==4.0.3", "Django==3.2.25",
    "djangorestframework==3.14.0", "psycopg2-binary==2.9.10",
)  # fmt: skip
PACKS, CASES = 1_000, 100
PREFIX = "0952100"
TIMES = 5  # documents of each kind; the first is not counted


@dataclass(frozen=True)
class Kind:
    """What a document holds: packs and cases made one by one, or at once."""

    name: str
    at_once: bool

    def document(self, number: int) -> tuple[bytes, int, int]:
        """Its bytes, events and EPC references: packs made, cases made, packed, shipped."""
        packs = [f"urn:epc:id:sgtin:{PREFIX}.000100.{self.name[0]}{number}N{place:06d}" for place in range(PACKS)]
        first = (number * 2 + self.at_once) * CASES
        cases = [f"urn:epc:id:sscc:{PREFIX}.{first + place:010d}" for place in range(CASES)]
        each = PACKS // CASES
        events = [_made(part, lot=True) for part in ([packs] if self.at_once else [[pack] for pack in packs])]
        events += [_made(part) for part in ([cases] if self.at_once else [[case] for case in cases])]
        events += [_packed(case, packs[place * each :][:each]) for place, case in enumerate(cases)]
        events.append(
            _event("ObjectEvent", f"<epcList>{_list(cases)}</epcList>", "OBSERVE", "shipping", "in_transit", 3)
        )
        text = "".join(events)
        return _whole(text), len(events), text.count("<epc>") + text.count("<parentID>")


KINDS = (Kind("per item", at_once=False), Kind("batched", at_once=True))


def main() -> None:
    """Both, on the database that the settings name."""
    import django

    django.setup()
    with tempfile.TemporaryDirectory(prefix="dosetrail-bench-peer-") as name:
        folder = Path(name)
        files = {kind: list(_written(kind, folder)) for kind in KINDS}
        theirs = _theirs(folder, [file for of_kind in files.values() for file in of_kind])
        ours = _ours(files)
    rows = []
    for place, kind in enumerate(KINDS):
        _, events, references = kind.document(0)
        seconds = [statistics.median(theirs[place * TIMES :][1:TIMES]), statistics.median(ours[kind][1:])]
        what = (
            f"{kind.name} document ({events:,} events, {references:,} EPC references), EPCIS 1.2 XML until in custody"
        )
        for who, took in zip(("QU4RTET", "Dosetrail"), seconds, strict=True):
            rows.append((f"{what}, {who}: events/s, references/s", f"{events / took:,.0f}, {references / took:,.0f}"))
        rows.append((f"{what}: times as fast as QU4RTET", f"{seconds[0] / seconds[1]:.1f}"))
    sys.stdout.write(json.dumps(rows))


def _written(kind: Kind, folder: Path) -> Iterator[Path]:
    for number in range(TIMES):
        file = folder / f"{kind.name[0]}{number}.xml"
        file.write_bytes(kind.document(number)[0])
        yield file


def _theirs(folder: Path, files: list[Path]) -> list[float]:
    """Seconds of each document in QU4RTET; every event and thing of them is in its tables afterwards."""
    venv.create(folder / "venv", with_pip=True)
    python = folder / "venv/bin/python"
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *PACKAGES]
    subprocess.run(pip, check=True, stdout=sys.stderr)
    database = json.dumps(_database(folder))
    words = [python, ROOT / "bench/peers/qu4rtet_process.py", database, *files]
    environment = {
        name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "DJANGO_SETTINGS_MODULE"}
    }
    done = json.loads(subprocess.run(words, check=True, stdout=-1, env=environment, cwd=folder).stdout)
    expected = sum(kind.document(0)[1] for kind in KINDS) * TIMES, (PACKS + CASES) * len(KINDS) * TIMES
    if (done["events"], done["things"]) != expected:
        raise SystemExit(f"QU4RTET holds {done['events']} events and {done['things']} things, not {expected}")
    return list(done["seconds"])


def _database(folder: Path) -> dict[str, Any]:
    from django.db import connection

    if connection.vendor == "sqlite":
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": str(folder / "qu4rtet.sqlite3")}
    with connection.cursor() as cursor:
        cursor.execute("CREATE DATABASE qu4rtet")
    return {
        "ENGINE": "django.db.backends.postgresql", "NAME": "qu4rtet", "USER": os.environ["PGUSER"],
        "HOST": os.environ["PGHOST"], "PORT": os.environ["PGPORT"],
    }  # fmt: skip


def _ours(files: dict[Kind, list[Path]]) -> dict[Kind, list[float]]:
    """Seconds of each document until custody has folded it."""
    from django.core.management import call_command

    from ledger import api as ledger
    from traceability.capture import jobs
    from traceability.capture.intake import Terms
    from traceability.capture.uploads import Upload
    from traceability.common import projection
    from traceability.custody.models import ItemState
    from traceability.custody.projection import CUSTODY
    from traceability.parties import services as parties

    call_command("migrate", verbosity=0)
    ledger.initialise(operator_name="Bench")
    party = parties.create_party(id="maker", name="Maker", roles=["manufacturer"])
    folds = projection.all_projections()
    folds = folds[: folds.index(CUSTODY) + 1]

    def settle() -> None:
        while ledger.sequence_once():
            pass
        while sum(map(projection.advance, folds)):
            pass

    def capture(file: Path) -> float:
        content = file.read_bytes()
        started = time.perf_counter()
        jobs.accept(Upload.of(io.BytesIO(content)), Terms(party), media=jobs.XML, at_once=True)
        settle()
        return time.perf_counter() - started

    settle()
    seconds = {kind: [capture(file) for file in of_kind] for kind, of_kind in files.items()}
    if ItemState.objects.count() != (PACKS + CASES) * len(KINDS) * TIMES:
        raise SystemExit(f"custody holds {ItemState.objects.count()} things")
    return seconds


def _made(epcs: list[str], *, lot: bool = False) -> str:
    ilmd = (
        "<extension><ilmd><cbvmda:lotNumber>L1</cbvmda:lotNumber>"
        "<cbvmda:itemExpirationDate>2030-01-31</cbvmda:itemExpirationDate></ilmd></extension>"
    )
    things = f"<epcList>{_list(epcs)}</epcList>"
    return _event("ObjectEvent", things, "ADD", "commissioning", "active", 1, ilmd if lot else "")


def _packed(case: str, packs: list[str]) -> str:
    things = f"<parentID>{case}</parentID><childEPCs>{_list(packs)}</childEPCs>"
    return _event("AggregationEvent", things, "ADD", "packing", "in_progress", 2)


def _event(kind: str, things: str, action: str, step: str, disposition: str, hour: int, end: str = "") -> str:
    at = (datetime.now(UTC) - timedelta(days=1)).replace(hour=hour, minute=0, second=0, microsecond=0)
    return (
        f"<{kind}><eventTime>{at:%Y-%m-%dT%H:%M:%SZ}</eventTime><eventTimeZoneOffset>+00:00</eventTimeZoneOffset>"
        f"{things}<action>{action}</action><bizStep>urn:epcglobal:cbv:bizstep:{step}</bizStep>"
        f"<disposition>urn:epcglobal:cbv:disp:{disposition}</disposition>"
        f"<readPoint><id>urn:epc:id:sgln:{PREFIX}.90000.0</id></readPoint>{end}</{kind}>"
    )


def _list(epcs: list[str]) -> str:
    return "".join(f"<epc>{epc}</epc>" for epc in epcs)


def _whole(events: str) -> bytes:
    return (
        '<?xml version="1.0" encoding="UTF-8"?><epcis:EPCISDocument xmlns:epcis="urn:epcglobal:epcis:xsd:1" '
        'xmlns:cbvmda="urn:epcglobal:cbv:mda" schemaVersion="1.2" '
        f'creationDate="{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}">'
        f"<EPCISBody><EventList>{events}</EventList></EPCISBody></epcis:EPCISDocument>"
    ).encode()


if __name__ == "__main__":
    main()
