"""`manage.py signed_since KID [--since ISO] [--csv]`: what a key signed, and what revoking it would take back."""

import csv
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from traceability.capture import signed
from traceability.common.csv_export import inert
from traceability.parties.models import PartyKey


class Command(BaseCommand):
    help = "List what a key signed since a moment (by its own word), and say what revoking it as of then would void."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("kid", help="the key's id, 64 hex digits, or how it begins")
        parser.add_argument(
            "--since", default="", help="an ISO 8601 moment with its offset; default: from the first on"
        )
        parser.add_argument("--csv", action="store_true", help="one line for each event and thing that it names")

    def handle(self, *args: Any, **options: Any) -> None:
        key = find_key(options["kid"])
        since_ms = moment(options["since"]) if options["since"] else 0
        if key.sealed_seed is not None:
            since_ms = signed.floor_hour(since_ms)
        found = signed.events(key.kid, since_ms=since_ms)
        if options["csv"]:
            self._table(found)
            return
        for event in found.iterator():
            state = "void  " if event.voided_by is not None else "counts"
            self.stdout.write(f"{event.index:>10}  {state}  signed {_utc(event.iat * 1000)}  {event.biz_step}")
        self.stdout.write(f"{key.party.uri}: {_said(signed.tally(found))}")
        self.stdout.write(dry_run(key, since_ms))

    def _table(self, found: Any) -> None:
        out = csv.writer(self.stdout)
        out.writerow(["log_entry", "thing"])
        for row in signed.things(found).iterator():
            out.writerow([row.event_index, inert(row.epc)])


def find_key(kid: str) -> PartyKey:
    """The key of an id or of its beginning; CommandError when there is none, or more than one."""
    found = list(PartyKey.objects.select_related("party").filter(kid__startswith=kid.lower())[:2])
    if len(kid) < 8 or len(found) != 1:
        raise CommandError(f"{kid} names {'several keys' if len(found) > 1 else 'no key'}; give at least 8 hex digits")
    return found[0]


def moment(text: str) -> int:
    """An ISO 8601 moment with its offset, as ms since 1970; CommandError for anything else."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise CommandError(f"{text} is no ISO 8601 moment") from error
    if found.tzinfo is None:
        raise CommandError(f"{text} has no offset from UTC: write {text}Z or {text}+08:00")
    return int(found.timestamp() * 1000)


def dry_run(key: PartyKey, since_ms: int) -> str:
    """What revoking a key as bad since a moment would do."""
    void = signed.tally(signed.would_void(key.kid, since_ms=since_ms))
    return f"revoked as bad since {_utc(since_ms)} this would void {_said(void)}"


def _said(tally: signed.Tally) -> str:
    return f"{tally.events} events about {tally.things} packs and containers"


def _utc(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
