"""manage.py new_epoch: go on under a new origin and key when nobody has what this log lost."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from ledger import api


class Command(BaseCommand):
    help = (
        "Begin a new log that keeps every entry that is here and says which log it continues. Only where no follower"
        " has the missing entries: recover is better."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--origin", required=True, help="of the new log: a URL without scheme, never used before")
        parser.add_argument(
            "--last", metavar="FILE", help="the newest checkpoint of the old log that a witness or anybody kept"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with tqdm(unit=" entries", file=self.stderr, disable=None, dynamic_ncols=True) as bar:

                def progress(done: int, total: int) -> None:
                    bar.total = total
                    bar.update(done - bar.n)

                last = Path(options["last"]) if options["last"] else None
                begun = api.new_epoch(options["origin"], last_file=last, progress=progress)
        except (api.RefusedError, api.NotInitialisedError, OSError) as error:
            raise CommandError(str(error)) from error
        lost = begun.last.size - begun.kept
        self.stdout.write(begun.vkey)
        self.stdout.write(
            f"{options['origin']} continues {begun.last.origin}, last seen with {begun.last.size} entries;"
            f" {begun.kept} were kept, {max(lost, 0)} are lost"
        )
        self.stdout.write(NEXT)


NEXT = (
    "Put the new origin into the settings (DOSETRAIL_LOG_ORIGIN), write a new policy with the key above and give it,\n"
    "with the reason, to every witness, follower and auditor by a way that they trust; tell patients where they look.\n"
    "Devices that saw the old log will say that this is another one."
)
