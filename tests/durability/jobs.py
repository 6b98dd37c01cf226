"""What the forked processes do: found a house, work in it, start again after a crash and look at everything.

All of it is the product's own code on the embedded settings; only pauses after an error are shortened.
"""

import json
import logging
import threading
import time
from collections.abc import Callable
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from django.conf import settings
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.db import DatabaseError, close_old_connections, connection

from traceability.common.problems import ProblemError

Tell = Callable[[str, Any], None]

PATIENCE_SECONDS = 100  # less than the harness has
BEFORE = 205  # events that lie in the house before: with those of the workload the log passes 256 entries


def found(tell: Tell) -> None:
    """A house of a few parties whose log has some 250 entries, all published and folded."""
    from tests.integration import conftest

    call_command("migrate", verbosity=0)
    house = conftest.house.__wrapped__(None)
    assert house.capture("maker", *_events("before", BEFORE)).status_code == 202
    house.settle()
    connection.close()


def work(tell: Tell, *, careless: str = "") -> None:
    """Capture, upload, sequence, capture, sequence, tick; each answer is told once it is given.

    What fails is told and tried again, as clients do. `careless` turns the order of two steps round (`_careless`).
    """
    _hurry(tell)
    _careless(careless, tell)
    tell("acknowledged", _patiently(tell, _capture, "first", 3))
    tell("uploaded", _patiently(tell, _upload))
    _sequence(tell)
    tell("acknowledged", _patiently(tell, _capture, "second", 40))
    _sequence(tell)
    connection.close()


def capture_only(tell: Tell, *, count: int, synchronous: str = "FULL") -> None:
    """One document after another, each acknowledged, none sequenced."""
    settings.DATABASES["default"]["OPTIONS"]["init_command"] = (
        f"PRAGMA journal_mode=WAL; PRAGMA synchronous={synchronous}; PRAGMA busy_timeout=20000;"
    )
    connection.settings_dict["OPTIONS"] = settings.DATABASES["default"]["OPTIONS"]
    for number in range(count):
        tell("acknowledged", _capture(f"only-{number}", 1))
    connection.close()


def restart(tell: Tell) -> None:
    """What was left is told; then everything is started as ever, and what there is then is told as well."""
    tell("left", _state())
    _hurry(tell)
    _sequence(tell)
    from ledger import api as ledger
    from traceability.common import contents, projection, rebuilding

    projection.advance_all()
    digests = _digests()
    for _ in rebuilding.rebuild():
        pass
    problems = [str(one) for one in [*ledger.fsck(), *contents.check().problems]]
    if digests != _digests():
        problems.append("the projections are not what a rebuild gives")
    tell("after", {**_state(), "problems": problems, "waiting": ledger.backlog()})
    connection.close()


def _patiently(tell: Tell, call: Callable[..., Any], *arguments: Any) -> Any:
    """Try again what failed, as a client does that got no answer."""
    while True:
        try:
            return call(*arguments)
        except (DatabaseError, OSError, ProblemError) as error:
            tell("failed", f"{call.__name__}: {error!r}")
            close_old_connections()  # as the server does between two requests


def _careless(how: str, tell: Tell) -> None:
    """Each of the mistakes that the order of the steps, and the syncs in them, are there to prevent."""
    from django.core.files.storage import FileSystemStorage

    from ledger.db_storage import HighWaterFile
    from ledger.sequencer import Sequencer
    from ledger.storage import Mark
    from traceability.common import documents
    from traceability.common.storage import LastingStorage

    def publish(self: Any, signed: Any) -> None:
        with self._store.write() as tx:
            tx.publish()
        tell("seen", [signed.size, signed.root.hex()])
        self._high_water.write(Mark(str(self._signer.verifier), signed.size, signed.root))

    def store(signed: Any) -> None:
        tell("acknowledged", [one.statement_hash for one in signed.documents])
        kept(signed)

    def write(self: Any, mark: Mark) -> None:
        draft = self._path.with_name("draft")
        draft.write_text(f"{mark.vkey}\n{mark.size}\n{mark.root.hex()}\n")
        draft.rename(self._path)

    kept = documents.keep
    if how == "shows before it marks":
        Sequencer._publish = publish  # type: ignore[method-assign]
    elif how == "answers before it commits":
        documents.keep = store
    elif how == "marks without syncing":
        HighWaterFile.write = write  # type: ignore[method-assign]
    elif how == "uploads without syncing":
        LastingStorage._save = FileSystemStorage._save


