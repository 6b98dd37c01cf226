"""Bombs against the readers, in a process that may not grow: refused by name, while the protection off needs more."""

import gzip
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from .samples import CONTEXT

MEGABYTE = 1024 * 1024
SIZE = 100 * MEGABYTE
GZIPPED = 400 * MEGABYTE
# What the process may have beyond what it has once its modules are there: of one event, 8 MiB, a few copies.
ALLOWED = 256 * MEGABYTE
LITTLE = 64 * MEGABYTE  # where nothing of the bomb is kept
MILLION = 1_000_000

_CHILD = """
import os, re, resource, sys
from traceability.common import strict_json
from traceability.epcis import json_source
from traceability.epcis.source import SourceError
from traceability.epcis.validation import DocumentCheck
from traceability.epcis.xml import elements, reader

path, how, allowed = sys.argv[1], sys.argv[2], int(sys.argv[3])
def unguarded():
    strict_json._require_shallow = lambda *_: None
    json_source.WHOLE_BYTES = os.path.getsize(path)  # no more: read() makes room for all that it is asked for
    for name in ("DEPTH", "CHARACTERS", "ELEMENTS", "ATTRIBUTES", "NAMESPACES", "TOKEN"):
        setattr(elements, "MAX_" + name, 2**40)
    elements._Builder._document_type = lambda *_: None

def read(file):
    source = (reader if path.endswith("xml") else json_source).open_document(file)
    check = DocumentCheck(source.frame, cbv_compliant=False)
    faults = list(check.faults)
    for index, event in enumerate(source.events()):
        faults += check.event(index, event)
    return faults[0].code if faults else "accepted"

if how == "off":
    unguarded()
size = int(re.search(r"VmSize:\\s*(\\d+)", open("/proc/self/status").read())[1]) * 1024
resource.setrlimit(resource.RLIMIT_AS, (size + allowed, size + allowed))
try:
    with open(path, "rb") as file:
        print(read(file))
except SourceError as error:
    print("out of memory" if "out of memory" in error.detail else error.code)
except MemoryError:
    print("out of memory")
"""
_GZIP = """
import os, re, resource, sys
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "traceability.settings.test")
import django
django.setup()
from traceability.capture import uploads
from traceability.common.problems import ProblemError
path, how, allowed = sys.argv[1], sys.argv[2], int(sys.argv[3])
if how == "off":
    uploads.MAX_RATIO = sys.maxsize
size = int(re.search(r"VmSize:\\s*(\\d+)", open("/proc/self/status").read())[1]) * 1024
resource.setrlimit(resource.RLIMIT_AS, (size + allowed, size + allowed))
try:
    with open(path, "rb") as file:
        held = b"".join(uploads.unpacked(iter(lambda: file.read(65536), b"")))
    print("accepted")
except ProblemError as error:
    print(error.code)
except MemoryError:
    print("out of memory")
"""

_HEAD = (
    f'{{"@context":["{CONTEXT}",{{"ours":"https://o.example/"}}],"type":"EPCISDocument","schemaVersion":"2.0",'
    '"creationDate":"2026-03-01T12:00:00Z","epcisBody":{"eventList":[{"type":"ours:Bomb",'
    '"eventTime":"2026-03-01T12:00:00Z","eventTimeZoneOffset":"+00:00","ours:x":'
).encode()
_TAIL = b"}]}}"
_XML = (
    b'<epcis:EPCISDocument xmlns:epcis="urn:epcglobal:epcis:xsd:2" xmlns:ours="https://o.example/" schemaVersion="2.0" '
    b'creationDate="2026-03-01T12:00:00Z"><EPCISBody><EventList><ours:Bomb>'
    b"<eventTime>2026-03-01T12:00:00Z</eventTime><eventTimeZoneOffset>+00:00</eventTimeZoneOffset>"
)
_XML_TAIL = b"</ours:Bomb></EventList></EPCISBody></epcis:EPCISDocument>"
_LAUGHS = b"<!DOCTYPE x [<!ENTITY a0 'ha'>" + b"".join(
    b"<!ENTITY a%d '%s'>" % (n, b"&a%d;" % (n - 1) * 10) for n in range(1, 10)
)


