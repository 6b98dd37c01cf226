"""manage.py backup: the whole house in one encrypted file, restored once to see that it can be."""

import fcntl
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from ledger import api as ledger
from traceability.common.backup import sealed_file, services
from traceability.common.backup.bars import Bars


class Command(BaseCommand):
    help = "Back the whole house up into one encrypted file, while it runs, and verify it by restoring it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", metavar="FILE", help="where to; an older backup of this name is replaced")
        parser.add_argument("--key-file", required=True, metavar="KEY", help="made by manage.py backup_key")
        parser.add_argument("--no-verify", action="store_true", help="do not restore it on trial")

    def handle(self, *args: Any, **options: Any) -> None:
        path, key_path = Path(options["file"]).absolute(), Path(options["key_file"]).absolute()
        started = time.monotonic()
        try:
            key = sealed_file.read_key(key_path)
            with Bars(self.stderr) as bars:
                summary = services.make(path, key, bars.show)
        except (sealed_file.BackupError, ledger.NotInitialisedError, OSError) as error:
            raise CommandError(str(error)) from error
        seconds = time.monotonic() - started
        self.stdout.write(f"{path}: {summary}, {path.stat().st_size} bytes, {seconds:.1f} s")
        if options["no_verify"]:
            self.stdout.write("not verified")
            return
        with _trial_folder() as folder:
            self._restore(path, key_path, folder)
        self.stdout.write("verified by restoring it")

    def _restore(self, path: Path, key_path: Path, folder: Path) -> None:
        """Restore it as one would after a loss: another process, an empty folder, the embedded size."""
        environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "traceability.settings.embedded",
            "DOSETRAIL_DATA_DIR": str(folder),
            "PYTHONPATH": str(settings.BASE_DIR),
        }
        words = [sys.executable, "-m", "django", "restore", str(path), "--key-file", str(key_path)]
        done = subprocess.run(words, env=environment, stdout=subprocess.DEVNULL, stderr=None, check=False)  # noqa: S603
        if done.returncode:
            raise CommandError(f"{path} could not be restored on trial; do not rely on it")


@contextmanager
def _trial_folder() -> Iterator[Path]:
    """An empty folder beside the house's own data, which it protects as well; what a crash left in it is removed."""
    folder = Path(settings.DATA_DIR) / "backup-trial"
    with open(folder.with_name("backup-trial.lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(mode=0o700)
        try:
            yield folder
        finally:
            shutil.rmtree(folder)
