"""manage.py fsck: recompute the whole log and the content held beside it; names every problem, exits 1 if any."""

from collections.abc import Callable
from typing import Any, TypeVar

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from ledger import api as ledger
from traceability.common import contents

Result = TypeVar("Result")


class Command(BaseCommand):
    """The log first: while it is damaged, nothing can be said about the content."""

    help = "Recompute entries, tiles, checkpoints, head and contents, and say exactly what is wrong where."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            problems = self._with_bar("log", ledger.fsck)
        except ledger.NotInitialisedError as error:
            raise CommandError(str(error)) from error
        self._report(problems, "the sequencer will not sign on top of them")
        report = self._with_bar("content", contents.check)
        self._report(report.problems, "the log is sound, the content beside it is not: restore it from a backup")
        newest = ledger.latest_checkpoint()
        self.stdout.write(f"{newest.size if newest else 0} entries: everything is as it was signed")
        if report.absent:
            self.stdout.write(f"{report.absent} of them have no content here")

    def _with_bar(self, name: str, check: Callable[[Callable[[int, int], None]], Result]) -> Result:
        with tqdm(desc=f"{name:8}", unit=" entries", file=self.stderr, disable=None, dynamic_ncols=True) as bar:

            def progress(done: int, total: int) -> None:
                bar.total = total
                bar.update(done - bar.n)

            return check(progress)

    def _report(self, problems: list[ledger.Problem], consequence: str) -> None:
        for problem in problems:
            self.stdout.write(str(problem))
        if problems:
            raise CommandError(f"{len(problems)} problems; {consequence}")
