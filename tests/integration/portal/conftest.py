"""People at the founded house, and the portal as they see it."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client

from tests.integration.conftest import EXPIRY, LOT, House, code
from traceability.gs1 import check_digit
from traceability.parties import services as parties
from traceability.parties.models import Member
from traceability.scans import services as scans

PASSWORD = "a-long-demo-password"
SSCC = "09521000000000001" + check_digit.of("09521000000000001")
CASE = f"https://id.gs1.org/00/{SSCC}"


@dataclass
class Portal:
    """One person's browser without script."""

    house: House
    member: Member
    client: Client

    def get(self, path: str, status: int = 200, **query: str) -> str:
        answer = self.client.get(f"/portal/{path}", query)
        assert answer.status_code == status, answer.content.decode()[:3000]
        return answer.content.decode()

    def post(self, path: str, data: dict[str, Any]) -> Any:
        return self.client.post(f"/portal/{path}", data)

    def form(self, codes: list[str], **more: str) -> dict[str, str]:
        return {"codes": "\n".join(codes), "place": self.house.place(self.member.party_id), "nonce": "n1", **more}

    def check(self, step: str, codes: list[str], **more: str) -> tuple[dict[str, str], str]:
        """The form as it stands after a check, ready to be recorded, and the page."""
        form = self.form(codes, **more)
        answer = self.post(f"step/{step}", {**form, "action": "check"})
        page = answer.content.decode()
        assert answer.status_code == 200, page
        found = re.search(r'name="checked" value="([^"]*)"', page)
        return {**form, "checked": found[1] if found else "", "action": "record"}, page

    def record(self, step: str, codes: list[str], **more: str) -> str:
        """Check and record; the page that says what was recorded. More fields may be given for the second step."""
        form, _page = self.check(step, codes, **more)
        answer = self.post(f"step/{step}", form)
        assert answer.status_code == 302, answer.content.decode()
        self.house.settle()
        return str(self.client.get(answer["Location"]).content.decode())


@pytest.fixture
def person(house: House) -> Callable[..., Portal]:
    """A new member of a party, signed in."""

    def enter(party: str, role: str = "operator") -> Portal:
        username = f"{party}-{role}"
        site = house.parties[party].sites.get()
        member = parties.add_member(
            party=house.parties[party], username=username, password=PASSWORD, role=role, site_id=site.id
        )
        client = Client()
        answer = client.post("/portal/sign-in", {"username": username, "password": PASSWORD})
        assert answer.status_code == 302
        return Portal(house, member, client)

    return enter


def act(house: House, party: str, step: str, codes: list[str], **details: str) -> None:
    """A step through the room itself, to prepare goods."""
    scans.record(party=house.parties[party], step=step, codes=codes, place=house.place(party), details=details)
    house.settle()


@pytest.fixture
def stocked(house: House) -> House:
    """Four packs at the pharmacy, two more in a case under way to it."""
    act(house, "maker", "commission", [code(str(n)) for n in range(1, 7)], lot=LOT, expiry=EXPIRY.isoformat())
    act(house, "maker", "ship", [code(str(n)) for n in range(1, 5)], receiver="pharmacy", despatch="DA1")
    act(house, "maker", "pack", [code("5"), code("6")], container=CASE)
    act(house, "maker", "ship", [CASE], receiver="pharmacy", despatch="DA2")
    act(house, "pharmacy", "receive", [code(str(n)) for n in range(1, 5)], despatch="urn:dosetrail:document:DA1")
    return house
