"""From a valid event to one that can be committed: its ID, its key, and whether it is the same one again."""

import hashlib
import hmac
import json
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from traceability.common import sealing
from traceability.epcis import event as epcis_event
from traceability.epcis.faults import Fault
from traceability.parties.models import Party

FUTURE_TOLERANCE_MS = 5 * 60 * 1000

# eventID and declarationTime: what makes a reporter's event the same one again.
Key = tuple[str, str]


@dataclass(frozen=True)
class Prepared:
    """An event ready to be committed; `place` is its place in the call."""

    place: int
    body: dict[str, Any]
    event_id: str
    declaration: str
    content_sha256: str

    @property
    def key(self) -> Key:
        return self.event_id, self.declaration


def late(place: int, event: Mapping[str, Any], *, now: int) -> list[Fault]:
    """The faults of a valid event that comes from the future."""
    detail = "this time lies more than five minutes in the future"
    return [
        Fault(place, pointer, "future-event", detail)
        for pointer, time in _times(event)
        if epcis_event.time_ms(time) > now + FUTURE_TOLERANCE_MS
    ]


def identified(place: int, event: dict[str, Any], reporter: Party) -> Prepared:
    """The bare event with its ID, minted where it has none."""
    content = _sorted(event)
    event_id = event.get("eventID")
    if event_id is None:
        event_id = minted_id(event, reporter.uri)
        event = {**event, "eventID": event_id}
    declaration = event.get("errorDeclaration")
    return Prepared(
        place=place,
        body=event,
        event_id=event_id,
        declaration=declaration["declarationTime"] if declaration else "",
        content_sha256=hashlib.sha256(content).hexdigest(),
    )


class Once:
    """The events of one call by their keys: which come again, and which with other content. About 200 bytes each."""

    def __init__(self) -> None:
        self._seen: dict[bytes, bytes] = {}

    def is_again(self, item: Prepared) -> bool:
        """Whether this very event came before."""
        return self._first(item) is not None

    def fault(self, item: Prepared) -> Fault | None:
        """The fault of an event whose key stood before with other content."""
        first = self._first(item)
        if first is None or first == bytes.fromhex(item.content_sha256):
            return None
        return Fault(item.place, "/eventID", "event-id-reused", f"{item.event_id} stands twice with other content")

    def add(self, item: Prepared) -> None:
        self._seen[_digest(item.key)] = bytes.fromhex(item.content_sha256)

    def _first(self, item: Prepared) -> bytes | None:
        return self._seen.get(_digest(item.key))


def _digest(key: Key) -> bytes:
    return hashlib.sha256("\0".join(key).encode()).digest()


def content_of(event: Mapping[str, Any], reporter: str) -> str:
    """The hash of what was sent, from the event as it was committed: an ID that we minted was not sent."""
    sent = {name: value for name, value in event.items() if name != "eventID"}
    if minted_id(sent, reporter) != event["eventID"]:
        sent = dict(event)
    return hashlib.sha256(_sorted(sent)).hexdigest()


def minted_id(event: Mapping[str, Any], reporter: str) -> str:
    """A UUIDv8 from a keyed hash: the same content by the same reporter mints the same ID, and nobody can guess it.

    An error declaration gets the ID of the event that it takes back, since all else of the two is equal (EPCIS 2.0,
    section 7.4.1.2).
    """
    content = _sorted({name: value for name, value in event.items() if name != "errorDeclaration"})
    content = reporter.encode() + b"\0" + content
    raw = bytearray(hmac.digest(sealing.id_key(sealing.EVENT_IDS), content, "sha256")[:16])
    raw[6] = raw[6] & 0x0F | 0x80
    raw[8] = raw[8] & 0x3F | 0x80
    return f"urn:uuid:{uuid.UUID(bytes=bytes(raw))}"


def _times(event: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """When it happened, and when it was declared void; with their pointers."""
    yield "/eventTime", event["eventTime"]
    if declaration := event.get("errorDeclaration"):
        yield "/errorDeclaration/declarationTime", declaration["declarationTime"]


def _sorted(event: Mapping[str, Any]) -> bytes:
    return json.dumps(event, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()
