"""The house under test, its jobs, and strace around them."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
STRACE = shutil.which("strace")
_WAIT_SECONDS = 120


@dataclass
class Told:
    """What a job told, by kind, and how its process ended (a wait status)."""

    messages: list[tuple[str, Any]] = field(default_factory=list)
    status: int = -1

    def of(self, kind: str) -> list[Any]:
        return [value for name, value in self.messages if name == kind]

    @property
    def acknowledged(self) -> set[str]:
        """The hashes of all statements that somebody was told are recorded."""
        uploads = [value[0] for value in self.of("uploaded")]
        return {name for names in self.of("acknowledged") for name in names} | set(uploads)


class Workshop:
    """One data folder at one place, and the template process that runs jobs in it, one at a time."""

    def __init__(self, base: Path) -> None:
        self.folder, self.founded = base / "house", base / "founded"
        self.trace = base / "trace"
        self.channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.channel.settimeout(_WAIT_SECONDS)
        environment = {
            **os.environ,
            "DOSETRAIL_DATA_DIR": str(self.folder),
            "DJANGO_SETTINGS_MODULE": "traceability.settings.embedded",
        }
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.durability.template", str(theirs.fileno())],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            pass_fds=[theirs.fileno()],
            text=True,
        )
        theirs.close()
        assert self._receive() == "ready"
        assert self.run("found").status == 0
        shutil.copytree(self.folder, self.founded)

    def close(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(timeout=10)
        self.channel.close()

    def renew(self) -> None:
        """The house as it was founded."""
        shutil.rmtree(self.folder)
        shutil.copytree(self.founded, self.folder)

    def run(self, job: str, *, strace: Sequence[str] = (), **arguments: Any) -> Told:
        """Run a job to its end, under strace with these options where there are some."""
        order = {"job": job, "stopped": bool(strace), "arguments": arguments}
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        child = self._receive()["child"]
        told = Told()
        with self._traced(child, strace) if strace else _nothing():
            while told.status < 0:
                message = self._receive()
                if isinstance(message, dict):
                    told.status = message["status"]
                else:
                    told.messages.append((message[0], message[1]))
        return told

    def _receive(self) -> Any:
        return json.loads(self.channel.recv(1 << 20))

    @contextmanager
    def _traced(self, child: int, options: Sequence[str]) -> Iterator[None]:
        until(lambda: _state(child) == "T")  # it stopped itself: a SIGCONT before that would leave it stopped for good
        command = [str(STRACE), "-f", "-y", "-o", str(self.trace), *options, "-p", str(child)]
        tracer = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        assert tracer.stderr is not None
        line = tracer.stderr.readline()
        assert "attached" in line, line
        os.kill(child, signal.SIGCONT)
        try:
            yield
        except BaseException:
            os.kill(child, signal.SIGKILL)  # the tracer ends with it
            raise
        finally:
            tracer.stderr.read()
            tracer.wait(timeout=_WAIT_SECONDS)
            tracer.stderr.close()


@contextmanager
def _nothing() -> Iterator[None]:
    yield


def until(reached: Any) -> None:
    """Wait until `reached()` is true; a loaded machine may take its time."""
    deadline = time.monotonic() + _WAIT_SECONDS
    while not reached():
        assert time.monotonic() < deadline, "not reached in time"
        time.sleep(0.002)


def _state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


_CALL = re.compile(r"^(?P<pid>\d+) +(?P<call>\w+)\((?P<rest>.*)$")


@dataclass(frozen=True)
class Call:
    """One system call of a trace: its name, what it is about and the whole line."""

    name: str
    path: str
    line: str

    @property
    def injected(self) -> bool:
        return "(INJECTED)" in self.line


def calls(trace: Path, folder: Path) -> list[Call]:
    """The calls of a trace in their order; `path` is relative to the data folder, '' for what lies elsewhere."""
    found = []
    for line in trace.read_text(errors="replace").splitlines():
        match = _CALL.match(line)
        if match:
            found.append(Call(match["call"], _path(match["rest"], folder), line))
    return found


def _path(rest: str, folder: Path) -> str:
    match = re.search(rf'[<"]{re.escape(str(folder))}(/[^>"]*)?[>"]', rest)
    return (match[1] or "/") if match else ""
