"""Fold every projection anew from the log: `manage.py rebuild [--check]`."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from ledger import api as ledger
from traceability.common import projection


class Command(BaseCommand):
    """Drops and rebuilds all projections; with --check it fails when a table differs from what stood there before."""

    help = "Rebuild all projections from the log."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="compare each table with what stood there before")

    def handle(self, *args: Any, **options: Any) -> None:
        folds = projection.all_projections()
        before = _digests(folds) if options["check"] else {}
        lasting = [fold for fold in folds if not fold.models]  # these keep their cursors
        with tqdm(total=ledger.published_size() * (len(folds) - len(lasting)), unit=" entries") as bar:
            for done in projection.rebuild_all():
                bar.update(done - bar.n)
        after = _digests(folds)
        for name, digest in after.items():
            self.stdout.write(f"{digest[:16]}  {name}")
        changed = [name for name in before if before[name] != after[name]]
        if changed:
            raise CommandError(f"differs from what stood there before: {', '.join(changed)}")


def _digests(folds: list[projection.Projection]) -> dict[str, str]:
    return {model._meta.label: projection.digest(model) for fold in folds for model in fold.models}
