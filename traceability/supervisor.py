"""The embedded size's processes: a supervisor with two children, web and engine (architecture.md, section 4).

    python -m traceability.supervisor          both, restarted when they die
    python -m traceability.supervisor demo     the same, after building the demo world where there is none
    python -m traceability.supervisor demo --reset   the same, after removing an earlier demo world
    python -m traceability.supervisor web|engine   one of them, as the supervisor starts it

With WITNESSES=3 the demo also runs three followers of its log that cosign it, each on a database of its own.

Web: WSGI threads for pages and API; it never enqueues. Engine: sequencer, Celery worker and beat on the memory
transport, event stream, sending to subscribers. A child leaves when its parent is gone, so that kill -9 leaves no
orphan on the port.
"""

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "traceability.settings.embedded")

CHILDREN = ("web", "engine")
RESTART_PAUSE_SECONDS = 0.5
WEB_THREADS = 12
WITNESSES = int(os.environ.get("WITNESSES") or "0")  # of the demo
# What an embedded house keeps in its data folder (settings/embedded.py).
DEMO_FILES = (
    "dosetrail.sqlite3", "log-high-water", "files", "spool", "key-encryption-key", "secret-key", "clock", "policy",
    "witness-", "demo.json",
)  # fmt: skip


def supervise(*, meanwhile: Callable[[threading.Event], None] | None = None) -> int:
    """Keep both children running until SIGTERM or SIGINT; `meanwhile` runs beside them and may end the whole."""
    stop = threading.Event()
    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, lambda *_: stop.set())
    keepers = [threading.Thread(target=_keep, args=(name, stop)) for name in CHILDREN]
    for keeper in keepers:
        keeper.start()
    if meanwhile is not None:
        threading.Thread(target=meanwhile, args=(stop,), daemon=True).start()
    stop.wait()
    for keeper in keepers:
        keeper.join()
    return 0


def _keep(
    name: str, stop: threading.Event, command: Sequence[str] = (), environment: Mapping[str, str] | None = None
) -> None:
    """Run a child, and run it again when it ends, until `stop` is set."""
    while not stop.is_set():
        words = list(command) or [sys.executable, "-m", "traceability.supervisor", name]
        child = subprocess.Popen(words, env=environment, start_new_session=True)
        while child.poll() is None and not stop.wait(0.1):
            pass
        if child.poll() is None:
            child.terminate()
            try:
                child.wait(timeout=15)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        elif not stop.is_set():
            sys.stderr.write(f"{name} ended with status {child.returncode}; starting it again\n")
            stop.wait(RESTART_PAUSE_SECONDS)


def leave_with_parent() -> None:
    """Send this process SIGTERM once its parent has died (portable: no prctl)."""
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, daemon=True, name="leave-with-parent").start()


def web() -> None:
    """Pages and API under gunicorn's thread worker; one process, since SQLite has one writer anyway."""
    from django.conf import settings
    from gunicorn.app.base import BaseApplication

    class Web(BaseApplication):  # type: ignore[misc]  # gunicorn ships no types
        def load_config(self) -> None:
            for key, value in {
                "bind": f"{settings.HOST}:{settings.PORT}",
                "worker_class": "gthread",
                "workers": 1,
                "threads": WEB_THREADS,
                "keepalive": 30,
                "graceful_timeout": 5,
                "loglevel": "warning",
                "control_socket_disable": True,
            }.items():
                if key in self.cfg.settings:
                    self.cfg.set(key, value)

        def load(self) -> Any:
            from traceability.wsgi import application

            return application

    leave_with_parent()
    Web().run()


