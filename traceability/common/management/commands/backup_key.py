"""manage.py backup_key: draw the key that backups are encrypted with."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from traceability.common.backup import sealed_file


class Command(BaseCommand):
    help = "Draw a backup key. Keep a copy of it elsewhere: without it no backup can be read, with it every one."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", metavar="FILE", help="where to; refused where there is a file")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            sealed_file.create_key(Path(options["file"]))
        except OSError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{options['file']}: keep a copy away from this machine and from the backups")
