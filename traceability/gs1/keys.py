"""GS1 keys: which AI identifies what, how its value is formed and which qualifiers may follow (GS1 syntax
dictionary)."""

import re
from dataclasses import dataclass

from . import check_digit
from .errors import Gs1Error

_82 = r"[!\"%&'()*+,\-./0-9:;<=>?A-Z_a-z]"
_39 = r"[#\-/0-9A-Z]"


@dataclass(frozen=True)
class Ai:
    """An application identifier: the pattern of its value and where its check digit stands (0 = it has none)."""

    name: str
    pattern: re.Pattern[str]
    checked: int = 0  # length of the leading part that ends in a check digit
    fixed: int = 0  # length where it never varies (no GS needed behind it)


def _ai(name: str, pattern: str, *, checked: int = 0, fixed: int = 0) -> Ai:
    return Ai(name, re.compile(pattern, re.ASCII), checked, fixed)


AIS: dict[str, Ai] = {
    "00": _ai("SSCC", r"\d{18}", checked=18, fixed=18),
    "01": _ai("GTIN", r"\d{14}", checked=14, fixed=14),
    "02": _ai("CONTENT", r"\d{14}", checked=14, fixed=14),
    "10": _ai("lot", _82 + "{1,20}"),
    "11": _ai("production date", r"\d{6}", fixed=6),
    "12": _ai("due date", r"\d{6}", fixed=6),
    "13": _ai("packaging date", r"\d{6}", fixed=6),
    "15": _ai("best before date", r"\d{6}", fixed=6),
    "16": _ai("sell by date", r"\d{6}", fixed=6),
    "17": _ai("expiry date", r"\d{6}", fixed=6),
    "20": _ai("variant", r"\d{2}", fixed=2),
    "21": _ai("serial", _82 + "{1,20}"),
    "22": _ai("consumer product variant", _82 + "{1,20}"),
    "30": _ai("count", r"\d{1,8}"),
    "37": _ai("count of items", r"\d{1,8}"),
    "235": _ai("third-party serial", _82 + "{1,28}"),
    "240": _ai("additional item id", _82 + "{1,30}"),
    "241": _ai("customer part number", _82 + "{1,30}"),
    "250": _ai("secondary serial", _82 + "{1,30}"),
    "251": _ai("reference to source", _82 + "{1,30}"),
    "253": _ai("GDTI", r"\d{13}" + _82 + "{0,17}", checked=13),
    "254": _ai("GLN extension", _82 + "{1,20}"),
    "255": _ai("GCN", r"\d{13,25}", checked=13),
    "400": _ai("customer order", _82 + "{1,30}"),
    "401": _ai("GINC", _82 + "{1,30}"),
    "402": _ai("GSIN", r"\d{17}", checked=17, fixed=17),
    "403": _ai("routing code", _82 + "{1,30}"),
    "410": _ai("ship to GLN", r"\d{13}", checked=13, fixed=13),
    "411": _ai("bill to GLN", r"\d{13}", checked=13, fixed=13),
    "412": _ai("purchased from GLN", r"\d{13}", checked=13, fixed=13),
    "413": _ai("ship for GLN", r"\d{13}", checked=13, fixed=13),
    "414": _ai("GLN", r"\d{13}", checked=13, fixed=13),
    "415": _ai("invoicing GLN", r"\d{13}", checked=13, fixed=13),
    "416": _ai("production GLN", r"\d{13}", checked=13, fixed=13),
    "417": _ai("party GLN", r"\d{13}", checked=13, fixed=13),
    "420": _ai("ship to postal code", _82 + "{1,20}"),
    "421": _ai("ship to postal code with country", r"\d{3}" + _82 + "{1,9}"),
    "422": _ai("country of origin", r"\d{3}"),
    "710": _ai("NHRN PZN", _82 + "{1,20}"),
    "711": _ai("NHRN CIP", _82 + "{1,20}"),
    "712": _ai("NHRN CN", _82 + "{1,20}"),
    "713": _ai("NHRN DRN", _82 + "{1,20}"),
    "714": _ai("NHRN AIM", _82 + "{1,20}"),
    "715": _ai("NHRN NDC", _82 + "{1,20}"),
    "7003": _ai("expiry date and time", r"\d{10}"),
    "7040": _ai("UIC", r"\d[A-Za-z0-9]{3}"),
    "8003": _ai("GRAI", r"0\d{13}" + _82 + "{0,16}", checked=14),
    "8004": _ai("GIAI", _82 + "{1,30}"),
    "8006": _ai("ITIP", r"\d{18}", checked=14, fixed=18),
    "8010": _ai("CPID", _39 + "{1,30}"),
    "8011": _ai("CPID serial", r"\d{1,12}"),
    "8017": _ai("GSRN provider", r"\d{18}", checked=18, fixed=18),
    "8018": _ai("GSRN recipient", r"\d{18}", checked=18, fixed=18),
    "8019": _ai("SRIN", r"\d{1,10}"),
    "8020": _ai("payment slip reference", _82 + "{1,25}"),
    "8200": _ai("extended packaging URL", _82 + "{1,70}"),
    "90": _ai("agreed between partners", _82 + "{1,30}"),
    **{str(ai): _ai("company internal information", _82 + "{1,90}") for ai in range(91, 100)},
    # Measures of trade and logistic items, the fourth digit telling the decimals.
    **{
        f"{ai}{decimals}": _ai("measure", r"\d{6}", fixed=6)
        for ai in (*range(310, 317), *range(320, 338), *range(340, 358), *range(360, 370))
        for decimals in range(6)
    },
}

# Where the first two digits promise the length, no GS stands behind the value (General Specifications, figure 7.8.5-2).
PREDEFINED_LENGTH = frozenset({"00", "01", "02", "03", "04", *map(str, range(11, 21)), *map(str, range(31, 37)), "41"})

# Key AI -> the qualifier AIs that may follow it in a path, in this order; any subset. GTIN may instead have 235 alone.
QUALIFIERS: dict[str, tuple[str, ...]] = {
    "00": (),
    "01": ("22", "10", "21"),
    "253": (),
    "255": (),
    "401": (),
    "402": (),
    "414": ("254", "7040"),
    "417": ("7040",),
    "8003": (),
    "8004": ("7040",),
    "8006": ("22", "10", "21"),
    "8010": ("8011",),
    "8017": ("8019",),
    "8018": ("8019",),
}


# Keys of assets, documents and services: circulating EPCIS examples carry them with wrong check digits.
ASSETS = frozenset({"253", "255", "402", "8003", "8017", "8018"})


def require(ai: str, value: str, *, check: bool = True) -> None:
    """Raise Gs1Error unless `value` is well formed for `ai`, its check digit included if `check`."""
    spec = AIS.get(ai)
    if spec is None:
        raise Gs1Error("unknown-ai", f"({ai}) is not an application identifier of a traced thing")
    if spec.pattern.fullmatch(value) is None:
        raise Gs1Error("format", f"{value!r} is not a {spec.name} ({ai})")
    if spec.checked and check:
        check_digit.require(value[: spec.checked], name=spec.name)
