"""manage.py fsck: recompute the whole log from its entries; names every problem and exits with status 1 if any."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from ledger import api


class Command(BaseCommand):
    help = "Recompute entries, tiles, checkpoints and head, and say exactly what is wrong where."

    def handle(self, *args: Any, **options: Any) -> None:
        with tqdm(unit=" entries", file=self.stderr, disable=None, dynamic_ncols=True) as bar:

            def progress(done: int, total: int) -> None:
                bar.total = total
                bar.update(done - bar.n)

            try:
                problems = api.fsck(progress)
            except api.NotInitialisedError as error:
                raise CommandError(str(error)) from error
        for problem in problems:
            self.stdout.write(str(problem))
        if problems:
            raise CommandError(f"{len(problems)} problems; the sequencer will not sign on top of them")
        size = api.latest_checkpoint()
        self.stdout.write(f"{size.size if size else 0} entries: everything is as it was signed")
