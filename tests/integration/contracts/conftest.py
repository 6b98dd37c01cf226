"""The founded house with the default contracts in force, and events as short as they can be written."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from itertools import count
from typing import Any

import pytest

from tests.integration.conftest import EXPIRY, GTIN, LOT, House
from traceability.capture import services as capture
from traceability.contracts import services
from traceability.contracts.models import Finding
from traceability.gs1 import check_digit


def _sscc(number: int) -> str:
    body = f"0952100000{number:07d}"
    return body + check_digit.of(body)


CONTEXT = "https://ref.gs1.org/standards/epcis/epcis-context.jsonld"
PALLET = f"https://id.gs1.org/00/{_sscc(1)}"
CASES = [f"https://id.gs1.org/00/{_sscc(number)}" for number in (2, 3)]
LOT_CLASS = f"https://id.gs1.org/01/{GTIN}/10/{LOT}"
MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
START = int(datetime(2026, 3, 1, 0, 0, tzinfo=UTC).timestamp() * 1000)


@dataclass
class Watched:
    """The house under contracts: write events, capture them, ask what was found."""

    house: House
    ids: Any

    def event(
        self, party: str, at_ms: int, *, step: str, epcs: Sequence[str] = (), kind: str = "ObjectEvent", **members: Any
    ) -> dict[str, Any]:
        local = datetime.fromtimestamp(at_ms / 1000, timezone(timedelta(hours=8)))
        body = {
            "@context": [CONTEXT],
            "type": kind,
            "eventID": f"urn:uuid:00000000-0000-4000-8000-{next(self.ids):012d}",
            "eventTime": local.isoformat(timespec="milliseconds"),
            "eventTimeZoneOffset": "+08:00",
            "bizStep": step,
            "readPoint": {"id": self.house.place(party)},
            "bizLocation": {"id": self.house.place(party)},
            **members,
        }
        if kind == "ObjectEvent":
            body = {"action": "OBSERVE", "epcList": list(epcs), **body}
        return body

    def commission(self, party: str, at_ms: int, epcs: Sequence[str], **members: Any) -> dict[str, Any]:
        ilmd = {"cbvmda:lotNumber": LOT, "cbvmda:itemExpirationDate": EXPIRY.isoformat()}
        return self.event(party, at_ms, step="commissioning", epcs=epcs, action="ADD", **{"ilmd": ilmd, **members})

    def pack(self, party: str, at_ms: int, parent: str, children: Sequence[str], action: str = "ADD") -> dict[str, Any]:
        return self.event(
            party, at_ms, step="packing" if action == "ADD" else "unpacking", kind="AggregationEvent", action=action,
            parentID=parent, childEPCs=list(children),
        )  # fmt: skip

    def travel(self, party: str, at_ms: int, step: str, epcs: Sequence[str], despatch: str, to: str) -> dict[str, Any]:
        gln = self.house.parties[to].identifiers.get(scheme="gln").value
        return self.event(
            party, at_ms, step=step, epcs=epcs, bizTransactionList=[{"type": "desadv", "bizTransaction": despatch}],
            destinationList=[{"type": "owning_party", "destination": f"https://id.gs1.org/417/{gln}"}],
        )  # fmt: skip

    def recall(self, party: str, at_ms: int) -> dict[str, Any]:
        return self.event(
            party, at_ms, step="holding", quantityList=[{"epcClass": LOT_CLASS}],
            persistentDisposition={"set": ["recalled"]},
        )  # fmt: skip

    def sensor(self, party: str, holder: str, readings: Sequence[tuple[int, float]]) -> dict[str, Any]:
        reports = [{"type": "Temperature", "uom": "CEL", "value": value, "time": _iso(ms)} for ms, value in readings]
        element = {"sensorMetadata": {"deviceID": "urn:dosetrail:device:x:1"}, "sensorReport": reports}
        at_ms = readings[-1][0] + MINUTE
        return self.event(party, at_ms, step="sensor_reporting", epcs=[holder], sensorElementList=[element])

    def report(self, party: str, *events: dict[str, Any]) -> None:
        capture.accept_events(list(events), reporter=self.house.parties[party])
        self.house.settle()

    def void(self, party: str, event: dict[str, Any], **declaration: Any) -> None:
        declared = {"declarationTime": "2026-06-01T00:00:00.000Z", "reason": "did_not_occur", **declaration}
        self.report(party, {**event, "errorDeclaration": declared})

    def found(self) -> list[tuple[str, str, str]]:
        """(rule, code, subject) of every open finding."""
        rows = Finding.objects.filter(retracted_index=None).order_by("rule", "subject", "key")
        return list(rows.values_list("rule", "code", "subject"))


def _iso(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@pytest.fixture
def watched(house: House) -> Watched:
    services.deploy_defaults()
    house.settle()
    return Watched(house, count(1))
