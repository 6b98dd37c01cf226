"""manage.py rotate_log_key: replace the key that signs checkpoints, in two steps."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ledger import api


class Command(BaseCommand):
    help = "Make a new log key that signs beside the old one; with --retire, let the old one go and destroy it."

    def add_arguments(self, parser: CommandParser) -> None:
        step = parser.add_mutually_exclusive_group()
        step.add_argument(
            "--retire",
            action="store_true",
            help="the second step, once everybody's policy names the new key: it signs alone from now on",
        )
        step.add_argument(
            "--at-once",
            action="store_true",
            help="the old key is lost or stolen: the new one signs alone, and nobody can go on without its line",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            if options["retire"]:
                for vkey in api.retire_log_key():
                    self.stdout.write(f"retired, and its private half destroyed: {vkey}")
                self.stdout.write(f"signs alone: {api.vkey()}")
            else:
                self._begin(at_once=options["at_once"])
        except (api.RotationError, api.NotInitialisedError) as error:
            raise CommandError(str(error)) from error

    def _begin(self, *, at_once: bool) -> None:
        vkey = api.rotate_log_key(at_once=at_once)
        self.stdout.write(f"log {vkey}")
        if at_once:
            self.stdout.write(
                "This key signs alone from the checkpoint that covers its entry on. Whoever checks the log needs the"
                " line above in the place of the old one, by a way that does not lead through this log."
            )
        else:
            self.stdout.write(
                "Both keys sign from the checkpoint that covers its entry on. Add the line above to the policy file of"
                " this house and of every witness, follower and auditor, then: manage.py rotate_log_key --retire"
            )