def engine() -> None:
    """Sequencer, Celery worker, beat, event stream and sender, each in a thread of one process."""
    import django

    django.setup()
    import uvicorn
    from celery.beat import EmbeddedService, Scheduler
    from django.conf import settings

    from ledger import api as ledger
    from traceability import waking
    from traceability.asgi import application
    from traceability.capture import jobs
    from traceability.celery import app
    from traceability.common import garbage
    from traceability.exceptions import kept
    from traceability.exchange import outgoing

    garbage.leave_out_what_is_loaded()
    leave_with_parent()
    stop = threading.Event()
    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, lambda *_: stop.set())

    worker = app.WorkController(
        pool="solo", concurrency=1, without_heartbeat=True, without_mingle=True, without_gossip=True
    )
    beat = EmbeddedService(app, thread=True, scheduler_cls=Scheduler)
    stream = uvicorn.Server(
        uvicorn.Config(
            application, host=settings.HOST, port=settings.EVENT_STREAM_PORT, log_level="warning", lifespan="off"
        )
    )
    sequencer = threading.Thread(target=ledger.run_sequencer, args=(stop, waking.wake), name="sequencer")
    collector = threading.Thread(target=ledger.run_collector, args=(stop,), name="cosignatures", daemon=True)
    collector.start()  # ends at once where no witness is named
    threads = [
        sequencer,
        threading.Thread(target=worker.start, name="celery-worker", daemon=True),
        threading.Thread(target=stream.run, name="event-stream", daemon=True),
        threading.Thread(target=outgoing.run, args=(stop,), name="sender", daemon=True),
        threading.Thread(target=jobs.run, args=(stop,), name="capture-jobs", daemon=True),
        threading.Thread(target=kept.run, args=(stop,), name="overviews", daemon=True),
    ]
    for thread in [*threads, beat]:
        thread.start()
    while not stop.wait(0.5):
        dead = [thread.name for thread in threads if not thread.is_alive()]
        if dead:  # the supervisor starts a fresh engine; half an engine would look alive
            sys.stderr.write(f"engine: {', '.join(dead)} ended\n")
            os._exit(1)
    stream.should_exit = True
    beat.stop()
    worker.stop()
    sequencer.join(timeout=10)
    # Celery's consumer thread may sit in a blocking poll; everything durable is in the database already.
    os._exit(0)


def demo(*, reset: bool = False) -> int:
    """Build the demo world where there is none, then keep the house running and say where to click."""
    if reset and (refusal := remove_demo(Path(os.environ.get("DOSETRAIL_DATA_DIR", "var")))):
        sys.stderr.write(refusal + "\n")
        return 1
    import django

    django.setup()
    from django.conf import settings
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    call_command("rebuild", stale=True)
    manage = [sys.executable, str(Path(settings.BASE_DIR) / "manage.py")]

    def build_and_welcome(stop: threading.Event) -> None:
        if subprocess.call([*manage, "simulate", "--if-absent"]) != 0 or subprocess.call([*manage, "welcome"]) != 0:
            sys.stderr.write("the demo world could not be built; see the message above\n")
            failed.set()
            stop.set()
        elif WITNESSES:
            _run_witnesses(stop, manage)

    failed = threading.Event()
    supervise(meanwhile=build_and_welcome)
    return 1 if failed.is_set() else 0


def _run_witnesses(stop: threading.Event, manage: Sequence[str]) -> None:
    """Keep the demo's witnesses running until `stop` is set; the collector finds their policy by itself."""
    from django.conf import settings

    from ledger import api as ledger
    from traceability.common import files
    from traceability.simulation import witnesses

    log_url = f"http://127.0.0.1:{settings.PORT}/log"
    nodes = witnesses.chosen(settings.DATA_DIR, count=WITNESSES, port=settings.PORT + 2)
    policy = Path(settings.DATA_DIR) / "policy"  # LOG_POLICY_FILE of the embedded settings
    vkeys = [one.vkey for one in ledger.vkeys() if one.until_size is None]
    text = witnesses.make_policy(nodes, vkeys=vkeys, log_url=log_url, manage=manage)
    files.replace(policy, [text.encode()])  # the collector reads it at any moment
    for node in nodes:
        command = witnesses.follow_command(node, log_url=log_url, policy=policy)
        threading.Thread(target=_keep, args=(node.name, stop, command, node.environment())).start()


def follower(arguments: Sequence[str]) -> None:
    """One witness of the demo, as the supervisor starts it."""
    from django.core.management import execute_from_command_line

    leave_with_parent()
    execute_from_command_line(["manage.py", *arguments])


def remove_demo(folder: Path) -> str:
    """Remove a demo's data from its folder, and nothing else that lies there; why not, or ''."""
    if not folder.exists():
        return ""
    found = [path for path in folder.iterdir() if path.name.startswith(DEMO_FILES)]
    if found and not (folder / "demo.json").exists():
        return f"{folder} holds data that no demo has made; remove it yourself, or set DOSETRAIL_DATA_DIR"
    with suppress(FileNotFoundError), (folder / "log-high-water.lock").open() as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return f"a house is running on {folder}; stop it first"
    for path in sorted(found, key=lambda path: path.name == "demo.json"):  # the mark goes last
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    return ""


if __name__ == "__main__":
    part = sys.argv[1] if len(sys.argv) > 1 else "all"
    if part == "web":
        web()
    elif part == "engine":
        engine()
    elif part == "follower":
        follower(sys.argv[2:])
    else:
        sys.exit(demo(reset="--reset" in sys.argv) if part == "demo" else supervise())
