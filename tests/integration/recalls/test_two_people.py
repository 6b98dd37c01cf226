"""A recall counts once two people of one party have signed the same words; until then nothing is recalled."""

import hashlib
import json
from typing import Any

import pytest

from ledger import api as ledger
from tests.integration.conftest import EXPIRY, GTIN, LOT, House, code
from tests.integration.portal.conftest import PASSWORD, act
from traceability.capture.models import PublishedEvent
from traceability.common import projection
from traceability.common.models import Document
from traceability.common.problems import ProblemError
from traceability.custody import stops
from traceability.parties.services import ConfirmationError
from traceability.products import services as products
from traceability.recalls import services as recalls
from traceability.recalls.models import Recall
from traceability.scans import services as scans

from .conftest import GIVEN, person, published


def _sign(member: Any, draft: Recall, **more: Any) -> Recall:
    return recalls.sign(
        member=member, recall_id=draft.id, **{"definition": draft.definition, "password": PASSWORD, **more}
    )


def _is_recalled() -> bool:
    status = stops.lot_status(GTIN, LOT)
    return status is not None and status.recalled_index is not None


def test_the_second_signature_publishes(house: House) -> None:
    one, two = person(house, "maker", "one"), person(house, "maker", "two", "admin")
    draft = recalls.draft(member=one, given=GIVEN)
    assert _sign(one, draft).state == "draft"
    house.settle()
    assert not _is_recalled(), "one signature recalls nothing"
    found = _sign(two, draft)
    assert found.state == "published"
    house.settle()
    assert _is_recalled()
    event = PublishedEvent.objects.get(event_id=found.event_id)
    assert (event.biz_step, event.reporter) == ("holding", "urn:dosetrail:party:maker")
    notices = [one for one in projection.read_entries(0, 500) if one.kind == "recall-notice"]
    assert [one.statement_hash for one in notices] == [found.statement_hash]
    said = json.loads(notices[0].payload)
    assert said["lots"] == [{"gtin": GTIN, "lot": LOT}]
    assert (said["class"], said["drill"], said["event"]) == ("1", False, found.event_id)
    assert [one_["member"] for one_ in said["signatures"]] == [one.pseudonym, two.pseudonym]
    signed = {key: value for key, value in said.items() if key not in {"definition", "signatures", "event", "time"}}
    text = json.dumps(signed, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    assert said["definition"] == found.definition == hashlib.sha256(text.encode()).hexdigest()
    bodies = [json.loads(bytes(row.body)) for row in Document.objects.filter(kind="recall-step")]
    assert {body["actor"] for body in bodies} == {one.pseudonym, two.pseudonym}
    assert {body["definition"] for body in bodies} == {found.definition}


def test_one_person_is_not_two(house: House) -> None:
    one = person(house, "maker", "one")
    draft = recalls.draft(member=one, given=GIVEN)
    _sign(one, draft)
    with pytest.raises(ProblemError, match="recall-signed"):
        _sign(one, draft)
    assert Recall.objects.get().state == "draft"
    assert Document.objects.filter(kind="recall-step").count() == 1, "nothing of the refused one is stored"


def test_people_of_others_and_without_the_role_do_not_count(house: House) -> None:
    draft = recalls.draft(member=person(house, "maker", "one"), given=GIVEN)
    _sign(person(house, "maker", "one"), draft)
    refusals = {
        "not-found": person(house, "regulator", "inspector", "inspector"),
        "role": person(house, "maker", "hand", "operator"),
    }
    for wanted, member in refusals.items():
        with pytest.raises(ProblemError, match=wanted):
            _sign(member, draft)
    with pytest.raises(ProblemError, match="role"):
        _sign(person(house, "pharmacy", "chemist"), draft)
    with pytest.raises(ConfirmationError, match="password-wrong"):
        _sign(person(house, "maker", "two"), draft, password="a-wrong-password")
    assert Recall.objects.get().state == "draft"


def test_changed_content_drops_signatures(house: House) -> None:
    one, two = person(house, "maker", "one"), person(house, "maker", "two")
    draft = recalls.draft(member=one, given=GIVEN)
    _sign(one, draft)
    changed = recalls.change(
        member=two, recall_id=draft.id, definition=draft.definition, given={**GIVEN, "reason": "Leaking pens."}
    )
    with pytest.raises(ProblemError, match="recall-changed"):
        _sign(two, draft)
    assert _sign(two, changed).state == "draft", "the first signature was under other words"
    back = recalls.change(member=two, recall_id=draft.id, definition=changed.definition, given=GIVEN)
    assert back.definition != draft.definition, "the old words again are a new revision"
    assert _sign(two, back).state == "draft"
    assert _sign(one, back).state == "published"
    with pytest.raises(ProblemError, match="recall-state"):
        recalls.change(member=one, recall_id=draft.id, definition=back.definition, given=GIVEN)


def test_only_the_maker_or_a_regulator_recalls(house: House) -> None:
    other = products.save_item(
        id="foreign", manufacturer=house.parties["wholesaler"], gtin="09521000002005", name="Foreign",
        generic_name="x", strength="1", pack_size="1", authorisation="MA-2", profile_id="fridge",
    )  # fmt: skip
    foreign = {**GIVEN, "lots": [f"{other.gtin} A1", f"{GTIN} {LOT}"]}
    with pytest.raises(ProblemError, match="not-your-product"):
        recalls.draft(member=person(house, "maker", "one"), given=foreign)
    assert published(house, "regulator", lots=foreign["lots"]).state == "published"


@pytest.mark.parametrize(
    ("more", "wanted"),
    [
        ({"class": "4"}, "recall-class"),
        ({"lots": []}, "recall-lots"),
        ({"lots": ["09521000001009 L1"]}, "recall-lot"),
        ({"lots": [GTIN]}, "recall-lot"),
        ({"reason": " "}, "recall-reason"),
        ({"instruction": "x" * 1001}, "recall-instruction"),
        ({"deliver_hours": "0"}, "recall-hours"),
        ({"deliver_hours": "48", "answer_hours": "24"}, "recall-hours"),
    ],
)
def test_a_draft_that_says_too_little(house: House, more: dict[str, Any], wanted: str) -> None:
    with pytest.raises(ProblemError) as refused:
        recalls.draft(member=person(house, "maker", "one"), given={**GIVEN, **more})
    assert wanted in {fault["code"] for fault in refused.value.errors}
    assert not Recall.objects.exists()


@pytest.mark.parametrize(
    "spelled", [f"(01){GTIN}(10){LOT}", f"{GTIN[1:]} {LOT}", f"https://id.gs1.org/01/{GTIN}/10/{LOT}"]
)
def test_a_lot_is_read_as_scanned_or_typed(house: House, spelled: str) -> None:
    draft = recalls.draft(member=person(house, "maker", "one"), given={**GIVEN, "lots": [spelled]})
    assert draft.content["lots"] == [{"gtin": GTIN, "lot": LOT}]
    assert draft.content["clocks"] == {"deliveredWithinHours": 24, "answeredWithinHours": 24}


def test_a_recall_stops_movement_and_a_drill_does_not(house: House) -> None:
    act(house, "maker", "commission", [code("1")], lot=LOT, expiry=EXPIRY.isoformat())
    ask = {"party": house.parties["maker"], "step": "ship", "place": house.place("maker"),
           "codes": [code("1")], "details": {"receiver": "pharmacy"}}  # fmt: skip
    drill = published(house, drill=True)
    assert drill.state == "published"
    assert not _is_recalled()
    assert scans.preflight(**ask).verdict == "allow"  # type: ignore[arg-type]
    published(house)
    assert {one.code for one in scans.preflight(**ask).reasons} == {"recalled"}  # type: ignore[arg-type]


def test_a_log_that_cannot_be_written_keeps_the_draft(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Signature, notice and event are one: what fails last takes the first back."""
    one, two = person(house, "maker", "one"), person(house, "maker", "two")
    draft = recalls.draft(member=one, given=GIVEN)
    _sign(one, draft)
    submit = ledger.submit

    def failing(statements: Any) -> Any:
        if any(ledger.parse_statement(one).kind == "recall-notice" for one in statements):
            raise OSError("no disk")
        return submit(statements)

    monkeypatch.setattr(ledger, "submit", failing)
    with pytest.raises(OSError, match="no disk"):
        _sign(two, draft)
    monkeypatch.undo()
    assert Recall.objects.get().state == "draft"
    assert Recall.objects.get().signatures.count() == 1
    house.settle()
    assert not _is_recalled()
    assert _sign(two, draft).state == "published"
