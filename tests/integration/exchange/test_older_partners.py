"""Partners whose software knows EPCIS 1.2 only: what they send counts, and what they get they can read."""

import io
from typing import Any

import pytest

from tests.integration.conftest import House, code, pack
from tests.unit.epcis import xml_samples
from traceability.contracts.gather.reference import Reference
from traceability.custody import selectors as custody
from traceability.epcis.xml import reader
from traceability.exchange import channels, outgoing
from traceability.exchange.channels import Plan
from traceability.exchange.models import Delivery
from traceability.gs1.epc import canonical
from traceability.parties import selectors as parties
from traceability.parties import services

PREFIX = "9521000"  # of the keys of the house's parties and products


def sgln(house: House, party: str) -> str:
    """How software of 1.2 names a party: its GLN as the place that it is not."""
    gln = house.parties[party].identifiers.get(scheme="gln").value
    return f"urn:epc:id:sgln:{PREFIX}.{gln[7:12]}.0"


def despatched(house: House) -> bytes:
    """A shipment from the maker to the wholesaler, as a pharmaceutical company's system writes it today."""
    owner = "urn:epcglobal:cbv:sdt:owning_party"
    event = f"""<ObjectEvent><eventTime>2026-03-01T12:00:00Z</eventTime>
      <eventTimeZoneOffset>+08:00</eventTimeZoneOffset><epcList><epc>urn:epc:id:sgtin:{PREFIX}.000100.900</epc></epcList>
      <action>OBSERVE</action><bizStep>urn:epcglobal:cbv:bizstep:shipping</bizStep>
      <disposition>urn:epcglobal:cbv:disp:in_transit</disposition>
      <readPoint><id>{house.place("maker")}</id></readPoint>
      <bizTransactionList><bizTransaction type="urn:epcglobal:cbv:btt:desadv">urn:x:da:1</bizTransaction>
      </bizTransactionList><extension>
      <sourceList><source type="{owner}">{sgln(house, "maker")}</source></sourceList>
      <destinationList><destination type="{owner}">{sgln(house, "wholesaler")}</destination></destinationList>
      </extension></ObjectEvent>"""
    return xml_samples.document(event, version="1.2")


def test_a_shipment_to_a_party_by_its_sgln_is_a_shipment_to_it(house: House) -> None:
    answer = house.client("maker").post("/epcis/capture", despatched(house), content_type="application/xml")
    assert answer.status_code == 202, answer.content
    house.settle()
    for name, number in (("wholesaler", 1), ("maker", 1), ("pharmacy", 0)):
        assert len(custody.shipments_of(parties.uris_of(house.parties[name]))) == number, name
    asked = {"step": "receive", "codes": [code("900")], "details": {"despatch": "urn:x:da:1"}}
    for name, verdict in (("wholesaler", "allow"), ("pharmacy", "warn")):
        found = house.post(name, "/api/v1/preflight", {**asked, "place": house.place(name)}).json()
        assert found["verdict"] == verdict, found


@pytest.mark.parametrize("known", [True, False])
def test_what_the_house_recorded_itself_goes_out_in_urns(house: House, known: bool) -> None:
    """Scans are recorded as Digital Links, which 1.2 has not; where the company prefix ends only its owner can say."""
    if known:
        services.add_company_prefix(party=house.parties["maker"], value=PREFIX)
    plan = Plan(house.parties["wholesaler"], "download", "xml-1.2")
    channels.create(house.parties["maker"], plan)
    scan: dict[str, Any] = {"step": "ship", "codes": [code("900")], "place": house.place("maker")}
    scan |= {"details": {"receiver": "wholesaler", "despatch": "DA-7"}, "override_reason": "stock of before"}
    assert house.post("maker", "/api/v1/scans", scan).status_code == 201
    house.settle()
    outgoing.drain()
    body = bytes(Delivery.objects.get().body)
    (event,) = reader.open_document(io.BytesIO(body)).events()
    assert (event["epcList"] == [f"urn:epc:id:sgtin:{PREFIX}.000100.900"]) is known
    assert (event["epcList"] == [pack("900")]) is not known
    text = body.decode()
    assert ("https://id.gs1.org/" in text) is not known
    for name in (f"urn:epc:idpat:sgtin:{PREFIX}.000100.*", f"urn:epc:id:pgln:{PREFIX}.90002"):
        assert (f'<VocabularyElement id="{name}">' in text) is known
    assert '<sbdh:Identifier Authority="GS1">9521000900011</sbdh:Identifier>' in text
    answer = house.client("wholesaler").get("/epcis/events", headers={"GS1-EPC-Format": "Always_EPC_URN"})
    (found,) = answer.json()["epcisBody"]["queryResults"]["resultsBody"]["eventList"]
    assert (found["epcList"] == event["epcList"]) is True


def test_the_rules_know_a_party_by_its_sgln(house: House) -> None:
    uri = canonical(sgln(house, "maker"))
    assert uri.startswith("https://id.gs1.org/414/")
    assert Reference({f"party:{uri}"}).roles(uri, 10**9) == {"manufacturer"}
