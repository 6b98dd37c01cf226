"""Large documents do not need their size in memory: measured in a process of its own."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.epcis.samples import document, event
from traceability.epcis.xml import writer as xml_writer

MEGABYTE = 1024 * 1024
# What the process may hold beyond what it has after start, however large the document.
ALLOWED = 60 * MEGABYTE
_READ = """
import re, sys
from traceability.epcis import json_source
from traceability.epcis.xml import reader
from traceability.epcis.validation import DocumentCheck
# The most that this program held; getrusage would tell what the one that started it did, when that was more.
rss = lambda: int(re.search(r"VmHWM:\\s*(\\d+)", open("/proc/self/status").read())[1])
before = rss()
with open(sys.argv[1], "rb") as file:
    if sys.argv[2] == "whole":
        from traceability.common import strict_json
        count = len(strict_json.loads(file.read())["epcisBody"]["eventList"])
    else:
        source = (reader if sys.argv[1].endswith("xml") else json_source).open_document(file)
        check = DocumentCheck(source.frame, cbv_compliant=False)
        assert not check.faults, check.faults
        count = 0
        for count, event in enumerate(source.events(), 1):
            assert not check.event(count - 1, event)
print(count, (rss() - before) * 1024)
"""


def written(path: Path, size: int) -> int:
    """A document of about this size at `path`; how many events it has."""
    one = event("ObjectEvent")
    if path.suffix == ".xml":
        count = size // 2500
        body = document()
        body["epcisBody"]["eventList"] = (one for _ in range(count))
        with path.open("wb") as file:
            file.writelines(xml_writer.write(body))
        return count
    text = json.dumps(one)
    head, tail = json.dumps(document("@")).split('"@"')
    count = size // len(text)
    with path.open("w") as file:
        file.write(head + text)
        file.writelines("," + text for _ in range(count - 1))
        file.write(tail)
    return count


def measured(path: Path, how: str = "stream") -> tuple[int, int]:
    """Events read, and bytes of memory that it took at most."""
    done = subprocess.run(
        [sys.executable, "-c", _READ, str(path), how], capture_output=True, text=True, check=True, cwd=Path.cwd()
    )
    count, size = done.stdout.split()
    return int(count), int(size)


@pytest.mark.parametrize("suffix", [".json", ".xml"])
def test_twenty_megabytes_are_read_in_little_memory(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"large{suffix}"
    count = written(path, 20 * MEGABYTE)
    found, memory = measured(path)
    assert (found, memory < ALLOWED) == (count, True), memory


def test_read_whole_it_needs_far_more(tmp_path: Path) -> None:
    """The negative control."""
    path = tmp_path / "large.json"
    written(path, 20 * MEGABYTE)
    assert measured(path, "whole")[1] > 2 * ALLOWED


@pytest.mark.long
def test_a_hundred_megabytes_are_read_in_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "large.json"
    count = written(path, 100 * MEGABYTE)
    found, memory = measured(path)
    assert (found, memory < ALLOWED) == (count, True), memory
