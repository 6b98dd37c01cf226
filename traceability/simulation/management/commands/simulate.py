"""The demo world built against a running house: `manage.py simulate` (see `make demo`); or any number of packs."""

import json
import os
import time
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from traceability.common import clock
from traceability.parties.models import Party
from traceability.simulation import bootstrap, events, stream, summary
from traceability.simulation.driver import Driver
from traceability.simulation.plan import DAY, DAYS, make_plan
from traceability.simulation.world import make_world

START_TIMEOUT_SECONDS = 30
MOST_PACKS = 10_000_000


class Command(BaseCommand):
    """Founds the world, posts three weeks of it on the simulated clock, then gives the clock back."""

    help = "Build the demo world through the front doors of the running house."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--seed", type=int, default=int(os.environ.get("SEED", "1")))
        parser.add_argument("--base-url", default=f"http://127.0.0.1:{settings.PORT}")
        parser.add_argument("--if-absent", action="store_true", help="do nothing where a world was built before")
        parser.add_argument("--packs", type=int, help="no world: what happens to so many packs of the demo's products")
        parser.add_argument("--to", help="with --packs: a file of lines {party, document} instead of the house's door")

    def handle(self, *args: Any, **options: Any) -> None:
        path = Path(settings.DATA_DIR) / "demo.json"
        if options["packs"] is not None:
            self._stream(path, options)
            return
        if options["if_absent"] and path.exists():
            built = json.loads(path.read_text())
            if not built.get("complete"):
                raise CommandError("an earlier build of the demo world was cut off; start anew with: make demo RESET=1")
            if built["base_url"] != options["base_url"]:  # the house answers on another port today
                summary.write(path, built | {"base_url": options["base_url"]})
            return
        if Party.objects.exists():
            raise CommandError(f"{path.parent} holds other parties already; set DOSETRAIL_DATA_DIR to a new folder")
        summary.write(path, {"complete": False})  # from here on RESET knows this folder for a demo's
        self._wait_for(options["base_url"])
        midnight = datetime.now(ZoneInfo("Asia/Shanghai")).replace(hour=0, minute=0, second=0, microsecond=0)
        start_ms = int((midnight - timedelta(days=DAYS - 1)).astimezone(UTC).timestamp() * 1000)
        world = make_world(seed=options["seed"], first_day=(midnight - timedelta(days=DAYS - 1)).date())
        plan = make_plan(world, seed=options["seed"], start_ms=start_ms)
        clock.set_simulated_ms(start_ms - DAY)
        try:
            self.stdout.write("Founding parties, products and people …")
            founded = bootstrap.found(world)
            call_command("deploy_contracts", stdout=self.stdout)
            content = summary.summary(world, plan, founded, base_url=options["base_url"], seed=options["seed"])
            summary.write(path, content | {"complete": False})
            driver = Driver(base_url=options["base_url"], tokens=founded.tokens, users=founded.users)
            for _ in tqdm(driver.run(plan), total=len(plan.actions), desc="Three weeks", unit=" actions"):
                pass
        finally:
            clock.set_simulated_ms(0)
        driver.settle()
        summary.write(path, content | {"complete": True})

    def _stream(self, path: Path, options: dict[str, Any]) -> None:
        """Packs by the thousand or million; to a file, or as the demo's parties through its own door."""
        packs, first = options["packs"], datetime.now(UTC).date() - timedelta(days=DAYS + 1)
        if not 0 < packs <= MOST_PACKS:
            raise CommandError(f"--packs takes 1 to {MOST_PACKS:,}")
        start_ms = int(datetime(first.year, first.month, first.day, tzinfo=UTC).timestamp() * 1000)
        told = stream.batches(packs=packs, seed=options["seed"], start_ms=start_ms, first_day=first)
        with ExitStack() as stack:
            bar = stack.enter_context(tqdm(total=packs, unit=" packs"))
            if options["to"]:
                file = stack.enter_context(Path(options["to"]).open("x", encoding="utf-8"))
                for batch in told:
                    document = events.document(batch.events, batch.at_ms)
                    file.write(json.dumps({"party": batch.party, "document": document}, ensure_ascii=False) + "\n")
                    bar.update(batch.packs - bar.n)
                return
            if not path.exists():
                raise CommandError(f"no demo house lies in {path.parent}: build one first, or name a file with --to")
            demo = json.loads(path.read_text())
            driver = Driver(base_url=demo["base_url"], tokens=demo["tokens"])
            for batch in told:
                driver.send(batch.party, events.document(batch.events, batch.at_ms))
                bar.update(batch.packs - bar.n)

    def _wait_for(self, base_url: str) -> None:
        deadline = time.monotonic() + START_TIMEOUT_SECONDS
        while time.monotonic() < deadline:
            try:
                httpx.get(f"{base_url}/", timeout=2)
                return
            except httpx.TransportError:
                time.sleep(0.2)
        raise CommandError(f"nothing answers at {base_url}")
