"""Who and what there is in the demo world: parties, sites, products, lots. Pure: a seed gives the same world."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random
from typing import TypeVar

_T = TypeVar("_T")

# GS1's prefix 952 is set aside for demonstrations; no real product carries it.
COMPANY_PREFIX = "9521"

# name: (latitude, longitude) in micro-degrees, IANA zone, offset of eventTimeZoneOffset
CITIES = {
    "Shanghai": (31_230_400, 121_473_700, "Asia/Shanghai", "+08:00"),
    "Suzhou": (31_299_000, 120_585_300, "Asia/Shanghai", "+08:00"),
    "Hangzhou": (30_274_100, 120_155_100, "Asia/Shanghai", "+08:00"),
    "Nanjing": (32_060_300, 118_796_900, "Asia/Shanghai", "+08:00"),
    "Wuhan": (30_592_800, 114_305_500, "Asia/Shanghai", "+08:00"),
    "Beijing": (39_904_200, 116_407_400, "Asia/Shanghai", "+08:00"),
    "Tianjin": (39_343_400, 117_361_600, "Asia/Shanghai", "+08:00"),
    "Guangzhou": (23_129_100, 113_264_400, "Asia/Shanghai", "+08:00"),
    "Shenzhen": (22_543_100, 114_057_900, "Asia/Shanghai", "+08:00"),
    "Chengdu": (30_572_800, 104_066_800, "Asia/Shanghai", "+08:00"),
    "Chongqing": (29_563_000, 106_551_600, "Asia/Shanghai", "+08:00"),
    "Xi'an": (34_341_600, 108_939_800, "Asia/Shanghai", "+08:00"),
    "Urumqi": (43_825_600, 87_616_800, "Asia/Urumqi", "+06:00"),
}

# (slug, name, role, city)
PARTY_NAMES = [
    ("regulator", "National Medicines Inspectorate", "regulator", "Beijing"),
    ("huadong", "Huadong Biologics", "manufacturer", "Shanghai"),
    ("lingnan", "Lingnan Pharma", "manufacturer", "Guangzhou"),
    ("taihang", "Taihang Vaccines", "manufacturer", "Beijing"),
    ("yangtze", "Yangtze Medical Logistics", "distributor", "Wuhan"),
    ("eastport", "Eastport Cold Chain", "distributor", "Shanghai"),
    ("pearl", "Pearl River Distribution", "distributor", "Shenzhen"),
    ("silkroad", "Silk Road Supply", "distributor", "Xi'an"),
    ("hosp-renji", "Renji City Hospital", "hospital", "Shanghai"),
    ("hosp-gulou", "Gulou Hospital", "hospital", "Nanjing"),
    ("hosp-westlake", "West Lake Hospital", "hospital", "Hangzhou"),
    ("hosp-jialing", "Jialing Hospital", "hospital", "Chongqing"),
    ("hosp-canton", "Canton People's Hospital", "hospital", "Guangzhou"),
    ("hosp-haihe", "Haihe Hospital", "hospital", "Tianjin"),
    ("ph-bund", "Bund Pharmacy", "pharmacy", "Shanghai"),
    ("ph-garden", "Garden Pharmacy", "pharmacy", "Suzhou"),
    ("ph-lotus", "Lotus Pharmacy", "pharmacy", "Hangzhou"),
    ("ph-drumtower", "Drum Tower Pharmacy", "pharmacy", "Nanjing"),
    ("ph-crane", "Yellow Crane Pharmacy", "pharmacy", "Wuhan"),
    ("ph-hutong", "Hutong Pharmacy", "pharmacy", "Beijing"),
    ("ph-harbour", "Harbour Pharmacy", "pharmacy", "Tianjin"),
    ("ph-kapok", "Kapok Pharmacy", "pharmacy", "Guangzhou"),
    ("ph-bay", "Bay Pharmacy", "pharmacy", "Shenzhen"),
    ("ph-panda", "Panda Pharmacy", "pharmacy", "Chengdu"),
    ("ph-citywall", "City Wall Pharmacy", "pharmacy", "Xi'an"),
    ("ph-tianshan", "Tianshan Pharmacy", "pharmacy", "Urumqi"),
]

PROFILES = [
    # id, name, source, low, high (milli-°C), low s, high s, freeze-sensitive
    ("fridge", "2–8 °C, do not freeze", "Demo label text, 2026-01", 2_000, 8_000, 1_200, 1_800, True),
    ("freezer", "−25 to −15 °C", "Demo label text, 2026-01", -25_000, -15_000, 3_600, 1_800, False),
    ("room", "15–25 °C", "Demo label text, 2026-01", 15_000, 25_000, 86_400, 86_400, False),
]

# slug, manufacturer, name, generic name, strength, pack, profile, NMPA prefix, number of lots
ITEM_NAMES = [
    ("glarvia", "huadong", "Glarvia", "insulin glargine", "100 IU/ml", "5 pens of 3 ml", "fridge", None, 3),
    ("hepashield", "taihang", "Hepashield", "hepatitis B vaccine", "20 µg", "1 syringe", "fridge", None, 3),
    ("varizon", "taihang", "Varizon", "varicella vaccine, live", "0.5 ml", "1 vial", "freezer", None, 2),
    ("amoxil", "lingnan", "Amoxilin 500", "amoxicillin", "500 mg", "24 capsules", "room", None, 3),
    ("metrada", "lingnan", "Metrada", "metformin", "850 mg", "60 tablets", "room", None, 3),
    ("ibufen", "huadong", "Ibufen SR", "ibuprofen", "300 mg", "20 capsules", "room", "8312745", 2),
    ("statoril", "lingnan", "Statoril", "atorvastatin", "20 mg", "28 tablets", "room", None, 2),
    ("airomix", "huadong", "Airomix", "salbutamol", "100 µg/dose", "1 inhaler", "room", None, 2),
]

SHORT_DATED_DAYS = 15
# GS1 set 82 without look-alikes; random serials, guess chance far below 1 in 10,000 (EU 2016/161)
SERIAL_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"


@dataclass(frozen=True)
class Size:
    """How a lot is packed, and how many packs one commissioning event names."""

    packs: int  # per lot
    packs_per_case: int
    cases_per_pallet: int
    packs_per_event: int


SMALL = Size(packs=250, packs_per_case=25, cases_per_pallet=5, packs_per_event=125)  # of the demo world
LARGE = Size(packs=10_000, packs_per_case=100, cases_per_pallet=20, packs_per_event=1_000)


@dataclass(frozen=True)
class Party:
    """An organisation with its one site in the demo world."""

    id: str
    name: str
    role: str
    city: str
    gln: str  # of the party
    site_id: str
    site_gln: str

    @property
    def site_uri(self) -> str:
        return f"https://id.gs1.org/414/{self.site_gln}"

    @property
    def party_uri(self) -> str:
        return f"https://id.gs1.org/417/{self.gln}"

    @property
    def offset(self) -> str:
        return CITIES[self.city][3]


@dataclass(frozen=True)
class Item:
    """A trade item."""

    id: str
    manufacturer: str
    name: str
    generic_name: str
    strength: str
    pack_size: str
    profile: str
    nmpa_prefix: str | None
    gtin: str


@dataclass(frozen=True)
class Pack:
    """One pack: its EPC as Digital Link (or our NMPA urn) and what its label says."""

    epc: str
    item: Item
    lot: str
    expiry: date
    serial: str

    @property
    def code(self) -> str:
        """What a scanner reads off the pack: a GS1 element string with GS, or the 20 digits."""
        if self.item.nmpa_prefix:
            return self.serial
        return f"]d201{self.item.gtin}17{self.expiry:%y%m%d}10{self.lot}\x1d21{self.serial}"

    @property
    def link_path(self) -> str:
        """The path of the printed Digital Link QR, with lot and expiry."""
        if self.item.nmpa_prefix:
            return f"/c/{self.serial}?10={self.lot}&17={self.expiry:%y%m%d}"
        return f"/01/{self.item.gtin}/10/{self.lot}/21/{self.serial}?17={self.expiry:%y%m%d}"


@dataclass(frozen=True)
class Container:
    """Something with an SSCC."""

    sscc: str

    @property
    def epc(self) -> str:
        return f"https://id.gs1.org/00/{self.sscc}"

    @property
    def code(self) -> str:
        return f"]C100{self.sscc}"


@dataclass(frozen=True)
class Case(Container):
    """A shipping case of one lot."""

    packs: tuple[Pack, ...]


@dataclass(frozen=True)
class Pallet(Container):
    """A pallet of cases of one lot."""

    cases: tuple[Case, ...]


@dataclass(frozen=True)
class Lot:
    """A production batch with everything made in it."""

    item: Item
    number: str
    produced: date
    expiry: date
    pallets: tuple[Pallet, ...]

    @property
    def cases(self) -> list[Case]:
        return [case for pallet in self.pallets for case in pallet.cases]

    @property
    def packs(self) -> list[Pack]:
        return [pack for case in self.cases for pack in case.packs]


@dataclass(frozen=True)
class World:
    """All there is before anything happens."""

    parties: dict[str, Party]
    items: dict[str, Item]
    lots: list[Lot] = field(default_factory=list)

    def by_role(self, role: str) -> list[Party]:
        return [party for party in self.parties.values() if party.role == role]


def check_digit(body: str) -> str:
    """GS1's mod-10 digit: weights 3, 1, … from the right."""
    return str(-sum(int(digit) * (1 if place % 2 else 3) for place, digit in enumerate(reversed(body))) % 10)


