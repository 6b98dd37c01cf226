"""A small world with one pack per outcome, made through the rooms' own services; for page and browser tests."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from ledger import api as ledger
from traceability.capture import services as capture
from traceability.capture.models import EventEpc, PublishedEvent
from traceability.common import clock, projection
from traceability.common.models import Document
from traceability.contracts import services as contracts
from traceability.parties import services as parties
from traceability.parties.models import Party
from traceability.products import services as products

GTIN, NMPA_GTIN, UNKNOWN_GTIN = "09504000059118", "09504000059125", "09504000059132"
LOT, RECALLED_LOT, EXPIRED_LOT = "GLA26A01", "GLA26B02", "GLA23C03"
SENT_DAYS_AGO = 9
POINTS = {  # micro-degrees
    "Guangzhou": (23_130_000, 113_260_000),
    "Wuhan": (30_590_000, 114_300_000),
    "Chengdu": (30_570_000, 104_070_000),
    "Harbin": (45_800_000, 126_530_000),
    "Beijing": (39_900_000, 116_400_000),
}
CONTEXT = [
    "https://ref.gs1.org/standards/epcis/epcis-context.jsonld",
    {"cbvmda": "urn:epcglobal:cbv:mda:"},
]


def check_digit(body: str) -> str:
    total = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(body)))
    return str(-total % 10)


def gln(number: int) -> str:
    body = f"95040000{number:04d}"
    return body + check_digit(body)


def sscc(number: int) -> str:
    body = f"39504000{number:09d}"
    return body + check_digit(body)


@dataclass(frozen=True)
class Pack:
    """A pack as its label names it."""

    serial: str
    lot: str = LOT
    gtin: str = GTIN

    @property
    def epc(self) -> str:
        if self.gtin == NMPA_GTIN:
            return f"urn:dosetrail:nmpa:{self.serial}"
        return f"https://id.gs1.org/01/{self.gtin}/21/{self.serial}"

    @property
    def code_path(self) -> str:
        return f"/c/{self.serial}" if self.gtin == NMPA_GTIN else f"/01/{self.gtin}/21/{self.serial}"

    def full_path(self, expiry: date) -> str:
        if self.gtin == NMPA_GTIN:
            return f"/c/{self.serial}?10={self.lot}&17={expiry:%y%m%d}"
        return f"/01/{self.gtin}/10/{self.lot}/21/{self.serial}?17={expiry:%y%m%d}"


class World:
    """Maker, wholesaler, two pharmacies; `packs` by outcome, `expiry` by lot."""

    def __init__(self) -> None:
        self.now_ms = clock.now_ms()
        self.today = datetime.fromtimestamp(self.now_ms / 1000, UTC).date()
        self.expiry = {
            LOT: self.today + timedelta(days=500),
            RECALLED_LOT: self.today + timedelta(days=300),
            EXPIRED_LOT: self.today - timedelta(days=3),
        }
        self.packs = {
            "registered": Pack("A0001"),
            "neighbour": Pack("A0002"),
            "sold": Pack("A0003"),
            "sold_again": Pack("A0004"),
            "recalled": Pack("R0001", RECALLED_LOT),
            "expired": Pack("E0001", EXPIRED_LOT),
            "temperature": Pack("T0001"),
            "cloned": Pack("C0001"),
            "trace_code": Pack("81234567890123456789", gtin=NMPA_GTIN),
            "not_shipped": Pack("N0001"),
            "serial_unknown": Pack("ZZZZ9"),
            "product_unknown": Pack("ZZZZ9", gtin=UNKNOWN_GTIN),
        }
        self._count = 0
        self._found()
        self._tell()

    def path(self, outcome: str) -> str:
        """The printed Digital Link of a pack, with lot and expiry."""
        pack = self.packs[outcome]
        return pack.full_path(self.expiry[pack.lot])

    def post(self, party: str, *events: dict[str, Any]) -> None:
        capture.accept_events(list(events), reporter=self.parties[party])

    def publish(self) -> None:
        while ledger.sequence_once():
            pass
        projection.advance_all()

    def event(
        self, party: str, step: str, *, days_ago: float, kind: str = "ObjectEvent", **fields: Any
    ) -> dict[str, Any]:
        self._count += 1
        at = datetime.fromtimestamp(self.now_ms / 1000 - days_ago * 86400, UTC) + timedelta(hours=8)
        place = {"id": f"https://id.gs1.org/414/{self.glns[party]}"}
        return {
            "@context": CONTEXT,
            "type": kind,
            "eventID": f"urn:uuid:{UUID(int=self._count, version=4)}",
            "eventTime": at.strftime("%Y-%m-%dT%H:%M:%S.000+08:00"),
            "eventTimeZoneOffset": "+08:00",
            "bizStep": step,
            "readPoint": place,
            "bizLocation": place,
            **fields,
        }

    def sale_of(self, outcome: str) -> Document:
        """The off-log content of a pack's first sale."""
        sold = EventEpc.objects.filter(epc=self.packs[outcome].epc).values("event_index")
        sale = PublishedEvent.objects.filter(index__in=sold, biz_step="dispensing").earliest("index")
        return Document.objects.get(statement_hash=sale.statement_hash)

    def dispense(self, party: str, pack: Pack, *, days_ago: float) -> None:
        seen = self.event(
            party, "dispensing", days_ago=days_ago, action="OBSERVE", disposition="dispensed", epcList=[pack.epc]
        )
        self.post(party, seen)

    def _found(self) -> None:
        ledger.initialise(operator_name="Test")
        self.glns = {
            name: gln(number) for number, name in enumerate(("maker", "wholesaler", "lotus", "river", "regulator"))
        }
        roles = {"maker": "manufacturer", "wholesaler": "distributor", "regulator": "regulator"}
        cities = {
            "maker": "Guangzhou",
            "wholesaler": "Wuhan",
            "lotus": "Chengdu",
            "river": "Harbin",
            "regulator": "Beijing",
        }
        self.parties: dict[str, Party] = {}
        for name, number in self.glns.items():
            party = parties.create_party(
                id=name,
                name=f"{name.title()} Ltd",
                roles=[roles.get(name, "pharmacy")],
                gln=gln(int(number[8:12]) + 100),
            )
            self.parties[name] = party
            latitude, longitude = POINTS[cities[name]]
            place = {"latitude_e6": latitude, "longitude_e6": longitude, "time_zone": "Asia/Shanghai"}
            parties.save_site(
                id=f"{name}-main",
                party=party,
                name=f"{name} main",
                city=cities[name],
                country="CN",
                gln=number,
                **place,
            )
        self._products()

    def _products(self) -> None:
        products.save_profile(
            id="cold",
            name="2–8 °C",
            source="label",
            low_mc=2000,
            high_mc=8000,
            low_seconds=1800,
            high_seconds=1800,
            freeze_sensitive=True,
        )
        common = {"manufacturer": self.parties["maker"], "profile_id": "cold", "pack_size": "5 pens"}
        common |= {"generic_name": "Insulin glargine", "strength": "100 IU/ml"}
        item = products.save_item(
            id="glarvia", name="Glarvia", gtin=GTIN, nmpa_prefix=None, authorisation="MA-1", **common
        )
        coded = products.save_item(
            id="glarvia-cn", name="Glarvia CN", gtin=NMPA_GTIN, nmpa_prefix="8123456", authorisation="MA-2", **common
        )
        for number, expiry in self.expiry.items():
            products.save_lot(item=item, number=number, production_date=date(2023, 1, 1), expiry_date=expiry)
        products.save_lot(item=coded, number=LOT, production_date=date(2023, 1, 1), expiry_date=self.expiry[LOT])

    def _tell(self) -> None:
        self.publish()
        contracts.deploy_defaults()
        self.publish()
        on_market = [name for name in self.packs if name not in ("not_shipped", "serial_unknown", "product_unknown")]
        for name in [*on_market, "not_shipped"]:
            self._make(self.packs[name])
        cases = {"warm": ["temperature"], "cool": [name for name in on_market if name != "temperature"]}
        for number, (case, names) in enumerate(cases.items(), 1):
            self._ship(f"https://id.gs1.org/00/{sscc(number)}", [self.packs[name].epc for name in names], case)
        self.dispense("lotus", self.packs["sold"], days_ago=3)
        self.dispense("lotus", self.packs["sold_again"], days_ago=3)
        self.dispense("river", self.packs["sold_again"], days_ago=2)
        for party, days_ago in (("lotus", 4.0), ("river", 4 - 40 / 1440)):
            seen = self.event(
                party, "stocking", days_ago=days_ago, action="OBSERVE", epcList=[self.packs["cloned"].epc]
            )
            self.post(party, {**seen, "disposition": "sellable_accessible"})
        recalled = {"epcClass": f"https://id.gs1.org/01/{GTIN}/10/{RECALLED_LOT}"}
        recall = self.event("maker", "holding", days_ago=1, action="OBSERVE", quantityList=[recalled])
        self.post("maker", {**recall, "persistentDisposition": {"set": ["recalled"]}})
        self.publish()

    def _make(self, pack: Pack) -> None:
        ilmd = {"cbvmda:lotNumber": pack.lot, "cbvmda:itemExpirationDate": self.expiry[pack.lot].isoformat()}
        made = self.event("maker", "commissioning", days_ago=11, action="ADD", epcList=[pack.epc], ilmd=ilmd)
        self.post("maker", {**made, "disposition": "active"})

    def _ship(self, case: str, epcs: Sequence[str], name: str) -> None:
        def packing(party: str, step: str, action: str, days_ago: float) -> dict[str, Any]:
            return self.event(
                party,
                step,
                days_ago=days_ago,
                kind="AggregationEvent",
                action=action,
                parentID=case,
                childEPCs=list(epcs),
            )

        def moving(party: str, step: str, days_ago: float) -> dict[str, Any]:
            partners = {
                "sourceList": [{"type": "owning_party", "source": self.parties["maker"].uri}],
                "destinationList": [{"type": "owning_party", "destination": self.parties["wholesaler"].uri}],
            }
            despatch = {"type": "desadv", "bizTransaction": f"urn:epcglobal:cbv:bt:{gln(100)}:DA-{name}"}
            return self.event(
                party,
                step,
                days_ago=days_ago,
                action="OBSERVE",
                epcList=[case],
                bizTransactionList=[despatch],
                disposition="in_transit" if step == "shipping" else "in_progress",
                **partners,
            )

        self.post("maker", packing("maker", "packing", "ADD", 10), moving("maker", "shipping", SENT_DAYS_AGO))
        self.post("wholesaler", self._readings(case, 14.0 if name == "warm" else 5.0))
        self.post("wholesaler", moving("wholesaler", "receiving", 8), packing("wholesaler", "unpacking", "DELETE", 7))

    def _readings(self, case: str, middle: float) -> dict[str, Any]:
        start = datetime.fromtimestamp(self.now_ms / 1000 - SENT_DAYS_AGO * 86400, UTC) + timedelta(hours=1)
        reports = [
            {
                "type": "Temperature",
                "value": middle if 6 <= number < 18 else 5.0,
                "uom": "CEL",
                "time": (start + timedelta(minutes=10 * number)).strftime("%Y-%m-%dT%H:%M:%S.000Z"),
            }
            for number in range(24)
        ]
        return self.event(
            "wholesaler",
            "sensor_reporting",
            days_ago=8.5,
            action="OBSERVE",
            epcList=[case],
            sensorElementList=[{"sensorReport": reports}],
        )
