"""Goods that change hands: events as short as they can be written, and who sees which."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Any

import pytest

from tests.integration.conftest import GTIN, LOT, House, pack
from traceability.capture import services as capture
from traceability.capture.models import PublishedEvent
from traceability.gs1 import check_digit
from traceability.visibility.rules import visible_events

START = int(datetime(2026, 3, 1, tzinfo=UTC).timestamp() * 1000)
HOUR = 3_600_000
LOT_CLASS = f"https://id.gs1.org/01/{GTIN}/10/{LOT}"
CONTEXT = "https://ref.gs1.org/standards/epcis/epcis-context.jsonld"


def sscc(number: int) -> str:
    body = f"0952100000{number:07d}"
    return f"https://id.gs1.org/00/{body}{check_digit.of(body)}"


X, Y, CASE, OTHER_CASE, PALLET = pack("X"), pack("Y"), sscc(1), sscc(2), sscc(3)


@dataclass
class Chain:
    """A house in which every event gets a name; `hour` is its event time, in hours since START."""

    house: House
    names: dict[str, str] = field(default_factory=dict, repr=False)  # event ID -> name
    bodies: dict[str, dict[str, Any]] = field(default_factory=dict, repr=False)
    ids: Any = field(default_factory=lambda: count(1))

    def event(self, name: str, by: str, hour: float, step: str, epcs: Sequence[str] = (), **members: Any) -> None:
        """An ObjectEvent, unless `members` say another type; members with value None are left out."""
        at = datetime.fromtimestamp((START + hour * HOUR) / 1000, UTC).isoformat(timespec="milliseconds")
        body = {
            "@context": [CONTEXT],
            "type": "ObjectEvent",
            "eventID": f"urn:uuid:00000000-0000-4000-8000-{next(self.ids):012d}",
            "eventTime": at.replace("+00:00", "Z"),
            "eventTimeZoneOffset": "+00:00",
            "bizStep": step,
            **({"action": "OBSERVE", "epcList": list(epcs)} if "type" not in members else {}),
            **members,
        }
        body = {key: value for key, value in body.items() if value is not None}
        self.names[body["eventID"]], self.bodies[name] = name, body
        self.report(by, body)

    def report(self, by: str, body: dict[str, Any]) -> None:
        capture.accept_events([body], reporter=self.house.parties[by])

    def make(self, name: str, by: str, hour: float, epcs: Sequence[str], **members: Any) -> None:
        self.event(name, by, hour, "commissioning", epcs, action="ADD", **members)

    def pack(self, name: str, by: str, hour: float, parent: str, children: Sequence[str], action: str = "ADD") -> None:
        self.event(
            name, by, hour, "packing" if action == "ADD" else "unpacking", type="AggregationEvent", action=action,
            parentID=parent, childEPCs=list(children) or None,
        )  # fmt: skip

    def ship(self, name: str, by: str, hour: float, epcs: Sequence[str], to: str = "") -> None:
        named = [{"type": "owning_party", "destination": self.gln(to)}] if to else None
        self.event(name, by, hour, "shipping", epcs, destinationList=named)

    def receive(self, name: str, by: str, hour: float, epcs: Sequence[str]) -> None:
        self.event(name, by, hour, "receiving", epcs)

    def void(self, name: str, by: str, of: str) -> None:
        """An error declaration of an event; it has the event's ID, so `sees` gives both the event's name."""
        declared = {"declarationTime": "2026-06-01T00:00:00.000Z", "reason": "did_not_occur"}
        self.report(by, {**self.bodies[of], "errorDeclaration": declared})

    def gln(self, party: str) -> str:
        return f"https://id.gs1.org/417/{self.house.parties[party].identifiers.get(scheme='gln').value}"

    def sees(self, party: str) -> set[str]:
        """The names of the events that a party sees, after all is folded."""
        self.house.settle()
        seen = visible_events(PublishedEvent.objects.filter(declaration_ms=None), self.house.parties[party])
        return {self.names[event_id] for event_id in seen.values_list("event_id", flat=True)}


@pytest.fixture
def chain(house: House) -> Chain:
    return Chain(house)