def make_world(*, seed: int, first_day: date, lots: int = 20) -> World:
    """The world of `seed`; `first_day` sets production and expiry dates. `lots` < 20 gives a smaller one."""
    random = Random(f"dosetrail/world/{seed}")
    parties = {entry[0]: _party(number, *entry) for number, entry in enumerate(PARTY_NAMES)}
    items = {entry[0]: _item(number, entry) for number, entry in enumerate(ITEM_NAMES)}
    references = sscc_references(seed)
    world = World(parties=parties, items=items)
    wanted = [items[entry[0]] for round_ in range(3) for entry in ITEM_NAMES if round_ < entry[8]][:lots]
    for number, item in enumerate(wanted):
        expiry = first_day + timedelta(days=420 + 30 * random.randrange(12))
        if number == len(wanted) - 1:  # the last lot runs out while the world is watched
            expiry = first_day + timedelta(days=SHORT_DATED_DAYS)
        lot_number = f"{item.id[:2].upper()}{first_day:%y%m}{number:02d}"
        world.lots.append(make_lot(item, lot_number, expiry, random=random, references=references))
    return world


def sscc_references(seed: int) -> Iterator[int]:
    """The serial references of the SSCCs of one seed; no other seed has any of them."""
    return iter(range(seed * 10**8, (seed + 1) * 10**8))


