"""manage.py follow: keep a checked copy of somebody else's log, cosign it, and say so when it lies."""

import os
import threading
from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from ledger import fsck, member, member_health, member_views, models, reads
from ledger.db_replica import DbReplica
from ledger.db_storage import DbReader
from ledger.follower import LogLiedError, UnreachableError
from ledger.management.commands.witness import read_policy
from ledger.management.serving import serve
from ledger.tlog.tile import TileName
from ledger.verify import whole_log
from ledger.verify.sources import judging


class Command(BaseCommand):
    help = "Copy a log, recompute every hash, check every signature; cosign, serve the copy, report what is wrong."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--log", required=True, metavar="URL", help="where checkpoint and tile/ are")
        parser.add_argument("--policy", required=True, metavar="FILE", help="C2SP tlog-policy: whose keys count")
        parser.add_argument("--name", help="cosign and sign reports under this name; without it the copy is silent")
        parser.add_argument("--listen", default="127.0.0.1:8090", metavar="HOST:PORT")
        parser.add_argument(
            "--every", type=float, default=1.0, metavar="SECONDS", help="how often the log is looked at"
        )
        parser.add_argument(
            "--token-file", metavar="FILE", help="a bearer token, where the log shows entries to members"
        )
        parser.add_argument(
            "--content", action="store_true", help="hold what the token's organisation may see beside the log as well"
        )
        parser.add_argument(
            "--content-token-file", metavar="FILE", help="who shows this token may read entries and content held here"
        )
        parser.add_argument("--webhook", default="", metavar="URL", help="our own address, told of each finding first")
        parser.add_argument("--watch-receipts", metavar="FOLDER", help="submission receipts whose promise is watched")
        parser.add_argument(
            "--once", action="store_true", help="get in step once, report, and stop; 1 = something is wrong"
        )
        parser.add_argument(
            "--check", action="store_true", help="recompute the copy, signatures too, instead of following"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        call_command("migrate", verbosity=0)
        node = self._node(options)
        if options["check"]:
            self._check(node)
            return
        if options["once"]:
            self._once(node)
            return
        member_health.watch(node)
        if node.signer is not None:
            member_views.run_with(node.witness(looking=True))
            self.stdout.write(str(node.signer.cosigner))
        if options["content_token_file"]:
            member_views.hand_content_to(_token(options["content_token_file"]))
        self.stdout.write(f"follows {node.origin} at {node.url}; the copy is at http://{options['listen']}/log/")
        self.stdout.flush()
        serve(options["listen"], lambda stop: self._follow(node, stop, options["every"]))

    def _node(self, options: dict[str, Any]) -> member.Node:
        try:
            signer = member.open_signer(options["name"]) if options["name"] else None
            token = _token(options["token_file"]) if options["token_file"] else ""
        except (member.LostStateError, OSError) as error:
            raise CommandError(str(error)) from error
        inbox = Path(options["watch_receipts"]) if options["watch_receipts"] else None
        if options["content"] and not token:
            raise CommandError("--content needs --token-file: the log asks whose content it may hand out")
        policy = read_policy(options["policy"])
        if (held := member.held_origin()) not in ("", policy.logs[0].verifier.name):
            raise CommandError(
                f"this folder holds a copy of {held}, the policy is about {policy.logs[0].verifier.name}: copy that log"
                " into a folder of its own, and keep this one as evidence"
            )
        return member.Node(
            policy,
            options["log"],
            signer,
            token=token,
            webhook=options["webhook"],
            inbox=inbox,
            content=options["content"],
        )

    def _follow(self, node: member.Node, stop: threading.Event, every_s: float) -> None:
        with self._bar() as bar:
            node.run(stop, every_s=every_s, progress=lambda done, total: _show(bar, done, total))

    def _once(self, node: member.Node) -> None:
        before = models.MonitorFinding.objects.count()
        with self._bar() as bar:
            checked = node.step(node.follower(lambda done, total: _show(bar, done, total)))
        for finding in models.MonitorFinding.objects.order_by("id")[before:]:
            self.stdout.write(f"{finding.kind}: {finding.detail}")
        if checked is None or models.MonitorFinding.objects.count() > before:
            raise CommandError("the log was not reached, or something is wrong with it")
        state = "final" if checked.final else "recorded"
        self.stdout.write(f"{DbReplica().head().published_size} entries of {node.origin} checked; {state}")

    def _check(self, node: member.Node) -> None:
        keys = [log.verifier for log in node.policy.logs]
        with self._bar() as bar:
            problems = fsck.check(DbReader(), keys[0], lambda done, total: _show(bar, done, total))
        lines = [str(problem) for problem in problems] or self._check_statements(node)
        for line in lines:
            self.stdout.write(line)
        if lines:
            raise CommandError(f"{len(lines)} problems")

    def _check_statements(self, node: member.Node) -> list[str]:
        """What is wrong with the copy's statements: fsck looks at the signatures of those about keys only."""
        if reads.latest_checkpoint() is None:
            return []
        with self._bar() as bar, judging(os.cpu_count() or 1) as judge:
            try:
                checked = whole_log.check(
                    _Copy(), node.policy, judge=judge, progress=lambda done, total: _show(bar, done, total)
                )
            except LogLiedError as error:
                return [str(error)]
        return [finding.detail for finding in checked.findings]

    def _bar(self) -> "tqdm[Any]":
        return tqdm(unit=" entries", file=self.stderr, disable=None, dynamic_ncols=True)


class _Copy:
    """Remote. This node's own copy, as it is served."""

    def checkpoint(self) -> bytes:
        latest = reads.latest_checkpoint()
        if latest is None:
            raise UnreachableError("there is no copy yet")
        return latest.note.encode()

    def tile(self, name: TileName) -> bytes:
        data = reads.tile_bytes(name)
        if data is None:
            raise UnreachableError(f"the copy has no tile {name}")
        return data


def _token(path: str) -> str:
    """The token in a file; CommandError when there is none: an empty one would let everybody in."""
    try:
        token = Path(path).read_text().strip()
    except OSError as error:
        raise CommandError(str(error)) from error
    if not token:
        raise CommandError(f"{path} is empty")
    return token


def _show(bar: "tqdm[Any]", done: int, total: int) -> None:
    bar.total = total
    bar.update(done - bar.n)
