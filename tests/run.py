"""`make test`: everything on SQLite, then what touches a database or a broker again on PostgreSQL and Redis.

Starts private servers of its own where PostgreSQL and Redis are installed. What did not run is said at the end; with
CI=1 (or CI=true) it fails the run.
"""

import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
IN_CI = os.environ.get("CI", "").lower() in {"1", "true"}
CHECKS = [
    [str(BIN / "ruff"), "check", "."],
    [str(BIN / "ruff"), "format", "--check", "."],
    [str(BIN / "lint-imports")],
    [str(BIN / "mypy"), "ledger", "traceability"],
    [sys.executable, "manage.py", "makemigrations", "--check", "--dry-run"],
]
# Where the database matters: the unit tests have none, and browsers need only one of the two.
ON_POSTGRESQL = ["tests/contract", "tests/integration", "tests/concurrency", "tests/outside/test_whole_log.py"]
OUTSIDE = (Path(sys.prefix) / "outside/.installed", ROOT / "tests/outside/js/node_modules/.package-lock.json")


def main() -> int:
    """Run all groups; the exit status is 0 only if each passed and, in CI, none was left out."""
    failed, left_out = [], []
    with ExitStack() as stack, tempfile.TemporaryDirectory(prefix="dosetrail-check-") as scratch:
        environment = {**os.environ, "DOSETRAIL_DATA_DIR": scratch}
        for command in CHECKS:
            if _run(command, environment):
                failed.append(" ".join(command[:3]))
        redis = stack.enter_context(redis_server())
        if redis is None:
            left_out.append("Redis tests: redis-server is not installed")
        strace = _can_trace()
        if not strace:
            left_out.append("faults of writes and power cuts: strace is not installed, or may not trace (ptrace)")
        mounts = _can_mount()
        if not mounts:
            left_out.append("full disks: mounting a small one (tmpfs) needs root")
        chromium = shutil.which("chromium") or shutil.which("chromium-browser")
        if chromium is None:
            left_out.append("browser tests: chromium is not installed")
        outside = all(map(Path.is_file, OUTSIDE)) and all(map(shutil.which, ("ssh-agent", "node")))
        if not outside:
            left_out.append("checkers of others: `make outside` installs them; openssh-client and nodejs are needed")
        common = {**os.environ, "DOSETRAIL_TEST_REDIS": redis or "", "DOSETRAIL_TEST_CHROMIUM": chromium or ""}
        there = {
            "outside": outside,
            "redis": redis,
            "browser": chromium,
            "strace": strace,
            "mounts": mounts,
            "postgresql": _initdb(),
        }
        deselect = ["long", *(mark for mark, found in there.items() if not found)]
        marks = " and ".join(f"not {mark}" for mark in deselect)
        pytest = [str(BIN / "pytest"), "-n", "2", "--dist", "loadgroup", "-m", marks]
        if _run([*pytest, *sys.argv[1:]], {**common, "DOSETRAIL_TEST_DATABASE": "sqlite"}):
            failed.append("tests on SQLite")
        # In memory it waits for no disk, though it syncs as the log demands of it: no test here asks what outlives a
        # power cut, and those of durability have clusters of their own.
        postgres = stack.enter_context(postgresql_server(in_memory()))
        if postgres is None:
            left_out.append("PostgreSQL: no initdb found")
        else:
            environment = {**common, **postgres, "DOSETRAIL_TEST_DATABASE": "postgresql"}
            if _run([*pytest, *ON_POSTGRESQL, *sys.argv[1:]], environment):
                failed.append("tests on PostgreSQL")
    for line in left_out:
        sys.stdout.write(f"NOT RUN: {line}\n")
    for line in failed:
        sys.stdout.write(f"FAILED: {line}\n")
    return 1 if failed or (IN_CI and left_out) else 0


def _run(command: list[str], environment: dict[str, str]) -> int:
    sys.stdout.write(f"\n$ {' '.join(command)}\n")
    sys.stdout.flush()
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode


