"""People who recall, and a recall of the founded house's lot."""

from itertools import count
from typing import Any

import pytest

from tests.integration.conftest import EXPIRY, GTIN, LOT, House, pack
from tests.integration.portal.conftest import CASE, PASSWORD
from tests.integration.visibility.conftest import Chain
from traceability.parties import services as parties
from traceability.parties.models import Member
from traceability.recalls import reach, responses
from traceability.recalls import services as recalls
from traceability.recalls.models import Notice, Recall

GIVEN: dict[str, Any] = {
    "class": "1",
    "drill": False,
    "lots": [f"{GTIN} {LOT}"],
    "reason": "Particles were found in a retained sample.",
    "instruction": "Set the packs aside and answer this notice.",
}


def person(house: House, party: str, name: str, role: str = "quality") -> Member:
    """A member of a party."""
    known = Member.objects.filter(user__username=name).first()
    return known or parties.add_member(party=house.parties[party], username=name, password=PASSWORD, role=role)


def published(house: House, party: str = "maker", **more: Any) -> Recall:
    """A recall that two people of a party have signed; settled."""
    first, second = person(house, party, f"{party}-one"), person(house, party, f"{party}-two")
    draft = recalls.draft(member=first, given={**GIVEN, **more})
    for member in (first, second):
        found = recalls.sign(member=member, recall_id=draft.id, definition=draft.definition, password=PASSWORD)
    house.settle()
    return found


@pytest.fixture
def stocked(house: House) -> House:
    """Four packs at the pharmacy, one of them sold; two in a case on their way to it; two still with the maker."""
    chain = Chain(house)
    packs = [pack(str(n)) for n in range(1, 9)]
    ilmd = {"cbvmda:lotNumber": LOT, "cbvmda:itemExpirationDate": EXPIRY.isoformat()}
    chain.make("made", "maker", 0, packs, ilmd=ilmd, bizLocation={"id": house.place("maker")})
    chain.ship("sent", "maker", 1, packs[:4], to="pharmacy")
    chain.pack("packed", "maker", 2, CASE, packs[4:6])
    chain.ship("sent too", "maker", 3, [CASE], to="pharmacy")
    there = {"id": house.place("pharmacy")}
    chain.event("got", "pharmacy", 4, "receiving", packs[:4], bizLocation=there)
    chain.event("sold", "pharmacy", 5, "dispensing", packs[3:4], bizLocation=there)
    house.settle()
    return house


def later(house: House) -> Chain:
    """More events, whose IDs are none of those before."""
    return Chain(house, ids=count(1000))


def told() -> dict[str, tuple[int, int]]:
    """Party -> (packs, supplied) of the newest notice."""
    return {
        one.holder.rpartition(":")[2]: (one.packs, one.supplied) for one in Notice.objects.order_by("created_ms", "id")
    }


def listed(notice: Notice) -> set[str]:
    return {one.epc for one in responses.packs_of(notice).each}


def look(house: House) -> int:
    """The next look, as if the rest between two were over."""
    house.settle()
    Recall.objects.update(due_ms=0)
    return reach.run()
