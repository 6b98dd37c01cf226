"""People who recall, and a recall of the founded house's lot."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.integration.conftest import GTIN, LOT, House
from tests.integration.portal.conftest import PASSWORD
from traceability.parties import services as parties
from traceability.parties.models import Member
from traceability.recalls import services as recalls
from traceability.recalls.models import Recall

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
def recall(house: House) -> Callable[..., Recall]:
    """`published` of this house."""
    return lambda party="maker", **more: published(house, party, **more)
