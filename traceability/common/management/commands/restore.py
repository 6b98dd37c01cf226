"""manage.py restore: load a backup into an empty database and data folder, and check everything in it."""

import time
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from traceability.common.backup import sealed_file, services
from traceability.common.backup.bars import Bars


class Command(BaseCommand):
    help = "Restore a backup into an empty house. Nothing is signed afterwards before it is clear how the log goes on."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", metavar="FILE", help="made by manage.py backup, on either database")
        parser.add_argument("--key-file", required=True, metavar="KEY", help="the key it was made with")

    def handle(self, *args: Any, **options: Any) -> None:
        started = time.monotonic()
        try:
            key = sealed_file.read_key(Path(options["key_file"]))
            with Bars(self.stderr) as bars:
                summary = services.restore(Path(options["file"]), key, bars.show)
        except (sealed_file.BackupError, DatabaseError, OSError) as error:
            raise CommandError(str(error)) from error
        for note in summary.notes:
            self.stdout.write(note)
        self.stdout.write(f"{summary}, {time.monotonic() - started:.1f} s; the log and every table were checked")
        self.stdout.write(NEXT)


NEXT = (
    "Nothing is signed yet: entries that were published after this backup may be missing, and signing without them\n"
    "would give two trees of one size. Start nothing before it is decided how the log goes on, or readers are shown\n"
    "an older log. Fetch what is missing from a follower, which also finds out that there is nothing:\n"
    "  manage.py recover --from URL\n"
    "or, where nobody has a copy of it: manage.py new_epoch (docs/backup-and-recovery.md)."
)
