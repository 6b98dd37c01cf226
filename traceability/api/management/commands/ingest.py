"""Feed a folder through the front door: `manage.py ingest PATH --as PARTY [--site SITE]`."""

from collections import Counter
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from traceability.api.ingest import ACCEPTED, KNOWN, REFUSED, files_below, ingest_file
from traceability.parties.models import Party, Site


class Command(BaseCommand):
    """EPCIS JSON documents and events, and logger files (bound to the site); prints what was refused and why."""

    help = "Feed EPCIS documents and logger files through the front door."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("path", type=Path)
        parser.add_argument("--as", dest="party", required=True, help="party id that reports")
        parser.add_argument("--site", help="where logger files were recorded; default: the party's only site")

    def handle(self, *args: Any, **options: Any) -> None:
        party = Party.objects.filter(id=options["party"], active=True).first()
        if party is None:
            raise CommandError(f"there is no active party {options['party']}")
        files = files_below(options["path"])
        if not files:
            raise CommandError(f"there are no files at {options['path']}")
        sites = Site.objects.filter(party=party)
        site = sites.filter(id=options["site"]).first() if options["site"] else None
        if options["site"] and site is None:
            raise CommandError(f"{options['site']} is not a place of {party.id}")
        if site is None and sites.count() == 1:
            site = sites.first()
        outcomes = [ingest_file(path, party=party, site=site) for path in tqdm(files, unit=" files")]
        for outcome in outcomes:
            if outcome.why:
                self.stdout.write(f"{outcome.state:17} {_shown(outcome.path, options['path'])}: {outcome.why}")
        counts = Counter(outcome.state for outcome in outcomes)
        self.stdout.write("")
        for state in (ACCEPTED, KNOWN, REFUSED):
            events = sum(outcome.events for outcome in outcomes if outcome.state == state)
            self.stdout.write(f"{state:17} {counts[state]:6} files {events:6} events")


def _shown(path: Path, base: Path) -> str:
    """The path below the folder that was named: two folders may hold files of one name."""
    return str(path.relative_to(base)) if path != base else path.name
