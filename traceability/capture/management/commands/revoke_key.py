"""`manage.py revoke_key KID --reason TEXT [--since ISO] [--dry-run]`: disown a key on the log."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from traceability.common.clock import now_ms
from traceability.parties import services as parties

from .signed_since import dry_run, find_key, moment


class Command(BaseCommand):
    help = "Revoke a party's key: nothing it signs from now on counts, nor what it signed since a moment."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("kid", help="the key's id, 64 hex digits, or how it begins")
        parser.add_argument("--since", default="", help="bad since then, an ISO 8601 moment; default: now")
        parser.add_argument("--reason", required=True)
        parser.add_argument("--dry-run", action="store_true", help="only say what it would do")

    def handle(self, *args: Any, **options: Any) -> None:
        key = find_key(options["kid"])
        since_ms = moment(options["since"]) if options["since"] else now_ms()
        self.stdout.write(dry_run(key, parties.bad_since_of(key, since_ms)))
        if options["dry_run"]:
            return
        try:
            warrant = parties.Warrant("manage.py revoke_key", options["reason"])
            parties.revoke_key(key=key, bad_since_ms=since_ms, warrant=warrant)
        except parties.KeyActError as error:
            raise CommandError(error.detail) from error
        self.stdout.write(f"the key {key.kid} of {key.party.uri} is revoked")
