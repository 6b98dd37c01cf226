"""Fold projections anew from the log: `manage.py rebuild [--check] [--stale] [--anew]`."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from ledger import api as ledger
from traceability.common import projection, rebuilding


class Command(BaseCommand):
    """Drops and rebuilds projections; one that was interrupted is gone on with.

    With --check it fails when a table differs from what stood there before.
    """

    help = "Rebuild all projections from the log; goes on with a rebuild that was interrupted."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="compare each table with what stood there before")
        parser.add_argument("--stale", action="store_true", help="only what another version of the software has built")
        parser.add_argument("--anew", action="store_true", help="begin again, also where a rebuild was interrupted")

    def handle(self, *args: Any, **options: Any) -> None:
        if rebuilding.unfinished() and not options["anew"]:
            self.stdout.write("Going on with the rebuild that was begun before (--anew begins again).")
        else:
            chosen = rebuilding.stale() if options["stale"] else projection.all_projections()
            rebuilding.begin(chosen, keep_digests=options["check"])
        folds = rebuilding.unfinished()
        if not folds:
            self.stdout.write("Nothing to rebuild: all was built by this version.")
            return
        with tqdm(total=ledger.published_size() * len(folds), unit=" entries") as bar:
            for done in rebuilding.go_on():
                bar.update(done - bar.n)
        changed = rebuilding.finish()
        for fold in folds:
            for model in fold.models:
                self.stdout.write(f"{projection.digest(model)[:16]}  {model._meta.label}")
        if changed:
            raise CommandError(f"differs from what stood there before: {', '.join(changed)}")
