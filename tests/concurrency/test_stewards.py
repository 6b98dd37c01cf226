"""Master data at one moment: two documents with the same things, two stewards at the same proposal."""

from collections.abc import Callable
from functools import partial

import pytest

from tests.concurrency.conftest import at_once
from tests.integration.conftest import GTIN, House
from tests.integration.portal.conftest import Portal, person
from tests.integration.products.test_stewardship import ITEM
from tests.unit.epcis.test_master_data import element, header
from traceability.products import stewardship
from traceability.products.models import MasterDataDecision, MasterDataProposal, TradeItem

__all__ = ["person"]


@pytest.mark.parametrize("turn", range(3))
def test_two_documents_with_the_same_things_propose_each_once(house: House, turn: int) -> None:
    things = [element(f"a:{number}", name="A") for number in range(50)]
    documents = [
        header(("Location", things)),
        header(("Location", things[::-1])),
        header(("ReadPoint", [element("a:other", name=str(turn))]), ("Location", things)),
    ]
    answers = at_once(*(partial(house.post, "maker", "/epcis/capture", one) for one in documents))
    assert {answer.status_code for answer in answers} == {202}, [answer.content for answer in answers]
    assert MasterDataProposal.objects.count() == len(things) + 1


@pytest.mark.parametrize("turn", range(3))
def test_two_stewards_decide_once(house: House, person: Callable[..., Portal], turn: int) -> None:
    house.post("maker", "/epcis/capture", header(("EPCClass", [element(ITEM, regulatedProductName="Pen")])))
    proposal = MasterDataProposal.objects.get()
    stewards = [person("maker", role).member for role in ("admin", "quality")]
    answers = at_once(
        *(partial(stewardship.accept, member=one, proposal_id=proposal.pk) for one in stewards),
        partial(stewardship.reject, member=stewards[0], proposal_id=proposal.pk, reason="no"),
    )
    refused = [one for one in answers if isinstance(one, stewardship.StewardError)]
    assert all(one.code == "decided" for one in refused), answers
    # A rejection may be followed by an acceptance, which is a change of mind; nothing else is decided twice.
    states = list(MasterDataDecision.objects.order_by("id").values_list("state", flat=True))
    assert states in (["accepted"], ["rejected", "accepted"]), answers
    assert TradeItem.objects.get(gtin=GTIN).name == "Pen"


@pytest.mark.parametrize("turn", range(3))
def test_two_words_on_one_thing_are_taken_one_after_the_other(
    house: House, person: Callable[..., Portal], turn: int
) -> None:
    for party, name in (("maker", "Pen"), ("wholesaler", "Ben")):
        house.post(party, "/epcis/capture", header(("EPCClass", [element(ITEM, regulatedProductName=name)])))
    member = person("maker", "admin").member
    calls = [partial(stewardship.accept, member=member, proposal_id=row.pk) for row in MasterDataProposal.objects.all()]
    answers = at_once(*calls)
    assert all(isinstance(one, MasterDataProposal) for one in answers), answers
    first, second = MasterDataDecision.objects.order_by("id")
    assert first.before == {"regulatedProductName": "Glarvia"}
    assert second.before == {"regulatedProductName": first.proposal.attributes["regulatedProductName"]}
    assert TradeItem.objects.get(gtin=GTIN).name == second.proposal.attributes["regulatedProductName"]
