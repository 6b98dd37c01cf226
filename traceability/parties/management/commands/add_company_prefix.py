"""`manage.py add_company_prefix PARTY GCP`: tell where the company prefix ends in a party's GS1 keys."""

from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from traceability.parties import services
from traceability.parties.models import Party


class Command(BaseCommand):
    help = "Register a GS1 company prefix of a party, so that its keys can be written as EPC URNs; it goes on the log."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("party", help="party id")
        parser.add_argument("prefix", help="6 to 12 digits, as the party's licence of GS1 names it")

    def handle(self, *args: Any, **options: Any) -> None:
        party = Party.objects.filter(id=options["party"]).first()
        if party is None:
            raise CommandError(f"there is no party {options['party']}")
        try:
            services.add_company_prefix(party=party, value=options["prefix"])
        except ValidationError as error:
            raise CommandError("; ".join(error.messages)) from error
        self.stdout.write(f"keys that begin with {options['prefix']} are {party.uri}'s, and have EPC URNs")