def _party(number: int, slug: str, name: str, role: str, city: str) -> Party:
    gln = _with_check(f"{COMPANY_PREFIX}{number:08d}")
    site_gln = _with_check(f"{COMPANY_PREFIX}{number + 500:08d}")
    return Party(slug, name, role, city, gln, f"{slug}-main", site_gln)


def _item(number: int, entry: tuple[str, str, str, str, str, str, str, str | None, int]) -> Item:
    gtin = _with_check(f"0{COMPANY_PREFIX}{number + 100:08d}")
    return Item(*entry[:8], gtin=gtin)


def make_lot(
    item: Item, number: str, expiry: date, *, random: Random, references: Iterator[int], size: Size = SMALL
) -> Lot:
    """A lot with all its packs, in cases, on pallets."""
    serials: set[str] = set()
    while len(serials) < size.packs:
        serials.add(_serial(item, random))
    packs = [_pack(item, number, expiry, serial) for serial in sorted(serials)]
    cases = [Case(_sscc(references), tuple(inside)) for inside in _by(size.packs_per_case, packs)]
    pallets = [Pallet(_sscc(references), tuple(inside)) for inside in _by(size.cases_per_pallet, cases)]
    return Lot(item, number, expiry - timedelta(days=540), expiry, tuple(pallets))


def _by(size: int, things: Sequence[_T]) -> Iterator[Sequence[_T]]:
    return (things[start : start + size] for start in range(0, len(things), size))


def _serial(item: Item, random: Random) -> str:
    if item.nmpa_prefix:
        return item.nmpa_prefix + "".join(random.choice("0123456789") for _ in range(13))
    return "".join(random.choice(SERIAL_ALPHABET) for _ in range(14))


def _pack(item: Item, lot: str, expiry: date, serial: str) -> Pack:
    epc = f"urn:dosetrail:nmpa:{serial}" if item.nmpa_prefix else f"https://id.gs1.org/01/{item.gtin}/21/{serial}"
    return Pack(epc, item, lot, expiry, serial)


def _sscc(references: Iterator[int]) -> str:
    return _with_check(f"3{COMPANY_PREFIX}{next(references):012d}")


def _with_check(body: str) -> str:
    return body + check_digit(body)