def _hurry(tell: Tell) -> None:
    """No pauses after an error, a tick at once; what the sequencer says to its operator is told."""
    from ledger import writer

    class Telling(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            tell("said", record.getMessage())

    writer.log.handlers, writer.log.propagate = [Telling()], False
    writer.RESTART_PAUSE_SECONDS = 0.01
    settings.LOG_TICK_SECONDS = 0


def _events(name: str, count: int) -> list[dict[str, Any]]:
    from tests.integration.conftest import pack

    return [
        {
            "type": "ObjectEvent",
            "eventID": f"urn:uuid:{uuid5(NAMESPACE_URL, f'{name}-{number}')}",
            "eventTime": "2026-03-01T08:00:00.000Z",
            "eventTimeZoneOffset": "+00:00",
            "epcList": [pack(f"{name}-{number}")],
            "action": "OBSERVE",
            "bizStep": "inspecting",
        }
        for number in range(count)
    ]


def _capture(name: str, count: int) -> list[str]:
    from traceability.capture import services as capture
    from traceability.capture.models import CapturedEvent
    from traceability.parties.models import Party
    from traceability.simulation import events as written

    body = json.dumps(written.document(_events(name, count), 0)).encode()
    job = capture.accept_document(body, reporter=Party.objects.get(id="maker"))
    return list(CapturedEvent.objects.filter(job=job).values_list("statement_hash", flat=True))


def _upload() -> list[str]:
    from traceability.coldchain import services
    from traceability.parties.models import Party

    party = Party.objects.get(id="maker")
    content = "timestamp,temperature_c\n" + "".join(f"2026-03-01T08:{n:02}:00Z,{n % 7}.0\n" for n in range(60))
    file = services.upload(
        content=content.encode(), filename="a.csv", party=party, site=party.sites.get(), time_zone="UTC"
    )
    return [file.statement_hash, file.sha256]


def _sequence(tell: Tell) -> None:
    """The sequencer's own loop, until nothing waits and it has ticked; a reader looks after each publication."""
    from ledger import api as ledger

    stop, ticked, deadline = threading.Event(), [False], time.monotonic() + PATIENCE_SECONDS

    def look() -> None:
        seen = ledger.latest_checkpoint()
        if seen is not None:
            tell("seen", [seen.size, seen.root.hex()])
            ticked[0] = ticked[0] or seen.tick
        if ledger.backlog() == 0 and ticked[0]:
            stop.set()

    def give_up() -> None:
        if not stop.wait(PATIENCE_SECONDS):
            tell("stuck", None)
            stop.set()

    threading.Thread(target=give_up, daemon=True).start()
    ledger.run_sequencer(stop, look)
    assert time.monotonic() < deadline, "the sequencer did not get through"


def _state() -> dict[str, Any]:
    """Statements that are published, roots that readers may have seen, the mark, and the logger files that stand."""
    from ledger import api as ledger
    from ledger import models, writer
    from traceability.coldchain import originals
    from traceability.coldchain.models import LoggerFile, storage_path

    size = ledger.published_size()
    mark = writer.high_water().read()
    names = LoggerFile.objects.exclude(statement_hash="").values_list("sha256", flat=True)
    return {
        "size": size,
        "statements": list(models.Entry.objects.filter(index__lt=size).values_list("statement_hash", flat=True)),
        "queued": list(models.Submission.objects.values_list("statement_hash", flat=True)),
        "entries": models.Entry.objects.count(),
        "roots": [[one.size, one.root] for one in models.Checkpoint.objects.filter(published=True)],
        "mark": None if mark is None else [mark.size, mark.root.hex()],
        "files": [name for name in names if default_storage.exists(storage_path(name)) and originals.load(name)],
    }


def _digests() -> dict[str, str]:
    from traceability.common import projection

    return {model.__name__: projection.digest(model) for one in projection.all_projections() for model in one.models}
