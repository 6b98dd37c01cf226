"""The watched house, with people of each party and an incident between two pharmacies."""

from dataclasses import dataclass

import pytest

from tests.integration.conftest import House, pack
from tests.integration.contracts.conftest import DAY, START, Watched, watched
from traceability.alerts.models import Alert
from traceability.parties import services as parties
from traceability.parties.models import Member

PASSWORD = "a-long-pass-9"
SOLD_TWICE = pack("A1")

__all__ = ["watched"]


@dataclass
class Desk:
    """People and the one alert: a pack dispensed by `pharmacy` and by `other`."""

    watched: Watched
    people: dict[str, Member]

    @property
    def house(self) -> House:
        return self.watched.house

    @property
    def alert(self) -> Alert:
        return Alert.objects.get()

    def sell(self, party: str, after_days: int) -> dict[str, object]:
        event = self.watched.event(party, START + after_days * DAY, step="dispensing", epcs=[SOLD_TWICE])
        self.watched.report(party, event)
        return event


@pytest.fixture
def desk(watched: Watched) -> Desk:
    people = {
        name: parties.add_member(party=party, username=name, password=PASSWORD, role="quality")
        for name, party in watched.house.parties.items()
    }
    watched.report("maker", watched.commission("maker", START, [SOLD_TWICE]))
    made = Desk(watched, people)
    made.sell("pharmacy", 1)
    return made
