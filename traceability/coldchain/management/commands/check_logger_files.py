"""`manage.py check_logger_files`: are the stored logger files the ones whose hashes are on the log?"""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from traceability.coldchain import originals
from traceability.coldchain.models import LoggerFile


class Command(BaseCommand):
    help = "Read every stored logger file and compare it with the hash that its event logged."

    def handle(self, *args: Any, **options: Any) -> None:
        hashes = sorted(set(LoggerFile.objects.exclude(statement_hash="").values_list("sha256", flat=True)))
        problems = 0
        for sha256 in hashes:
            try:
                originals.load(sha256)
            except originals.OriginalError as error:
                problems += 1
                self.stderr.write(str(error))
        if problems:
            raise CommandError(f"{problems} of {len(hashes)} logger files are missing or changed")
        self.stdout.write(f"{len(hashes)} logger files are as they were uploaded")
