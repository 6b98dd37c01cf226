"""What the tests of backup and recovery do to a house: let things happen in it, lose it, run and kill its commands."""

import os
import subprocess
import sys
from pathlib import Path

from django.core.files.storage import default_storage
from django.core.management import call_command

from tests.integration.conftest import pack
from traceability.common.backup import tables
from traceability.simulation import events as written

ROOT = Path(__file__).resolve().parents[3]


def observe(house, writer, serial):
    """An event by the maker about one pack."""
    event = written.observe(
        [pack(serial)], step="stocking", disposition="sellable_accessible", party=writer("maker"),
        at_ms=1_780_000_000_000, event_id=f"urn:uuid:00000000-0000-4000-8000-{serial:0>12}",
    )  # fmt: skip
    return house.capture("maker", event)


def sums():
    found = {}
    for model in tables.kept_models():
        tally = tables.Tally()
        for row in tables.read_rows(model):
            tally.add(row)
        found[model._meta.label] = (tally.rows, tally.total)
    return found


def lose_everything():
    call_command("flush", interactive=False, verbosity=0)
    default = Path(default_storage.location)
    for path in sorted(default.rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()


def manage(folder, *words, check=True):
    """manage.py as a process of its own, embedded size, on a folder."""
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "traceability.settings.embedded",
        "DOSETRAIL_DATA_DIR": str(folder),
    }
    return subprocess.run(
        [sys.executable, "manage.py", *words], cwd=ROOT, env=environment, capture_output=True, text=True, check=check
    )


DYING = """
import os, signal, sys
from importlib import import_module
import django
django.setup()
from django.core.management import call_command
place, left = sys.argv[1], int(sys.argv[2])
module, _, name = place.rpartition(".")
try:
    owner = import_module(module)
except ImportError:
    module, _, kind = module.rpartition(".")
    owner = getattr(import_module(module), kind)
real = getattr(owner, name)
def dying(*args, **options):
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return real(*args, **options)
setattr(owner, name, dying)
call_command(*sys.argv[3:])
"""


def die(folder, place, nth, *words):
    """The command is killed with -9 where it calls `place` for the nth time."""
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "traceability.settings.embedded",
        "DOSETRAIL_DATA_DIR": str(folder),
    }
    script = [sys.executable, "-c", DYING, place, str(nth), *words]
    assert subprocess.run(script, cwd=ROOT, env=environment, check=False).returncode == -9
