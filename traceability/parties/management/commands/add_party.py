"""`manage.py add_party ID NAME --role ROLE [--gln GLN] [--company-prefix GCP]`: register an organisation.

The first one is the regulator.
"""

from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from traceability.gs1.errors import Gs1Error
from traceability.parties import services
from traceability.parties.models import Party


class Command(BaseCommand):
    help = "Register an organisation with a hosted signing key; its first version goes on the log."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("id", help="short name in addresses and URIs: letters, digits, hyphens")
        parser.add_argument("name")
        parser.add_argument("--role", action="append", required=True, choices=Party.Role.values)
        parser.add_argument("--gln", help="13 digits")
        parser.add_argument("--company-prefix", action="append", default=[], help="GS1 company prefix, 6 to 12 digits")
        parser.add_argument("--cbv-compliant", action="store_true", help="refuse words outside CBV in its events")

    def handle(self, *args: Any, **options: Any) -> None:
        if Party.objects.filter(id=options["id"]).exists():
            raise CommandError(f"there is a party {options['id']} already")
        try:
            party = services.create_party(
                id=options["id"],
                name=options["name"],
                roles=options["role"],
                gln=options["gln"],
                company_prefixes=options["company_prefix"],
                cbv_compliant=options["cbv_compliant"],
            )
        except (ValidationError, Gs1Error) as error:
            raise CommandError("; ".join(getattr(error, "messages", [str(error)]))) from error
        self.stdout.write(f"{party.uri} is registered")
