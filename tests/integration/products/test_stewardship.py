"""Header master data of captured documents waits for a steward; nothing is overwritten without a decision."""

import itertools
from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction

from tests.integration.conftest import GTIN, House
from tests.integration.portal.conftest import Portal, person
from tests.unit.epcis.test_master_data import element, header
from traceability.capture import vocabulary
from traceability.capture.models import CaptureJob
from traceability.common import masterdata
from traceability.epcis import master_data
from traceability.parties.models import Member, Site
from traceability.products import accepted, proposals, selectors, stewardship
from traceability.products import services as products
from traceability.products.models import MasterDataDecision, MasterDataProposal, TradeItem, VocabularyElement
from traceability.products.stewardship import StewardError

__all__ = ["person"]

State = MasterDataProposal.State
ITEM = f"https://id.gs1.org/01/{GTIN}"
STRANGE = "https://id.gs1.org/414/9501101020016"  # no row of ours
STRANGE_ITEM = "https://id.gs1.org/01/09501101530003"
Person = Callable[..., Portal]


def send(house: House, party: str, *listed: dict[str, Any], kind: str = "Location", status: int = 202) -> Any:
    """A document of `party` that has master data only."""
    answer = house.post(party, "/epcis/capture", header((kind, list(listed))))
    assert answer.status_code == status, answer.content
    return answer


def only(**fields: Any) -> MasterDataProposal:
    return MasterDataProposal.objects.get(**fields)


def kinds() -> dict[tuple[str, str], str]:
    """The open queue: what each proposal would do, by reporter and thing."""
    rows = proposals.with_kinds(list(MasterDataProposal.objects.filter(state=State.OPEN)))
    return {(row.proposal.reporter.rpartition(":")[2], row.proposal.uri): row.kind for row in rows}


def now_of(uri: str) -> dict[str, Any]:
    return accepted.of([uri])[uri].attributes


def test_what_nobody_said_yet_is_new_and_the_same_again_adds_nothing(house: House) -> None:
    send(house, "maker", element(STRANGE, name="Warehouse"))
    send(house, "maker", element(STRANGE, name="Warehouse"), element("a:b", name="other"))
    assert kinds() == {("maker", STRANGE): "new", ("maker", "a:b"): "new"}
    assert VocabularyElement.objects.count() == 0
    assert only(uri=STRANGE).job == CaptureJob.objects.order_by("created_ms").first().id


def test_what_our_own_rows_say_already_is_known(house: House) -> None:
    send(
        house,
        "wholesaler",
        element(ITEM, regulatedProductName="Glarvia", strengthDescription="100 IU"),
        kind="EPCClass",
    )
    site = Site.objects.get(id="maker-main")
    send(house, "wholesaler", element(site.uri, name=site.name, latitude="31.230400", countryCode="CN"))
    assert not MasterDataProposal.objects.exists()


def test_the_owner_changes_another_conflicts(house: House) -> None:
    send(house, "maker", element(ITEM, regulatedProductName="Glarvia Pen"), kind="EPCClass")
    send(house, "wholesaler", element(ITEM, regulatedProductName="Glarva"), kind="EPCClass")
    send(house, "wholesaler", element(ITEM, dosageFormType="PEN"), kind="EPCClass")
    found = proposals.with_kinds(list(MasterDataProposal.objects.order_by("id")))
    assert [row.kind for row in found] == ["changed", "conflicting", "new"]
    assert TradeItem.objects.get(gtin=GTIN).name == "Glarvia"
    (line,) = found[0].lines
    assert (line.old, line.new, line.differs) == ("Glarvia", "Glarvia Pen", True)


def test_two_reporters_that_disagree_conflict_before_anything_is_accepted(house: House) -> None:
    send(house, "maker", element(STRANGE, name="A"))
    send(house, "wholesaler", element(STRANGE, name="B"))
    assert set(kinds().values()) == {"conflicting"}


