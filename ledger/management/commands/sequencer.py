"""manage.py sequencer: give waiting statements their index, sign and publish."""

import signal
import threading
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.module_loading import import_string

from ledger import api


class Command(BaseCommand):
    help = "Run this log's one writer, and collect cosignatures; waits while another process is the writer."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="sequence what waits now, then stop")
        parser.add_argument(
            "--accept-database",
            action="store_true",
            help="write a lost high-water file anew from the database; compare the newest checkpoint with one that"
            " a witness or a member kept first",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            if options["accept_database"]:
                self.stdout.write(f"high-water mark set to {api.accept_database()} entries")
            elif options["once"]:
                self.stdout.write(f"{api.sequence_once(thorough=True)} entries sequenced")
            else:
                self._run()
        except (api.RefusedError, api.NotInitialisedError) as error:
            raise CommandError(str(error)) from error

    def _run(self) -> None:
        stop = threading.Event()
        for signum in (signal.SIGTERM, signal.SIGINT):
            signal.signal(signum, lambda *_: stop.set())
        collector = threading.Thread(target=api.run_collector, args=(stop,), name="cosignatures")
        collector.start()
        try:
            api.run_sequencer(stop, _whom_to_tell())
        finally:  # whatever ended it: a process that only collects would look like a sequencer
            stop.set()
            collector.join()


def _whom_to_tell() -> Callable[[], None]:
    """What is called after each batch that was published (settings.LOG_PUBLISHED names it, or nothing)."""
    path = getattr(settings, "LOG_PUBLISHED", "")
    found: Callable[[], None] = import_string(path) if path else lambda: None
    return found
