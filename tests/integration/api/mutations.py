"""Documents made wrong: over all event types, in JSON and XML, in what they say and in their bytes. Deterministic."""

import copy
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.unit.epcis.samples import EVENTS, document
from traceability.epcis.xml import writer as xml_writer

KINDS = ("ObjectEvent", "AggregationEvent", "TransactionEvent", "TransformationEvent", "AssociationEvent")
JSON, XML = "application/json", "application/xml"
# Values that no member of an event takes.
_WRONG: tuple[Any, ...] = (
    None, True, -1, 1.5e300, "", " ", "nonsense", "x" * 9000, "a\0b", [], {}, [[]], {"": 1},
    "urn:epcglobal:cbv:bizstep:x", "2026-13-45T99:99:99Z", "yesterday", "\u202e",
)  # fmt: skip
_GOOD_PLACE = 0  # of the event that is left as it was; the wrong one follows it


@dataclass(frozen=True)
class Mutant:
    """A body that is wrong. `event` is the place of the event that is at fault; None when bytes or frame are."""

    what: str
    body: bytes
    media: str
    event: int | None = 1


def all_mutants(seed: int = 20261126) -> Iterator[Mutant]:
    """Some 500 mutants."""
    choice = random.Random(seed)
    for kind in KINDS:
        yield from _wrong_members(kind, choice)
        yield from _broken_bytes(kind, choice)
    yield from _wrong_frames()


def _two(kind: str, event: Any) -> dict[str, Any]:
    good = {**copy.deepcopy(EVENTS[kind]), "eventID": "urn:uuid:00000000-0000-4000-8000-000000000001"}
    return document(good, event)


def _wrong_members(kind: str, choice: random.Random) -> Iterator[Mutant]:
    """Each required member dropped; each known one of a wrong kind, renamed, or moved into a list."""
    base = EVENTS[kind]
    for name in ("type", "eventTime", "eventTimeZoneOffset"):
        yield _json(f"{kind}: without {name}", _two(kind, {key: base[key] for key in base if key != name}))
    for name in sorted(base):
        if name.startswith("ours:"):
            continue
        yield _json(f"{kind}: {name} renamed", _two(kind, {**base, name + "X": base[name]}))
        for wrong in choice.sample(_WRONG, 5):
            if not _may_be(name, wrong):
                yield _json(f"{kind}: {name} = {str(wrong)[:20]!r}", _two(kind, {**base, name: wrong}))
                if isinstance(wrong, str) and wrong.isprintable() and isinstance(base[name], str) and name != "type":
                    yield from _xml(f"{kind}: {name} = {wrong[:20]!r}", _two(kind, base), base[name], wrong)
    for wrong in (7, "x", [], None, True):
        yield _json(f"{kind}: an event that is {wrong!r}", _two(kind, wrong))
    deep: Any = 1
    for _ in range(70):
        deep = [deep]
    yield _json(f"{kind}: too deep", _two(kind, {**base, "ours:deep": deep}), event=None)


def _may_be(name: str, wrong: Any) -> bool:
    """Whether the standard lets this member have that value after all."""
    if isinstance(wrong, str) and wrong.startswith("urn:"):
        return name in ("certificationInfo", "parentID", "transformationID", "eventID")
    return wrong == [] and name.endswith(("List", "EPCs"))


def _broken_bytes(kind: str, choice: random.Random) -> Iterator[Mutant]:
    """What is no JSON, no UTF-8, or no value that everyone reads alike; what is no XML."""
    good = json.dumps(_two(kind, {**EVENTS[kind], "eventID": "urn:uuid:00000000-0000-4000-8000-000000000002"}))
    raw = good.encode()
    for end in sorted(choice.sample(range(len(raw) - 1), 12)):
        yield Mutant(f"{kind}: cut at {end}", raw[:end], JSON, None)
    for bad in ('{"a":1,"a":2}', "1e999", "NaN", "9007199254740993", '"\\ud800"', "0.12345678901234567890123"):
        broken = good.replace('"eventTime"', f'"ours:bad": {bad}, "eventTime"')
        yield Mutant(f"{kind}: {bad}", broken.encode(), JSON, None)
    yield Mutant(f"{kind}: UTF-16", good.encode("utf-16"), JSON, None)
    yield Mutant(f"{kind}: two byte-order marks", b"\xef\xbb\xbf" * 2 + raw, JSON, None)
    yield Mutant(f"{kind}: Latin-1", raw.replace(b"ObjectEvent", b"\xe9", 1) + b"\xe9", JSON, None)
    yield Mutant(f"{kind}: a tail", raw + b"{}", JSON, None)
    yield Mutant(f"{kind}: brackets", raw + b"[" * 200_000, JSON, None)
    xml = b"".join(xml_writer.write(_two(kind, EVENTS[kind])))
    for end in sorted(choice.sample(range(60, len(xml) - 20), 8)):
        yield Mutant(f"{kind}: XML cut at {end}", xml[:end], XML, None)
    head, _, rest = xml.partition(b"?>\n")
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    away = b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
    for what, doctype in (
        ("bomb", bomb),
        ("external entity", away),
        ("DTD", b"<!DOCTYPE x SYSTEM 'http://127.0.0.1/x'>"),
    ):
        yield Mutant(f"{kind}: XML {what}", head + b"?>\n" + doctype + rest, XML, None)
    yield Mutant(f"{kind}: XML deep", xml.replace(b"<EventList>", b"<EventList>" + b"<a>" * 5000), XML, None)
    yield Mutant(f"{kind}: XML wrong encoding", head.replace(b"UTF-8", b"EBCDIC-CP-US") + b"?>\n" + rest, XML, None)
    yield Mutant(f"{kind}: XML NUL", xml.replace(b"<EventList>", b"<EventList>\0"), XML, None)


def _wrong_frames() -> Iterator[Mutant]:
    base = document(EVENTS["ObjectEvent"])
    for name in base:
        yield _json(f"frame without {name}", {key: base[key] for key in base if key != name}, event=None)
    for name, wrong in (("schemaVersion", 2), ("schemaVersion", "two"), ("creationDate", "now"), ("type", "Document"),
                        ("epcisBody", []), ("epcisBody", {}), ("@context", []), ("@context", {"cbv": "urn:x:"}),
                        ("@context", "https://elsewhere.example/"), ("epcisHeader", 7), ("sender", {}),
                        ("colour", "red"), ("epcisBody", {"eventList": {}}),
                        ("epcisBody", {"eventList": [], "more": 1})):  # fmt: skip
        yield _json(f"frame: {name} = {wrong!r}", {**base, name: wrong}, event=None)


def _json(what: str, body: Any, *, event: int | None = 1) -> Mutant:
    return Mutant(what, json.dumps(body).encode(), JSON, event)


def _xml(what: str, good: dict[str, Any], old: str, wrong: str) -> Iterator[Mutant]:
    """The same in XML, where the old value stands as text: the last of them, which is the second event's."""
    body = b"".join(xml_writer.write(good)).decode()
    place = body.rfind(f">{old}<")
    if place >= 0:
        escaped = wrong.replace("&", "&amp;").replace("<", "&lt;")
        yield Mutant(f"XML {what}", (body[: place + 1] + escaped + body[place + 1 + len(old) :]).encode(), XML)