def test_accepting_goes_through_the_item_and_logs_its_version(house: House, person: Person) -> None:
    send(house, "maker", element(ITEM, regulatedProductName="Glarvia Pen", dosageFormType="PEN"), kind="EPCClass")
    member = person("maker", "admin").member
    stewardship.accept(member=member, proposal_id=only().pk)
    assert TradeItem.objects.get(gtin=GTIN).name == "Glarvia Pen"
    assert now_of(ITEM)["dosageFormType"] == "PEN"
    house.settle()
    assert masterdata.at("item:glarvia", 10**9)["name"] == "Glarvia Pen"  # type: ignore[index]
    logged = masterdata.at(f"vocabulary:{master_data.value_key(ITEM)}", 10**9)
    assert logged is not None
    assert (logged["uri"], logged["attributes"]) == (ITEM, {"dosageFormType": "PEN"})
    decision = MasterDataDecision.objects.get()
    assert (decision.party, decision.actor, decision.state) == (member.party.uri, member.pseudonym, "accepted")
    assert decision.before == {"regulatedProductName": "Glarvia"}
    assert vocabulary.with_attribute("cbvmda:dosageFormType", ["PEN"]) == {ITEM}


def test_accepting_goes_through_lots_and_sites_too(house: House, person: Person) -> None:
    site = Site.objects.get(id="maker-main")
    send(house, "maker", element(f"{ITEM}/10/L1", itemExpirationDate="2031-02-28"), kind="EPCClass")
    send(house, "maker", element(site.uri, city="Suzhou", latitude="31.3", state="JS"))
    member = person("maker", "quality").member
    for row in MasterDataProposal.objects.all():
        stewardship.accept(member=member, proposal_id=row.pk)
    lot = selectors.lot(GTIN, "L1")
    assert lot is not None
    assert lot.expiry_date.isoformat() == "2031-02-28"
    site.refresh_from_db()
    assert (site.city, site.latitude_e6, site.longitude_e6) == ("Suzhou", 31_300_000, 121_473_700)
    send(house, "maker", element(site.uri, city="Suzhou", latitude="31.3", state="JS"), element("a:b"))
    assert set(kinds()) == set()  # known by now; an element that says nothing proposes nothing


def test_a_part_can_be_taken_and_the_rest_does_not_come_back(house: House, person: Person) -> None:
    stated = element(ITEM, regulatedProductName="Nonsense", dosageFormType="PEN")
    send(house, "wholesaler", stated, kind="EPCClass")
    member = person("maker", "admin").member
    stewardship.accept(member=member, proposal_id=only().pk, names=["dosageFormType"], reason="the name is wrong")
    send(house, "wholesaler", stated, element("a:b", name="x"), kind="EPCClass")
    assert TradeItem.objects.get(gtin=GTIN).name == "Glarvia"
    assert set(kinds()) == {("wholesaler", "a:b")}


def test_what_was_rejected_stays_so_and_can_be_accepted_after_all(house: House, person: Person) -> None:
    send(house, "wholesaler", element(ITEM, regulatedProductName="Glarva"), kind="EPCClass")
    member = person("maker", "admin").member
    with pytest.raises(StewardError) as refused:
        stewardship.reject(member=member, proposal_id=only().pk, reason=" ")
    assert refused.value.code == "reason-missing"
    stewardship.reject(member=member, proposal_id=only().pk, reason="misspelled")
    send(house, "wholesaler", element(ITEM, regulatedProductName="Glarva"), element("a:b", name="x"), kind="EPCClass")
    assert only(uri=ITEM).state == State.REJECTED
    assert not VocabularyElement.objects.filter(uri=ITEM).exists()
    stewardship.accept(member=member, proposal_id=only(uri=ITEM).pk)
    assert TradeItem.objects.get(gtin=GTIN).name == "Glarva"
    assert [one.state for one in MasterDataDecision.objects.order_by("id")] == ["rejected", "accepted"]


