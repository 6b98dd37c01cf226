"""`manage.py add_device_key PARTY PUBLIC --label LABEL`: a device that signs its own events."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ledger import api as ledger
from traceability.parties import services
from traceability.parties.models import Party


class Command(BaseCommand):
    help = "Register the public Ed25519 key of a device that keeps its own seed; the registration goes on the log."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("party", help="party id")
        parser.add_argument("public", help="32 bytes as 64 hex digits")
        parser.add_argument("--label", default="device")

    def handle(self, *args: Any, **options: Any) -> None:
        party = Party.objects.filter(id=options["party"]).first()
        if party is None:
            raise CommandError(f"there is no party {options['party']}")
        try:
            public = bytes.fromhex(options["public"])
            key = services.register_device_key(party=party, public=public, label=options["label"])
        except (ValueError, ledger.StatementError) as error:
            raise CommandError(f"this is no public key: {error}") from error
        self.stdout.write(f"the key {key.kid} signs for {party.uri}")
