"""What schemathesis needs to know of our house: callers by role, and values for the formats of our description."""

import base64
from datetime import UTC, datetime
from typing import Any

import schemathesis
from hypothesis import strategies as st

from tests.integration.conftest import GTIN, LOT, House, pack
from traceability.api.schema.build import number
from traceability.epcis.context import DEFAULT_CONTEXT
from traceability.parties import services as parties
from traceability.parties.models import Party

ROLES = {"regulator": "regulator", "manufacturer": "maker", "distributor": "wholesaler", "pharmacy": "pharmacy"}
CALLERS = ("nobody", "regulator", "manufacturer", "distributor", "hospital", "pharmacy")
WHO_MAY = ("regulator", "manufacturer", "pharmacy")
PLACES = [f"{name}-main" for name in ("maker", "wholesaler", "pharmacy", "other", "hospital")]
CSV = b"# device: TT-1\ntimestamp,temperature_c\n2026-01-01T08:00:00Z,5.1\n2026-01-01T08:10:00Z,5.3\n"
SSCC = "(00)095210000000000018"
_IDENTIFIERS = [
    *(pack(str(number)) for number in range(5)),
    "urn:epc:id:sgtin:9521000.001000.77",
    f"https://id.gs1.org/01/{GTIN}/10/{LOT}",
    "https://id.gs1.org/00/095210000000000018",
    "https://id.gs1.org/414/9521000800007",
    "https://example.com/things/7",
]


def with_hospital(house: House) -> House:
    """The house, and a hospital in it: a caller of every role."""
    hospital = parties.create_party(id="hospital", name="Hospital", roles=[Party.Role.HOSPITAL], gln="9521000999992")
    parties.save_site(
        id="hospital-main", party=hospital, name="Ward", latitude_e6=0, longitude_e6=0, time_zone="UTC", city="Here",
        country="CN",
    )  # fmt: skip
    house.parties["hospital"] = hospital
    house.tokens["hospital"] = parties.issue_token(party=hospital, label="test")
    house.settle()
    return house


def authorization(house: House, caller: str) -> dict[str, str]:
    """The header of a caller of this role."""
    if caller == "nobody":
        return {}
    return {"Authorization": f"Bearer {house.tokens[ROLES.get(caller, caller)]}"}


def drawable(api: Any) -> Any:
    """The description without what is beyond JSON Schema: that a context declares a prefix, that 1e21 is no integer."""
    schemas = api["components"]["schemas"]
    schemas["Number"] = number()
    schemas["Context"] = {"anyOf": [{"const": DEFAULT_CONTEXT}, {"const": [DEFAULT_CONTEXT]}]}
    schemas["ExtendedEvent"]["properties"]["type"]["pattern"] = "^https://example[.]com/terms/[a-z0-9]+$"
    return _without_own_names(api)


def _without_own_names(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_own_names(item) for name, item in value.items() if name != "patternProperties"}
    return [_without_own_names(item) for item in value] if isinstance(value, list) else value


def _times() -> st.SearchStrategy[str]:
    moments = st.datetimes(datetime(2000, 1, 1), datetime(2025, 12, 31), timezones=st.just(UTC))
    return moments.map(lambda moment: moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"))


def register_formats() -> None:
    """Values for the formats of our description: they say what JSON Schema cannot, such as a check digit."""
    letters = st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=1, max_size=12)
    printable = st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=20)
    formats = {
        "uri-or-curie": letters.map(lambda word: f"urn:example:{word}"),
        "own-term": letters.map(lambda word: f"https://example.com/terms/{word}"),
        "date-time": _times(),
        "past-time": _times(),
        "date": st.dates(datetime(2027, 1, 1).date(), datetime(2040, 1, 1).date()).map(str),
        "gs1-identifier": st.sampled_from(_IDENTIFIERS),
        "plain-text": printable,
        "document": letters,
        "lot": st.sampled_from([LOT, "L2"]),
        "nonce": letters,
        "event-id": letters.map(lambda word: f"urn:example:{word}"),
        "member": st.sampled_from(["shipping", "ObjectEvent", "in_transit", "urn:example:x", *_IDENTIFIERS[:3]]),
        "page-token": st.just("e30:1:x"),
        "base64url": st.binary(max_size=40).map(lambda data: base64.urlsafe_b64encode(data).decode().rstrip("=")),
        "time-zone": st.sampled_from(["UTC", "Asia/Shanghai"]),
        "party": st.sampled_from(["maker", "wholesaler", "pharmacy", "https://id.gs1.org/417/9521000999992"]),
        "sscc-digits": st.just(SSCC.removeprefix("(00)")),
        "expiry": st.sampled_from(["", "2030-01-31", "300131"]),
        "other-party": st.sampled_from(["wholesaler", "other"]),
        "list-csv": st.just(f"gtin,lot,expiry,serial\n{GTIN},{LOT},2030-01-31,77\n"),
        "list-codes": st.just(f"{SSCC}\n(01){GTIN}(10){LOT}(21)77\n"),
        "sscc": st.sampled_from([SSCC, "urn:epc:id:sscc:9521000.0000000001"]),
        "code": st.sampled_from([*_IDENTIFIERS[:5], SSCC, f"(01){GTIN}(21)1", f"]d201{GTIN}1730013110{LOT}\x1d212"]),
        "traceable": st.sampled_from([*_IDENTIFIERS[:9], SSCC]),
        "own-place": st.sampled_from(PLACES),
        "query-name": letters,
        "epcis-version": st.sampled_from(["1.2", "1.2.0", "2.0", "2.0.0"]),
        "order": st.sampled_from(["eventTime", "recordTime"]),
        "prefixes": st.just("ex=https://example.com/"),
        "schedule": st.sampled_from(["1", "[1-5]", "1,3"]),
        "webhook": letters.map(lambda word: f"https://example.com/{word}"),
        "https-url": letters.map(lambda word: f"https://leaflets.example.com/{word}"),
        "language": st.sampled_from(["", "en", "zh-Hans", "pt-BR"]),
        "media-type": st.sampled_from(["text/html", "application/pdf"]),
        "gtin": st.sampled_from(["09521000002005", GTIN]),
        "gln": st.sampled_from(["9521000999992", "9521000800007"]),
        "profile": st.just("fridge"),
        "production-date": st.dates(datetime(2020, 1, 1).date(), datetime(2026, 1, 1).date()).map(str),
        "lot-number": letters,
        "etag": st.just('"0"'),
        "any": st.just("*"),
        "binary": st.just(CSV),
    }
    for name, strategy in formats.items():
        schemathesis.openapi.format(name, strategy)