def _can_trace() -> bool:
    """Whether strace is installed and may look at another process."""
    if shutil.which("strace") is None:
        return False
    sleeper = subprocess.Popen(["sleep", "60"])
    try:
        tracer = subprocess.Popen(["strace", "-p", str(sleeper.pid)], stderr=subprocess.PIPE, text=True)
        assert tracer.stderr is not None
        attached = "attached" in tracer.stderr.readline()
        tracer.terminate()
        tracer.communicate()
        return attached
    finally:
        sleeper.kill()
        sleeper.wait()


def _can_mount() -> bool:
    """Whether a small disk can be mounted here."""
    with tempfile.TemporaryDirectory() as folder:
        mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder]
        if os.geteuid() != 0 or subprocess.run(mount, check=False, capture_output=True).returncode:
            return False
        subprocess.run(["umount", folder], check=True)
        return True


def _initdb() -> Path | None:
    """PostgreSQL's newest initdb, which lies outside PATH on Debian."""
    debian, path = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb")), shutil.which("initdb")
    found = debian or ([Path(path)] if path else [])
    return found[-1] if found else None


@contextmanager
def redis_server() -> Iterator[str | None]:
    """A private Redis on a free port; its URL, or None where it is not installed."""
    program = shutil.which("redis-server")
    if program is None:
        yield None
        return
    port = _free_port()
    server = subprocess.Popen(
        [program, "--port", str(port), "--save", "", "--bind", "127.0.0.1"], stdout=subprocess.DEVNULL
    )
    try:
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        server.terminate()
        server.wait(timeout=10)


@contextmanager
def postgresql_server(parent: str | None = None) -> Iterator[dict[str, str] | None]:
    """A private PostgreSQL cluster on a socket in a temporary folder; its environment, or None."""
    program = _initdb()
    if program is None:
        yield None
        return
    home = program.parent
    with tempfile.TemporaryDirectory(prefix="dosetrail-pg-", dir=parent) as folder:
        user = _unprivileged_owner(folder)
        port = str(_free_port())
        as_user = ["runuser", "-u", user, "--"] if os.geteuid() == 0 else []
        data = f"{folder}/data"
        subprocess.run(
            [
                *as_user,
                str(home / "initdb"),
                "-D",
                data,
                "-U",
                "postgres",
                "-A",
                "trust",
                "-E",
                "UTF8",
                "--locale",
                "C.UTF-8",
                "--no-sync",
            ],
            check=True,
            stdout=subprocess.DEVNULL,
            cwd="/",
        )
        control = [*as_user, str(home / "pg_ctl"), "-D", data, "-w"]
        options = f"-p {port} -c listen_addresses='' -c unix_socket_directories={folder}"
        subprocess.run(
            [*control, "-o", options, "-l", f"{folder}/log", "start"], check=True, stdout=subprocess.DEVNULL, cwd="/"
        )
        try:
            yield {"PGHOST": folder, "PGPORT": port, "PGUSER": "postgres", "PGDATABASE": "postgres"}
        finally:
            subprocess.run([*control, "-m", "immediate", "stop"], check=True, stdout=subprocess.DEVNULL, cwd="/")


def in_memory() -> str | None:
    """A folder in memory, where there is one with room; None says: on disk, as tempfile would."""
    folder = "/dev/shm"
    roomy = os.access(folder, os.W_OK) and shutil.disk_usage(folder).free > 2 * 2**30
    return folder if roomy else None


def _unprivileged_owner(folder: str) -> str:
    """PostgreSQL refuses to run as root: give the folder to its own user then."""
    if os.geteuid() != 0:
        return pwd.getpwuid(os.geteuid()).pw_name
    user = "postgres" if "postgres" in {entry.pw_name for entry in pwd.getpwall()} else "nobody"
    shutil.chown(folder, user)
    return user


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    sys.exit(main())
