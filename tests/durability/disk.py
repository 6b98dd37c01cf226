"""A disk that loses its power: what a traced process wrote, and what of it had been synced at any moment.

The strictest reading of POSIX: data outlasts a power cut once the file was synced, a name once its folder was. What
was not yet synced may be there in any part and any order, or not at all.
"""

import ast
import json
import random
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from .harness import Told

CALLS = "openat,write,pwrite64,ftruncate,fsync,fdatasync,rename,link,unlink,mkdir,sendto"
STRACE = ["-s", "1000000", "-e", f"trace={CALLS}"]
SECTOR = 512
_LINE = re.compile(r"^\d+ +(\w+)\((.*)\) += (-?\d+)(?:<.*>)?(?: .*)?$")
_DESCRIPTOR = re.compile(r"^(\d+)<([^>]*)>")
_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"')


@dataclass(eq=False)
class File:
    """Bytes that are on the disk, and writes on their way there: (offset, bytes), or (size, None) for a new length."""

    durable: bytes = b""
    pending: list[tuple[int, bytes | None]] = field(default_factory=list)

    def sync(self) -> None:
        self.durable = self.after(self.pending)
        self.pending = []

    def after(self, writes: list[tuple[int, bytes | None]]) -> bytes:
        """The content once these writes arrived."""
        content = bytearray(self.durable)
        for offset, data in writes:
            if data is None:
                content[offset:] = bytes(max(0, offset - len(content)))
            else:
                content.extend(bytes(max(0, offset - len(content))))
                content[offset : offset + len(data)] = data
        return bytes(content)


Names = dict[str, File]


class Disk:
    """Files by path below one folder; `step` takes one line of a trace."""

    def __init__(self, start: Path, folder: Path) -> None:
        self._folder = str(folder)
        self.names: Names = {}
        for path in start.rglob("*"):
            if path.is_file():
                self.names[str(path.relative_to(start))] = File(path.read_bytes())
        self.durable_names: Names = dict(self.names)
        self._pending_names: list[tuple[str, str, File | None]] = []  # (folder, name, file or None), in order
        self._position: dict[str, int] = {}
        self.told = Told(status=0)

    def step(self, line: str) -> str:
        """Take a line of the trace; the name of the call, or '' when it changed nothing here."""
        match = _LINE.match(line)
        if match is None or int(match[3]) < 0:
            return ""
        return match[1] if getattr(self, f"_{match[1]}")(match[2], match[3]) else ""

    def _local(self, path: str) -> str | None:
        if path == self._folder:
            return ""
        return path.removeprefix(f"{self._folder}/") if path.startswith(f"{self._folder}/") else None

    def _of(self, rest: str) -> tuple[str, str | None]:
        match = _DESCRIPTOR.match(rest)
        return (match[1], self._local(match[2])) if match else ("", None)

    def _strings(self, rest: str) -> list[bytes]:
        return [ast.literal_eval(f'b"{one}"') for one in _STRING.findall(rest)]

    def _openat(self, rest: str, result: str) -> bool:
        path = self._local(self._strings(rest)[0].decode())
        if path is None or "O_DIRECTORY" in rest:
            return False
        self._position[result] = 0
        if path not in self.names and "O_CREAT" in rest:
            self._name(path, File())
        elif "O_TRUNC" in rest and path in self.names:
            self.names[path].pending.append((0, None))
        return True

    def _write(self, rest: str, result: str) -> bool:
        descriptor, path = self._of(rest)
        return self._put(path, self._position.get(descriptor, 0), rest, result, descriptor)

    def _pwrite64(self, rest: str, result: str) -> bool:
        return self._put(self._of(rest)[1], int(rest.rpartition(", ")[2]), rest, result)

    def _put(self, path: str | None, offset: int, rest: str, result: str, descriptor: str = "") -> bool:
        if path is None or path not in self.names:
            return False
        data = self._strings(rest[rest.index(">") :])[0][: int(result)]
        self.names[path].pending.append((offset, data))
        if descriptor:
            self._position[descriptor] = offset + len(data)
        return True

    def _ftruncate(self, rest: str, result: str) -> bool:
        _, path = self._of(rest)
        if path in self.names:
            self.names[path].pending.append((int(rest.rpartition(", ")[2]), None))
        return path in self.names

    def _fsync(self, rest: str, result: str) -> bool:
        _, path = self._of(rest)
        if path in self.names:
            self.names[path].sync()
        elif path is not None:
            self._sync_folder(path)
        return path is not None

    _fdatasync = _fsync

    def _rename(self, rest: str, result: str) -> bool:
        old, new = (self._local(text.decode()) for text in self._strings(rest))
        if old is None or new is None:
            return False
        file = self.names[old]
        self._name(new, file)
        self._name(old, None)
        return True

    def _link(self, rest: str, result: str) -> bool:
        old, new = (self._local(text.decode()) for text in self._strings(rest))
        if old is None or new is None:
            return False
        self._name(new, self.names[old])
        return True

    def _unlink(self, rest: str, result: str) -> bool:
        path = self._local(self._strings(rest)[0].decode())
        if path in self.names:
            self._name(path, None)
        return path is not None

    def _mkdir(self, rest: str, result: str) -> bool:
        path = self._local(self._strings(rest)[0].decode())
        if path:
            self._pending_names.append((_parent(path), path, None))
        return path is not None

    def _sendto(self, rest: str, result: str) -> bool:
        kind, value = json.loads(self._strings(rest)[0])
        self.told.messages.append((kind, value))
        return True

    def _name(self, path: str, file: File | None) -> None:
        if file is None:
            del self.names[path]
        else:
            self.names[path] = file
        self._pending_names.append((_parent(path), path, file))

    def _sync_folder(self, folder: str) -> None:
        for where, path, file in self._pending_names:
            if where == folder:
                _apply(self.durable_names, path, file)
        self._pending_names = [one for one in self._pending_names if one[0] != folder]

    def cut(self, target: Path, chance: random.Random | None) -> None:
        """Lay down at `target` what is left when the power goes now: nothing unsynced, or some of it by chance."""
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(mode=0o700)
        names = dict(self.durable_names)
        if chance:  # a file system keeps the order of its names
            for _, path, file in self._pending_names[: chance.randint(0, len(self._pending_names))]:
                _apply(names, path, file)
        for path, file in names.items():
            if path.endswith("-shm"):
                continue  # shared memory
            writes = list(_some(file.pending, chance)) if chance else []
            place = target / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(file.after(writes))
            place.chmod(0o600)


def _apply(names: Names, path: str, file: File | None) -> None:
    if file is not None:
        names[path] = file
    else:
        names.pop(path, None)


def _some(writes: list[tuple[int, bytes | None]], chance: random.Random) -> Iterator[tuple[int, bytes | None]]:
    """Some of these writes, some of them torn between sectors."""
    for offset, data in writes:
        fate = chance.random()
        if fate < 0.45 or data is None:
            yield offset, data
        elif fate < 0.6:
            yield offset, data[: chance.randint(0, len(data) // SECTOR) * SECTOR]


def _parent(path: str) -> str:
    return path.rpartition("/")[0]


def moments(trace: Path, disk: Disk) -> Iterator[str]:
    """Play a trace; yields the name of each call that told, wrote or synced something, once it is done."""
    with trace.open(errors="replace") as lines:
        for line in lines:
            if name := disk.step(line.rstrip("\n")):
                yield name
