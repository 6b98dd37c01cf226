"""Feed a folder through the front door: `manage.py ingest PATH --as PARTY [--site SITE] [--watch]`."""

import signal
import threading
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import close_old_connections
from tqdm import tqdm

from traceability.api import watched_folder
from traceability.api.ingest import ACCEPTED, KNOWN, LATER, REFUSED, Outcome, files_below, ingest_file
from traceability.epcis.source import WHOLE_BYTES
from traceability.parties.models import Party, Site


class Command(BaseCommand):
    """EPCIS documents and events (JSON, XML), and logger files (bound to the site); prints what was refused and why."""

    help = "Feed EPCIS documents and logger files through the front door."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("path", type=Path)
        parser.add_argument("--as", dest="party", required=True, help="party id that reports")
        parser.add_argument("--watch", action="store_true", help="stay, and take in what comes, until SIGTERM")
        parser.add_argument("--poll-seconds", type=float, default=2.0, help="between two looks; default: 2")
        parser.add_argument("--site", help="where logger files were recorded; default: the party's only site")

    def handle(self, *args: Any, **options: Any) -> None:
        party = Party.objects.filter(id=options["party"], active=True).first()
        if party is None:
            raise CommandError(f"there is no active party {options['party']}")
        sites = Site.objects.filter(party=party)
        site = sites.filter(id=options["site"]).first() if options["site"] else None
        if options["site"] and site is None:
            raise CommandError(f"{options['site']} is not a place of {party.id}")
        if site is None and sites.count() == 1:
            site = sites.first()
        take = partial(_take, party=party, site=site)
        if options["watch"]:
            self._watch(options["path"], take, options["poll_seconds"])
        else:
            self._feed(options["path"], take)

    def _watch(self, folder: Path, take: watched_folder.Take, pause: float) -> None:
        if not folder.is_dir():
            raise CommandError(f"{folder} is not a folder")
        stop = threading.Event()
        before = {number: signal.signal(number, lambda *_: stop.set()) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            with watched_folder.watched(folder) as watched:
                self.stdout.write(f"watching {folder}")
                while not stop.is_set():
                    for path in watched.look():
                        if stop.is_set():
                            break
                        self._say(watched.settle(path, take), folder)
                    close_old_connections()
                    stop.wait(pause)
        except watched_folder.BusyError as error:
            raise CommandError(f"another process watches {folder} already") from error
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _feed(self, base: Path, take: watched_folder.Take) -> None:
        files = files_below(base)
        if not files:
            raise CommandError(f"there are no files at {base}")
        outcomes = [take(path) for path in tqdm(files, unit=" files")]
        for outcome in outcomes:
            if outcome.why:
                self._say(outcome, base)
        counts = Counter(outcome.state for outcome in outcomes)
        self.stdout.write("")
        for state in (ACCEPTED, KNOWN, REFUSED, *([LATER] if counts[LATER] else [])):
            events = sum(outcome.events for outcome in outcomes if outcome.state == state)
            self.stdout.write(f"{state:17} {counts[state]:6} files {events:6} events")

    def _say(self, outcome: Outcome, base: Path) -> None:
        what = outcome.why or f"{outcome.events} events"
        self.stdout.write(f"{outcome.state:17} {_shown(outcome.path, base)}: {what}")
        self.stdout.flush()


def _take(path: Path, *, party: Party, site: Site | None) -> Outcome:
    """Take a file in; a large one shows how far it is."""
    if path.suffix.lower() in (".txt", ".csv") or not path.is_file() or path.stat().st_size <= WHOLE_BYTES:
        return ingest_file(path, party=party, site=site)
    with tqdm(total=100, unit="%", desc=path.name, leave=False) as bar:
        return ingest_file(path, party=party, site=site, report=lambda percent: _advance(bar, percent))


def _advance(bar: "tqdm[Any]", percent: int) -> None:
    bar.update(percent - bar.n)


def _shown(path: Path, base: Path) -> str:
    """The path below the folder that was named: two folders may hold files of one name."""
    return str(path.relative_to(base)) if path != base else path.name