def test_an_accepted_word_that_was_overruled_opens_again_when_it_is_said_again(house: House, person: Person) -> None:
    regulator = person("regulator", "inspector").member
    send(house, "maker", element(STRANGE, name="A"))
    stewardship.accept(member=regulator, proposal_id=only().pk)
    send(house, "wholesaler", element(STRANGE, name="B"))
    assert kinds() == {("wholesaler", STRANGE): "conflicting"}
    stewardship.accept(member=regulator, proposal_id=only(state=State.OPEN).pk)
    assert now_of(STRANGE) == {"name": "B"}
    send(house, "maker", element(STRANGE, name="A"), element("a:b", name="x"))
    assert kinds() == {("maker", STRANGE): "conflicting", ("maker", "a:b"): "new"}
    assert now_of(STRANGE) == {"name": "B"}


def test_others_who_say_the_same_are_settled_with_it(house: House, person: Person) -> None:
    for party in ("maker", "wholesaler", "pharmacy"):
        send(house, party, element(STRANGE, name="A"))
    send(house, "other", element(STRANGE, name="A", city="B"))
    stewardship.accept(member=person("regulator", "inspector").member, proposal_id=only(reporter__endswith="maker").pk)
    assert {row.reporter.rpartition(":")[2]: row.state for row in MasterDataProposal.objects.all()} == {
        "maker": "accepted", "wholesaler": "settled", "pharmacy": "settled", "other": "open",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("uri", "party", "role"),
    [
        (ITEM, "wholesaler", "admin"),  # another's product
        (ITEM, "regulator", "inspector"),  # it has an owner
        (ITEM, "maker", "operator"),  # the owner's, and no steward
        (STRANGE, "maker", "admin"),  # nobody's: the regulator's
        ("urn:dosetrail:party:maker", "maker", "admin"),  # a party is the regulator's word
    ],
)
def test_a_decision_is_for_the_right_steward_only(
    house: House, person: Person, uri: str, party: str, role: str
) -> None:
    send(house, "maker", element(uri, name="A", dosageFormType="PEN"))
    member = person(party, role).member
    for decide in (
        lambda: stewardship.accept(member=member, proposal_id=only().pk),
        lambda: stewardship.reject(member=member, proposal_id=only().pk, reason="no"),
    ):
        with pytest.raises(StewardError) as refused:
            decide()
        assert (refused.value.status, refused.value.code) == (403, "not-yours")
    assert only().state == State.OPEN
    assert not VocabularyElement.objects.exists()


def test_the_regulator_decides_on_parties_and_strangers(house: House, person: Person) -> None:
    send(house, "maker", element("urn:dosetrail:party:maker", name="Maker AG"), element(STRANGE, name="A"))
    member = person("regulator", "inspector").member
    assert proposals.open_count(member) == 2
    for row in MasterDataProposal.objects.all():
        stewardship.accept(member=member, proposal_id=row.pk)
    house.parties["maker"].refresh_from_db()
    assert house.parties["maker"].name == "Maker AG"


def test_what_does_not_fit_our_row_is_refused_in_words_and_changes_nothing(house: House, person: Person) -> None:
    site = Site.objects.get(id="maker-main")
    send(house, "maker", element(site.uri, latitude="north", state="SH"))
    with pytest.raises(StewardError) as refused:
        stewardship.accept(member=person("maker", "admin").member, proposal_id=only().pk)
    assert refused.value.code == "does-not-fit"
    assert "north" in refused.value.detail
    assert not VocabularyElement.objects.exists()
    assert only().state == State.OPEN


def test_a_decision_made_on_an_older_view_is_refused(house: House, person: Person) -> None:
    send(house, "maker", element(ITEM, regulatedProductName="Glarvia Pen"), kind="EPCClass")
    seen = accepted.of([ITEM])[ITEM].digest
    item = TradeItem.objects.get(gtin=GTIN)
    columns = ("id", "generic_name", "strength", "pack_size", "authorisation", "gtin")
    kept = {name: getattr(item, name) for name in columns}
    products.save_item(**kept, manufacturer=item.manufacturer, profile_id=item.profile_id, name="Glarvia 2")
    with pytest.raises(StewardError) as refused:
        stewardship.accept(member=person("maker", "admin").member, proposal_id=only().pk, seen=seen)
    assert refused.value.code == "changed-meanwhile"
    assert TradeItem.objects.get(gtin=GTIN).name == "Glarvia 2"
    # Without the mark of what was seen it would have overwritten what nobody looked at.
    stewardship.accept(member=Member.objects.get(), proposal_id=only().pk)
    assert TradeItem.objects.get(gtin=GTIN).name == "Glarvia Pen"