def _json(value: Iterable[bytes]) -> Iterable[bytes]:
    return [_HEAD, *value, _TAIL]


def _xml(content: Iterable[bytes]) -> Iterable[bytes]:
    return [_XML, *content, _XML_TAIL]


def _many(make: Callable[[int], bytes]) -> Iterable[bytes]:
    return (b"".join(make(n) for n in range(start, start + 1000)) for start in range(0, MILLION, 1000))


# Name, how the file ends, its bytes, the code that refuses it, and what comes of it with the limits off.
BOMBS: dict[str, tuple[str, Callable[[], Iterable[bytes]], str, str]] = {
    "a string": ("json", lambda: _json([b'"', *[b"x" * MEGABYTE] * 100, b'"']), "too-large", "out of memory"),
    "numbers": ("json", lambda: _json([b"[0", *[b",1" * 500_000] * 100, b"]"]), "too-large", "out of memory"),
    "lists of numbers": ("json", lambda: _json([b"[[0]", *[b",[1,2]" * 200_000] * 20, b"]"]), "too-large",
                         "out of memory"),
    "members": ("json", lambda: _json([b'{"ours:x":0', *_many(lambda n: b',"ours:%d":1' % n), b"}"]), "too-large",
                "accepted"),
    "depth": ("json", lambda: _json([b"[" * 500, b"]" * 500]), "json-too-deep", "accepted"),
    "depth without end": ("json", lambda: _json([b"[" * MILLION]), "json-too-deep", "json-too-deep"),
    "around the events": ("json", lambda: [_HEAD.replace(b'"type"', b'"ours:y":"' + b"x" * SIZE + b'","type"', 1), b"1",
                                           _TAIL], "too-large", "out of memory"),
    "a text": ("xml", lambda: _xml([b"<ours:x>", *[b"x" * MEGABYTE] * 100, b"</ours:x>"]), "xml-too-large",
               "out of memory"),
    "attributes": ("xml", lambda: _xml([b"<ours:x", *_many(lambda n: b' a%d="1"' % n), b"/>"]), "xml-too-large",
                   "out of memory"),
    "elements": ("xml", lambda: _xml(_many(lambda n: b"<ours:x>1</ours:x>")), "xml-too-large", "out of memory"),
    "nesting": ("xml", lambda: _xml([b"<ours:x>" * MILLION]), "xml-too-deep", "out of memory"),
    "entities": ("xml", lambda: [_LAUGHS, b"]>", *_xml([b"<ours:x>&a9;</ours:x>"])], "xml-doctype", "xml-malformed"),
}  # fmt: skip


LONG = {"lists of numbers", "members", "elements", "attributes"}


def outcome(script: str, path: Path, how: str, allowed: int = ALLOWED) -> str:
    """What the process says of the file; it may not end in any other way."""
    command = [sys.executable, "-c", script, str(path), how, str(allowed)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=Path.cwd(), check=False)
    return done.stdout.strip() if done.returncode == 0 else f"ended with {done.returncode}: {done.stderr[-500:]}"


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.long] if name in LONG else []) for name in BOMBS]
)
def test_a_bomb_is_refused_in_little_memory(tmp_path: Path, name: str) -> None:
    suffix, content, code, unguarded = BOMBS[name]
    path = tmp_path / f"bomb.{suffix}"
    with path.open("wb") as file:
        file.writelines(content())
    allowed = LITTLE if name in ("a text", "attributes", "nesting") else ALLOWED
    assert (outcome(_CHILD, path, "on", allowed), outcome(_CHILD, path, "off", allowed)) == (code, unguarded)


def test_a_bomb_in_gzip_is_refused_in_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "bomb.gz"
    path.write_bytes(gzip.compress(bytes(GZIPPED)))
    assert (outcome(_GZIP, path, "on"), outcome(_GZIP, path, "off")) == ("capture-limit", "out of memory")
