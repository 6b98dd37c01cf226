"""`manage.py add_member USERNAME --party PARTY --role ROLE`: the first administrator of an organisation."""

import getpass
import sys
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from traceability.parties import services
from traceability.parties.models import Member, Party


class Command(BaseCommand):
    help = "Let a person sign in for an organisation; the password is asked for, or read from standard input."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--party", required=True, help="party id")
        parser.add_argument("--role", default=Member.Role.ADMIN.value, choices=Member.Role.values)

    def handle(self, *args: Any, **options: Any) -> None:
        party = Party.objects.filter(id=options["party"]).first()
        if party is None:
            raise CommandError(f"there is no party {options['party']}")
        password = getpass.getpass() if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
        try:
            member = services.add_member(
                party=party, username=options["username"], password=password, role=options["role"]
            )
        except ValidationError as error:
            raise CommandError("; ".join(error.messages)) from error
        self.stdout.write(f"{options['username']} may sign in; on the log they are {member.pseudonym}")
