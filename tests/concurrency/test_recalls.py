"""Recalls at one moment: second signatures, changes of what is being signed, answers; each is done once."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from tests.concurrency.conftest import at_once
from tests.integration.conftest import GTIN, LOT, House
from tests.integration.portal.conftest import PASSWORD
from tests.integration.recalls.conftest import GIVEN, look, person, published, stocked
from traceability.capture.models import PublishedEvent
from traceability.common import projection
from traceability.common.problems import ProblemError
from traceability.custody import stops
from traceability.parties.models import Member
from traceability.recalls import responses
from traceability.recalls import services as recalls
from traceability.recalls.models import Acknowledgement, Notice, Recall
from traceability.recalls.responses import Answer

__all__ = ["stocked"]


def signing(member: Member, draft: Recall) -> Callable[[], Recall]:
    return partial(recalls.sign, member=member, recall_id=draft.id, definition=draft.definition, password=PASSWORD)


def codes(answers: list[Any]) -> list[str]:
    """The codes of those that were refused; anything else that went wrong fails here."""
    refused = [one for one in answers if isinstance(one, Exception)]
    assert all(isinstance(one, ProblemError) for one in refused), answers
    return sorted(one.code for one in refused)


def published_entries(kind: str) -> int:
    return sum(entry.kind == kind for entry in projection.read_entries(0, 1000))


@pytest.mark.parametrize("turn", range(3))
def test_two_second_signatures_publish_once(house: House, turn: int) -> None:
    first, *others = (person(house, "maker", f"maker-{number}") for number in range(4))
    draft = recalls.draft(member=first, given=GIVEN)
    signing(first, draft)()
    answers = at_once(*(signing(one, draft) for one in others))
    assert codes(answers) == ["recall-state"] * 2
    house.settle()
    found = Recall.objects.get()
    assert found.state == Recall.State.PUBLISHED
    assert found.signatures.count() == recalls.SIGNATURES
    assert published_entries("recall-notice") == 1
    assert list(PublishedEvent.objects.filter(persistent_set="recalled").values_list("event_id", flat=True)) == [
        found.event_id
    ]
    status = stops.lot_status(GTIN, LOT)
    assert status is not None
    assert status.recalled_index is not None


def test_without_the_look_at_its_state_it_would_be_published_again(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Negative control of the test above."""
    people = [person(house, "maker", f"maker-{number}") for number in range(3)]
    draft = recalls.draft(member=people[0], given=GIVEN)
    monkeypatch.setattr(recalls, "_draft_of", lambda _member, name, _text: Recall.objects.get(id=name))
    for one in people:
        signing(one, draft)()
    house.settle()
    assert published_entries("recall-notice") == 2


@pytest.mark.parametrize("turn", range(3))
def test_first_and_second_signature_at_one_moment(house: House, turn: int) -> None:
    """Whichever comes first, the other completes it; and one person twice is one person."""
    one, two = (person(house, "maker", f"maker-{number}") for number in range(2))
    draft = recalls.draft(member=one, given=GIVEN)
    assert codes(at_once(signing(one, draft), signing(one, draft))) == ["recall-signed"]
    assert Recall.objects.get().state == Recall.State.DRAFT
    other = recalls.draft(member=one, given=GIVEN)
    assert codes(at_once(signing(one, other), signing(two, other))) == []
    house.settle()
    assert Recall.objects.get(id=other.id).state == Recall.State.PUBLISHED
    assert published_entries("recall-notice") == 1


@pytest.mark.parametrize("turn", range(3))
def test_a_change_and_the_second_signature_at_one_moment(house: House, turn: int) -> None:
    """Either the signed words are published and the change is refused, or nobody has signed the new words."""
    one, two = (person(house, "maker", f"maker-{number}") for number in range(2))
    draft = recalls.draft(member=one, given=GIVEN)
    signing(one, draft)()
    change = partial(
        recalls.change, member=one, recall_id=draft.id, definition=draft.definition,
        given={**GIVEN, "reason": "Another one."},
    )  # fmt: skip
    refused = codes(at_once(signing(two, draft), change))
    found = Recall.objects.get()
    assert len(refused) == 1, refused
    if found.state == Recall.State.PUBLISHED:
        assert (refused, found.content["reason"]) == (["recall-state"], GIVEN["reason"])
    else:
        assert (refused, found.content["reason"]) == (["recall-changed"], "Another one.")
        assert not found.signatures.filter(definition=found.definition).exists()
    house.settle()
    assert published_entries("recall-notice") == (found.state == Recall.State.PUBLISHED)


@pytest.mark.parametrize("turn", range(3))
def test_answers_at_one_moment(stocked: House, turn: int) -> None:
    """The first counts, and the other is told; who has read the answer may correct it."""
    published(stocked)
    look(stocked)
    notice = Notice.objects.select_related("recall__owner", "party").get(party="pharmacy")
    people = [person(stocked, "pharmacy", f"chemist-{number}", "operator") for number in range(2)]
    calls = [
        partial(
            responses.acknowledge, notice=Notice.objects.select_related("recall__owner", "party").get(id=notice.id),
            actor=one.pseudonym, answer=Answer(1, {"set_aside": 5 - number}, "One was broken."),
        )
        for number, one in enumerate(people)
    ]  # fmt: skip
    assert codes(at_once(*calls)) == ["notice-answered"]
    (row,) = Acknowledgement.objects.all()
    held = Notice.objects.get(id=notice.id)
    assert (held.answered_ms, held.answered_index) == (row.at_ms, row.as_of_index)
    responses.acknowledge(notice=held, actor=people[0].pseudonym, answer=Answer(1, {"set_aside": 5}))
    assert Acknowledgement.objects.count() == 2
