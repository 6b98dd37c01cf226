"""manage.py recover: after an older backup was restored, go on from what a follower of this log holds."""

import json
from pathlib import Path
from typing import Any, TextIO

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from ledger import api, recovery
from ledger.tlog.errors import PolicyError


class Command(BaseCommand):
    help = "Fetch the entries that were published after the restored backup from a follower, and let the log go on."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--from", dest="urls", required=True, action="append", metavar="URL",
            help="the copy of a follower (http://…/log); more than once: the one that holds most counts",
        )  # fmt: skip
        parser.add_argument("--content-token-file", metavar="FILE", help="the token for its entries and content")
        parser.add_argument("--policy", metavar="FILE", help="C2SP tlog-policy; default: the house's own")
        parser.add_argument(
            "--without", action="append", default=[], metavar="WITNESS",
            help="do not ask this witness of the policy how much it has seen: it is gone",
        )  # fmt: skip
        parser.add_argument("--report", metavar="FILE", help="where each thing that was lost is listed (JSON lines)")
        parser.add_argument(
            "--lost", metavar="FILE", help="only ask for the content that an earlier report lists as lost"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            token = Path(options["content_token_file"]).read_text().strip() if options["content_token_file"] else ""
            if options["lost"]:
                self._content(options, token)
            elif options["report"]:
                with open(options["report"], "w") as report:
                    self._recover(options, token, report)
            else:
                self._recover(options, token, None)
        except api.ForkError as error:
            for where, note in error.evidence.items():
                self.stdout.write(f"--- {where}\n{note}")
            raise CommandError(str(error)) from error
        except (api.RefusedError, api.NotInitialisedError, api.UnreachableError, PolicyError, OSError) as error:
            raise CommandError(str(error)) from error

    def _recover(self, options: dict[str, Any], token: str, report: TextIO | None) -> None:
        def lose(thing: dict[str, Any]) -> None:
            if report is not None:
                report.write(json.dumps(thing) + "\n")

        with tqdm(unit=" entries", file=self.stderr, disable=None, dynamic_ncols=True) as bar:
            outcome = api.recover(
                options["urls"],
                token=token,
                policy_file=options["policy"],
                without=options["without"],
                lose=lose,
                progress=lambda done, total: _show(bar, done, total),
            )
        self._tell(outcome, options["report"])

    def _tell(self, outcome: recovery.Outcome, report: str | None) -> None:
        for note in outcome.notes:
            self.stdout.write(note)
        came = outcome.size - outcome.before
        self.stdout.write(f"{came} entries came from {outcome.where}; the log goes on after {outcome.size}")
        if outcome.contents:
            self.stdout.write(f"the content of {outcome.contents} of them came too")
        if outcome.lost:
            where = f"listed in {report}" if report else "say --report FILE to have them listed"
            self.stdout.write(f"the content of {outcome.lost} of them is lost here; {where}. Their signers may have it")
        for key in outcome.keys:
            self.stdout.write(
                f"key {key['kid'][:16]} of {key['party']}, registered in entry {key['index']}: if it was hosted"
                " here its private half is lost; revoke it and make a new one (portal, Organisation)"
            )

    def _content(self, options: dict[str, Any], token: str) -> None:
        hashes = recovery.lost_in(Path(options["lost"]).read_text())
        with tqdm(unit=" entries", file=self.stderr, disable=None, dynamic_ncols=True) as bar:
            came = api.recover_content(
                hashes, options["urls"][0], token=token, progress=lambda done, total: _show(bar, done, total)
            )
        self.stdout.write(f"the content of {came} of {len(hashes)} entries came; now run: manage.py rebuild")


def _show(bar: "tqdm[Any]", done: int, total: int) -> None:
    bar.total = total
    bar.update(done - bar.n)
