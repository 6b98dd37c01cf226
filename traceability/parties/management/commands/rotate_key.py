"""`manage.py rotate_key PARTY --reason TEXT [--device KID --public HEX [--overlap HOURS]]`: a party's next key."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ledger import api as ledger
from traceability.parties import services
from traceability.parties.models import Party, PartyKey


class Command(BaseCommand):
    help = "Give a party a new hosted key, or register a device's next one; what the old key signed keeps counting."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("party", help="party id")
        parser.add_argument("--device", default="", help="id of the device's key that is replaced")
        parser.add_argument("--public", default="", help="the device's new public key, 32 bytes as 64 hex digits")
        parser.add_argument("--overlap", type=int, default=24, help="hours for which both keys count (default 24)")
        parser.add_argument("--reason", required=True)

    def handle(self, *args: Any, **options: Any) -> None:
        party = Party.objects.filter(id=options["party"]).first()
        if party is None:
            raise CommandError(f"there is no party {options['party']}")
        warrant = services.Warrant("manage.py rotate_key", options["reason"])
        if not options["device"]:
            key = services.rotate_hosted_key(party=party, warrant=warrant)
        else:
            old = PartyKey.objects.filter(party=party, kid=options["device"]).first()
            if old is None:
                raise CommandError(f"{party.id} has no key {options['device']}")
            try:
                key = services.rotate_device_key(
                    key=old,
                    public=bytes.fromhex(options["public"]),
                    overlap_ms=options["overlap"] * 3_600_000,
                    warrant=warrant,
                )
            except (ValueError, ledger.StatementError) as error:
                raise CommandError(str(error)) from error
        self.stdout.write(f"the key {key.kid} signs for {party.uri}")
