"""`manage.py reseal_keys --new-key-file FILE`: change the key under which private keys lie in the database."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError, CommandParser

from traceability.common import sealing
from traceability.common.secretfile import read_secret


class Command(BaseCommand):
    help = "Seal every private key anew under the key in FILE, all or none. Stop the house first."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--new-key-file", required=True, type=Path, help="32 random bytes, mode 0600")

    def handle(self, *args: Any, **options: Any) -> None:
        path = options["new_key_file"]
        try:
            new = read_secret(path, minimum=sealing.KEY_BYTES)
        except (OSError, ImproperlyConfigured) as error:
            raise CommandError(str(error)) from error
        if new[: sealing.KEY_BYTES] == settings.KEY_ENCRYPTION_KEY[: sealing.KEY_BYTES]:
            raise CommandError(f"{path} holds the key that is in use")
        if sealing.opens(new):
            self.stdout.write(f"everything is sealed under the key in {path} already; put it in the old one's place")
            return
        try:
            count = sealing.reseal(new)
        except ImproperlyConfigured as error:
            raise CommandError(f"{error}; nothing was changed") from error
        self.stdout.write(
            f"{count} secrets are sealed under the key in {path} now; put it in the old one's place before the next"
            " start, make a backup, and destroy the old key when no backup needs it any more"
        )