def test_a_partners_new_things_are_accepted_at_once_and_contradictions_wait(house: House, person: Person) -> None:
    member = person("regulator", "inspector").member
    send(house, "maker", *(element(f"a:{n}", name=str(n)) for n in range(5)))
    send(house, "wholesaler", element("a:0", name="zero"), element("a:9", name="9"))
    assert stewardship.accept_new(member=member, reporter=house.parties["maker"].uri) == 4
    assert kinds() == {
        ("maker", "a:0"): "conflicting",
        ("wholesaler", "a:0"): "conflicting",
        ("wholesaler", "a:9"): "new",
    }


def test_an_accepted_product_or_place_leaves_the_list_of_unknown_codes(house: House, person: Person) -> None:
    products.note_unknown(
        [("gtin", STRANGE_ITEM[-14:]), ("gln", STRANGE[-13:])],
        event_id="urn:uuid:x",
        reporter="urn:dosetrail:party:maker",
    )
    send(house, "maker", element(STRANGE, name="A"), element(f"{STRANGE_ITEM}/10/L", lotNumber="L"))
    member = person("regulator", "inspector").member
    for row in MasterDataProposal.objects.all():
        stewardship.accept(member=member, proposal_id=row.pk)
    assert [row.scheme for row in selectors.open_unknowns()] == ["gtin"]  # a lot alone says nothing of the product
    send(house, "maker", element(STRANGE_ITEM, regulatedProductName="B"), kind="EPCClass")
    stewardship.accept(member=member, proposal_id=only(state=State.OPEN).pk)
    assert not selectors.open_unknowns().exists()


def test_hierarchy_is_what_was_accepted(house: House, person: Person) -> None:
    dock = f"{STRANGE}/254/dock"
    send(house, "maker", element("a:region", children=(STRANGE,)), element(dock, name="Dock"))
    assert vocabulary.descendants(["a:region"]) == {"a:region"}
    member: Member = person("regulator", "inspector").member
    for row in MasterDataProposal.objects.all():
        stewardship.accept(member=member, proposal_id=row.pk)
    assert vocabulary.descendants(["a:region"]) == {"a:region", STRANGE, dock}


def test_a_refused_document_leaves_no_proposal(house: House) -> None:
    document = header(("Location", [element(STRANGE, name="A")]))
    document["epcisBody"]["eventList"] = [{"type": "ObjectEvent"}]
    assert house.post("maker", "/epcis/capture", document).status_code == 400
    assert not MasterDataProposal.objects.exists()


def test_the_same_documents_in_any_order_leave_the_same_open_proposals(house: House, person: Person) -> None:
    """After decisions too: one accepted and overruled since, one rejected, one known."""
    member = person("regulator", "inspector").member
    for party, name in (("maker", "A"), ("maker", "B")):
        send(house, party, element("a:place", name=name))
        stewardship.accept(member=member, proposal_id=only(state=State.OPEN).pk)
    send(house, "wholesaler", element("a:place", name="C"))
    stewardship.reject(member=member, proposal_id=only(state=State.OPEN).pk, reason="no")
    documents = [
        ("maker", element("a:place", name="A")),  # overruled by B: opens again
        ("maker", element("a:place", name="B")),  # known
        ("wholesaler", element("a:place", name="C")),  # rejected
        ("wholesaler", element(STRANGE, name="D")),
        ("maker", element(STRANGE, name="E"), element("a:place", city="F")),
    ]
    found = []
    for order in itertools.permutations(documents):
        with transaction.atomic():
            for number, (party, *listed) in enumerate([*order, *reversed(order)]):
                elements = master_data.elements(header(("Location", listed)))
                stewardship.note(elements, reporter=house.parties[party].uri, job=str(number))
            found.append(set(MasterDataProposal.objects.filter(state=State.OPEN).values_list("reporter", "digest")))
            transaction.set_rollback(True)
    assert len(found[0]) == 4
    assert all(one == found[0] for one in found)
