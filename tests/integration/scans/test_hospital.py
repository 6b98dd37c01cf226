"""A hospital's speed: a delivery received and supplied by one scan; opened packs given from, unit by unit."""

from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client

from tests.integration.conftest import EXPIRY, GTIN, LOT, House, code, pack
from tests.integration.scans.test_profile import ask
from tests.integration.scans.test_record import CASE, PASSWORD, act
from traceability.capture.models import PublishedEvent
from traceability.common.problems import ProblemError
from traceability.custody import lot_packs
from traceability.custody import selectors as custody
from traceability.custody.models import Containment, ItemState
from traceability.parties import services as parties
from traceability.parties.models import Member
from traceability.scans import services as scans

PALLET = "https://id.gs1.org/00/395210000001002067"
PACKS = [str(number) for number in range(1, 7)]
_SITE = {"latitude_e6": 31_000_000, "longitude_e6": 121_000_000, "time_zone": "Asia/Shanghai", "city": "Shanghai"}


@pytest.fixture
def hospital(house: House) -> House:
    """Six packs in two cases on a pallet, on their way to a hospital with a store and a ward."""
    house.parties["hospital"] = parties.create_party(id="hospital", name="Hospital", roles=["hospital"])
    for name, gln in (("store", "9521000970007"), ("ward", "9521000970014")):
        parties.save_site(id=name, party=house.parties["hospital"], name=name, gln=gln, country="CN", **_SITE)
    house.settle()
    second = CASE.replace("1001060", "1001077")
    act(house, "maker", "commission", [code(one) for one in PACKS], details={"lot": LOT, "expiry": EXPIRY.isoformat()})
    for case, packs in ((CASE, PACKS[:3]), (second, PACKS[3:])):
        act(house, "maker", "pack", [code(one) for one in packs], details={"container": case})
    act(house, "maker", "pack", [CASE, second], details={"container": PALLET})
    act(house, "maker", "ship", [PALLET], details={"receiver": "hospital", "despatch": "DA7"})
    return house


def site(house: House, name: str) -> str:
    return str(house.parties["hospital"].sites.get(id=name).uri)


def at(house: House, step: str, codes: list[str], place: str, **details: str) -> list[str]:
    """Record a step of the hospital's at one of its places; the steps of the events that it became."""
    done = scans.record(
        party=house.parties["hospital"], step=step, codes=codes, place=site(house, place), details=details
    )
    house.settle()
    rows = PublishedEvent.objects.filter(event_id__in=done.event_ids).order_by("event_time_ms", "event_id")
    return [row.biz_step for row in rows]


def test_one_scan_receives_and_supplies_a_whole_delivery(hospital: House) -> None:
    before = set(ItemState.objects.filter(gtin=GTIN).values_list("epc", "last_index"))
    stays = Containment.objects.count()
    assert at(hospital, "receive_and_supply", [PALLET], "store", despatch="DA7") == ["receiving", "dispensing"]
    assert set(ItemState.objects.filter(gtin=GTIN).values_list("epc", "last_index")) == before  # no row per pack
    assert Containment.objects.count() == stays
    for one in PACKS:
        located = custody.state(pack(one))
        assert located is not None
        assert (located.status, located.place) == ("dispensed", site(hospital, "store"))
    assert lot_packs.lot_balance(GTIN, LOT).dispensed == 6
    shipment = custody.shipment("urn:dosetrail:document:DA7")
    assert shipment is not None
    assert shipment.status == "received"
    assert "is-dispensed" in ask(hospital, "dispense", [code("1")], "hospital", site(hospital, "store"))
    assert 'data-outcome="sold"' in Client().get(f"/01/{GTIN}/21/1").content.decode()


def test_a_supply_of_a_delivery_can_be_undone(hospital: House) -> None:
    at(hospital, "receive_and_supply", [PALLET], "store")
    at(hospital, "undo", [PALLET], "store", reason="wrong hospital")
    located = custody.state(pack("1"))
    assert located is not None
    assert (located.status, located.place) == ("active", site(hospital, "store"))


def test_a_delivery_goes_to_the_ward_that_opens_its_packs(hospital: House) -> None:
    with pytest.raises(ProblemError) as refused:
        at(hospital, "receive_to_ward", [PALLET], "store", ward=hospital.place("pharmacy"))
    assert (refused.value.status, refused.value.code) == (400, "ward")
    assert at(hospital, "receive_to_ward", [PALLET], "store", ward="ward") == ["receiving", "stocking"]
    located = custody.state(pack("1"))
    assert located is not None
    assert (located.status, located.place, located.party) == (
        "active",
        site(hospital, "ward"),
        hospital.parties["hospital"].uri,
    )
    at(hospital, "unpack", [PALLET], "ward")
    at(hospital, "unpack", [CASE], "ward")
    at(hospital, "dispense_part", [code("1")], "ward", quantity_left="4")


def test_what_is_stopped_is_not_supplied_with_the_rest(hospital: House) -> None:
    recalled = {
        "type": "ObjectEvent", "action": "OBSERVE", "eventTime": "2026-02-01T00:00:00.000Z",
        "eventTimeZoneOffset": "+00:00", "bizStep": "holding", "persistentDisposition": {"set": ["recalled"]},
        "quantityList": [{"epcClass": f"https://id.gs1.org/01/{GTIN}/10/{LOT}"}],
    }  # fmt: skip
    store = site(hospital, "store")
    assert ask(hospital, "receive_and_supply", [PALLET], "hospital", store) == set()
    hospital.capture("maker", recalled)
    hospital.settle()
    assert ask(hospital, "receive_and_supply", [PALLET], "hospital", store) == {"inside-recalled"}
    assert ask(hospital, "receive", [PALLET], "hospital", store) == set()  # it may arrive, to be set aside
    unknown = "https://id.gs1.org/00/395210000001009998"
    assert ask(hospital, "receive_to_ward", [unknown], "hospital", store, ward="ward") == {"unknown"}


