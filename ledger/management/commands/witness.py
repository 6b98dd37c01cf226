"""manage.py witness: cosign the checkpoints of a log that only grows (C2SP tlog-witness)."""

import threading
from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

from ledger import member, member_health, member_views
from ledger.management.serving import serve
from ledger.tlog import policy
from ledger.tlog.errors import PolicyError


class Command(BaseCommand):
    help = "Run a witness on a database and a key of its own; it sees checkpoints and proofs, no entries."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--name", required=True, help="the witness' name: a URL without scheme, for ever")
        parser.add_argument("--policy", help="the policy file; its log lines say whose checkpoints are cosigned")
        parser.add_argument("--listen", default="127.0.0.1:8090", metavar="HOST:PORT")
        parser.add_argument("--show-key", action="store_true", help="make the key where there is none, print its vkey")

    def handle(self, *args: Any, **options: Any) -> None:
        call_command("migrate", verbosity=0)
        try:
            signer = member.open_signer(options["name"])
        except member.LostStateError as error:
            raise CommandError(str(error)) from error
        if options["show_key"]:
            self.stdout.write(str(signer.cosigner))
            return
        node = member.Node(read_policy(options["policy"]), "", signer)
        member_health.watch(node)
        member_views.run_with(node.witness(looking=False))
        self.stdout.write(f"{signer.cosigner}\ncosigns checkpoints of {node.origin} at http://{options['listen']}/")
        self.stdout.flush()
        serve(options["listen"], _wait)


def _wait(stop: threading.Event) -> None:
    stop.wait()


def read_policy(path: str | None) -> policy.Policy:
    """The policy in a file that names one log at least; CommandError says what is wrong."""
    if path is None:
        raise CommandError("say --policy FILE (C2SP tlog-policy): whose log is it, and who are its witnesses?")
    try:
        found = policy.parse(Path(path).read_text())
    except (OSError, UnicodeDecodeError, PolicyError) as error:
        raise CommandError(f"{path}: {error}") from error
    if len({log.verifier.name for log in found.logs}) != 1:
        raise CommandError(
            f"{path}: a node follows one log, name it in a log line (two keys of one origin are one log)"
        )
    return found
