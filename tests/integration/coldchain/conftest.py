"""A small house: a log, two makers and a regulator with their keys, a place; storage in a folder of the test's own."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ledger import api as ledger
from traceability.capture import services as capture
from traceability.common import projection
from traceability.parties import services as parties
from traceability.parties.models import Party, Site

SSCC = "https://id.gs1.org/00/095211012345678905"
CASE = "https://id.gs1.org/00/095211012345678912"
PACK = "https://id.gs1.org/01/09521101530001/21/A1"
CONTEXT = "https://ref.gs1.org/standards/epcis/epcis-context.jsonld"
FOLDS = [
    "traceability.common.masterdata.MASTER_DATA",
    "traceability.capture.projection.EVENT_INDEX",
    "traceability.custody.projection.CUSTODY",
    "traceability.coldchain.projection.COLD_CHAIN",
]


def ms(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def csv(*rows: tuple[str, str]) -> bytes:
    """A plain CSV file of (UTC time, temperature)."""
    return ("timestamp,temperature_c\n" + "".join(f"{at}:00Z,{value}\n" for at, value in rows)).encode()


def event(kind: str, at: str, *, step: str, **members: Any) -> dict[str, Any]:
    """An EPCIS event at a UTC minute."""
    return {
        "@context": [CONTEXT],
        "type": kind,
        "eventTime": f"{at}:00.000Z",
        "eventTimeZoneOffset": "+00:00",
        "bizStep": step,
        **members,
    }


@dataclass(frozen=True)
class House:
    """The parties and the place, and what the tests do with them."""

    maker: Party
    other: Party
    regulator: Party
    site: Site
    publish: Callable[[], None]

    def report(self, *events: dict[str, Any], by: Party | None = None) -> list[Any]:
        """Capture events and have them published and folded."""
        accepted = capture.accept_events(list(events), reporter=by or self.maker)
        self.publish()
        return accepted


def publish() -> None:
    while ledger.backlog():
        ledger.sequence_once()
    projection.advance_all()


@pytest.fixture
def house(transactional_db: None, settings: Any, tmp_path: Path) -> House:
    settings.DOSETRAIL_PROJECTIONS = FOLDS
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {"BACKEND": "traceability.common.storage.LastingStorage", "OPTIONS": {"location": tmp_path}},
    }
    ledger.initialise(operator_name="Test operator")
    made = {}
    for slug, role in (("maker", "manufacturer"), ("other", "manufacturer"), ("inspector", "regulator")):
        made[slug] = parties.create_party(id=slug, name=slug.title(), roles=[role])
    site = parties.save_site(
        id="plant",
        party=made["maker"],
        name="Plant",
        gln="9521101530001",
        latitude_e6=31_230_400,
        longitude_e6=121_473_700,
        time_zone="Asia/Shanghai",
        city="Shanghai",
        country="CN",
    )
    publish()
    return House(made["maker"], made["other"], made["inspector"], site, publish)
