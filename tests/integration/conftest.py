"""A small founded house for integration tests: regulator, maker, distributor, pharmacy, one product, one lot."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest
from django.test import Client

from ledger import api as ledger
from traceability.common import clock, projection
from traceability.parties import services as parties
from traceability.parties.models import Party
from traceability.products import services as products
from traceability.simulation import events as written

GTIN = "09521000001008"
LOT = "L1"
EXPIRY = date(2030, 1, 31)


@dataclass
class House:
    """The founded parties with a token each, and shorthand for posting and settling."""

    parties: dict[str, Party]
    tokens: dict[str, str]

    def client(self, party: str) -> Client:
        return Client(headers={"Authorization": f"Bearer {self.tokens[party]}"})

    def capture(self, party: str, *batch: dict[str, Any], **headers: str) -> Any:
        body = json.dumps(written.document(batch, 0)).encode()
        return self.client(party).post("/epcis/capture", body, content_type="application/json", headers=headers)

    def post(self, party: str, path: str, body: Any) -> Any:
        return self.client(party).post(path, json.dumps(body).encode(), content_type="application/json")

    def settle(self) -> None:
        while ledger.sequence_once():
            pass
        projection.advance_all()

    def place(self, party: str) -> str:
        return str(self.parties[party].sites.get().uri)


@dataclass
class Written:
    """A party as the simulator's event writer wants it."""

    site_uri: str
    party_uri: str
    offset: str = "+08:00"


def recall_event(by: Written, event_id: str) -> dict[str, Any]:
    """A recall of the lot, as the software of a party would record it."""
    return written.event(
        "ObjectEvent",
        party=by,  # type: ignore[arg-type]
        at_ms=clock.now_ms() - 1000,
        event_id=event_id,
        step="holding",
        action="OBSERVE",
        quantityList=[{"epcClass": f"https://id.gs1.org/01/{GTIN}/10/{LOT}"}],
        persistentDisposition={"set": ["recalled"]},
    )


@pytest.fixture
def house(db: None) -> House:
    """Parties with sites in two cities, a product with a lot; everything folded."""
    ledger.initialise(operator_name="test")
    rows, tokens = {}, {}
    people = (
        ("regulator", "regulator", 39_904_200, 116_407_400),
        ("maker", "manufacturer", 31_230_400, 121_473_700),
        ("wholesaler", "distributor", 30_592_800, 114_305_500),
        ("pharmacy", "pharmacy", 31_230_400, 121_473_700),
        ("other", "pharmacy", 43_825_600, 87_616_800),
    )
    for number, (name, role, latitude, longitude) in enumerate(people):
        gln = _with_check(f"95210009{number:04d}")
        rows[name] = parties.create_party(id=name, name=name.title(), roles=[role], gln=gln)
        parties.save_site(
            id=f"{name}-main",
            party=rows[name],
            name=f"{name} site",
            gln=_with_check(f"95210008{number:04d}"),
            latitude_e6=latitude,
            longitude_e6=longitude,
            time_zone="Asia/Shanghai",
            city="Shanghai",
            country="CN",
        )
        tokens[name] = parties.issue_token(party=rows[name], label="test")
    products.save_profile(
        id="fridge", name="2–8 °C", source="test", low_mc=2000, high_mc=8000, low_seconds=1200, high_seconds=1800,
        freeze_sensitive=True,
    )  # fmt: skip
    item = products.save_item(
        id="glarvia", manufacturer=rows["maker"], gtin=GTIN, name="Glarvia", generic_name="insulin", strength="100 IU",
        pack_size="5 pens", authorisation="MA-1", profile_id="fridge",
    )  # fmt: skip
    products.save_lot(item=item, number=LOT, production_date=date(2026, 1, 1), expiry_date=EXPIRY)
    found = House(rows, tokens)
    found.settle()
    return found


@pytest.fixture
def writer(house: House) -> Callable[[str], Written]:
    """The simulator's view of a party, for writing events as its software would."""

    def view(name: str) -> Written:
        gln = house.parties[name].identifiers.get(scheme="gln").value
        return Written(house.place(name), f"https://id.gs1.org/417/{gln}")

    return view


def pack(serial: str) -> str:
    """The EPC of a pack of the lot."""
    return f"https://id.gs1.org/01/{GTIN}/21/{serial}"


def code(serial: str) -> str:
    """What a scanner reads off that pack."""
    return f"]d201{GTIN}17{EXPIRY:%y%m%d}10{LOT}\x1d21{serial}"


def _with_check(body: str) -> str:
    from traceability.gs1 import check_digit

    return body + check_digit.of(body)
