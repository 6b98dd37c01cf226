"""manage.py keygen: make the operator's keys and the genesis entry, and print the verifier key."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from ledger import api


class Command(BaseCommand):
    help = "Make the log key, the operator's root and registrar keys and the genesis entry, where there are none."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--operator", default="Dosetrail operator", help="the operator's name, for entry 0")

    def handle(self, *args: Any, **options: Any) -> None:
        api.initialise(operator_name=options["operator"])
        self.stdout.write(api.vkey())