@pytest.fixture
def nurse(hospital: House) -> Client:
    """Signed in, of a ward with two opened packs."""
    party = hospital.parties["hospital"]
    member = parties.add_member(party=party, username="nurse", password=PASSWORD, role=Member.Role.OPERATOR)
    Member.objects.filter(pk=member.pk).update(site=party.sites.get(id="ward"))
    client = Client()
    assert client.login(username="nurse", password=PASSWORD)
    assert "No opened pack is recorded" in client.get("/portal/open-packs").content.decode()
    at(hospital, "receive_to_ward", [PALLET], "store", ward="ward")
    at(hospital, "unpack", [PALLET], "ward")
    at(hospital, "unpack", [CASE], "ward")
    at(hospital, "dispense_part", [code("1")], "ward", quantity_left="4")
    at(hospital, "dispense_part", [code("2")], "ward", quantity_left="5")
    return client


def test_a_nurse_gives_from_an_open_pack(hospital: House, nurse: Client) -> None:
    page = nurse.get("/portal/open-packs").content.decode()
    assert page.index("(21)1") < page.index("(21)2")  # open for longest first
    assert "(21)3" not in page
    for given in ("0", "5", "-1", "x", "", "1.5", "٣"):
        refused = nurse.get("/portal/open-packs", {"pack": pack("1"), "given": given})
        assert (refused.status_code, "no more than is left" in refused.content.decode()) == (200, True), given
    there = nurse.get("/portal/open-packs", {"pack": pack("1"), "given": "3"})
    assert there.status_code == 302
    query = {name: values[0] for name, values in parse_qs(urlsplit(there["Location"]).query).items()}
    assert query == {"code": pack("1"), "place": site(hospital, "ward"), "quantity_left": "1"}
    form = nurse.get(there["Location"]).content.decode()
    assert pack("1") in form
    assert 'name="quantity_left" type="text" inputmode="numeric" value="1"' in form
    at(hospital, "dispense_part", [query["code"]], "ward", quantity_left="1")
    last = nurse.get("/portal/open-packs", {"pack": pack("1"), "given": "1"})
    assert urlsplit(last["Location"]).path == "/portal/step/dispense"
    at(hospital, "dispense", [pack("1")], "ward")
    assert "(21)1<" not in nurse.get("/portal/open-packs").content.decode()


def test_the_pool_is_of_one_place_and_one_party(hospital: House, nurse: Client) -> None:
    assert "No opened pack" in nurse.get("/portal/open-packs", {"place": site(hospital, "store")}).content.decode()
    parties.add_member(
        party=hospital.parties["pharmacy"], username="clerk", password=PASSWORD, role=Member.Role.OPERATOR
    )
    stranger = Client()
    assert stranger.login(username="clerk", password=PASSWORD)
    page = stranger.get("/portal/open-packs", {"place": site(hospital, "ward")}).content.decode()
    assert "No opened pack" in page


def test_nothing_is_given_from_a_pack_that_is_stopped(hospital: House, nurse: Client) -> None:
    at(hospital, "hold", [code("1")], "ward", reason="label torn")
    page = nurse.get("/portal/open-packs").content.decode()
    assert "On hold" in page
    assert page.count('name="given"') == 1


def test_exported_goods_are_gone_from_here(house: House) -> None:
    act(house, "maker", "commission", [code("1"), code("2")], details={"lot": LOT, "expiry": EXPIRY.isoformat()})
    for country in ("nl", "NLD", "N", "1A"):
        with pytest.raises(ProblemError) as refused:
            act(house, "maker", "export", [code("1")], details={"country": country})
        assert refused.value.code == "country"
    act(house, "maker", "export", [code("1")], details={"country": "NL"})
    balance = lot_packs.lot_balance(GTIN, LOT)
    assert (balance.commissioned, balance.exported, balance.held) == (2, 1, 1)
    assert "is-exported" in ask(house, "dispense", [code("1")])
    assert "is-exported" in ask(house, "receive", [code("1")])
    act(house, "pharmacy", "receive", [code("1")], override_reason="parallel import came back")
    back = custody.state(pack("1"))
    assert back is not None
    assert back.status == "active"


def test_what_was_stolen_and_found_waits_for_quality(house: House) -> None:
    act(house, "maker", "commission", [code("1")], details={"lot": LOT, "expiry": EXPIRY.isoformat()})
    assert ask(house, "found", [code("1")], "maker", reason="x") == {"is-active"}
    act(house, "maker", "stolen", [code("1")], details={"reason": "van broken into"})
    assert lot_packs.lot_balance(GTIN, LOT).unknown == 1
    act(house, "maker", "found", [code("1")], details={"reason": "police returned it"})
    assert lot_packs.lot_balance(GTIN, LOT).held == 1
    assert ask(house, "ship", [code("1")], "maker", receiver="pharmacy") == {"held"}
    act(house, "maker", "release_hold", [code("1")], details={"reason": "seal unbroken"})
    assert ask(house, "ship", [code("1")], "maker", receiver="pharmacy") == set()


def test_every_role_can_record_a_sample(house: House) -> None:
    act(house, "maker", "commission", [code("1")], details={"lot": LOT, "expiry": EXPIRY.isoformat()})
    act(house, "maker", "ship", [code("1")], details={"receiver": "pharmacy"})
    act(house, "pharmacy", "receive", [code("1")])
    act(house, "pharmacy", "sample", [code("1")], details={"reason": "taken by the authority"})
    assert lot_packs.lot_balance(GTIN, LOT).destroyed == 1
