"""Who has a say over a lot, and which item a code names: master data as the log held it at an index."""

from bisect import bisect_right
from collections.abc import Collection, Iterable
from typing import Any

from traceability.common import masterdata
from traceability.gs1.epc import NMPA_PREFIX

from .fold import MAKER, REGULATOR, Fact

_ITEM = "https://id.gs1.org/01/"
_PREFIX_DIGITS = 7  # of an NMPA code: the product (identifiers-and-workflows, section 2)


class Items:
    """The versions of the items that have, or ever had, one of some GTINs or NMPA prefixes; two queries."""

    def __init__(self, epcs: Iterable[str]) -> None:
        bearers = masterdata.bearers({code for epc in epcs if (code := _code(epc))})
        versions = masterdata.versions(set[str]().union(*bearers.values()))
        self._held = {code: sorted((versions[one] for one in found), key=_first) for code, found in bearers.items()}

    def gtin(self, epc: str, index: int) -> str:
        """The GTIN that a code names, or that its NMPA prefix stood for at an index; '' for anything else."""
        if epc.startswith(_ITEM):
            return _gtin(epc)
        prefix = _prefix(epc)
        return str(self._value("nmpa_prefix", prefix, index).get("gtin") or "") if prefix else ""

    def maker(self, gtin: str, index: int) -> str:
        """The party id of an item's maker at an index, '' when no item had this GTIN."""
        return str(self._value("gtin", gtin, index).get("manufacturer") or "")

    def _value(self, name: str, value: str, index: int) -> dict[str, Any]:
        for versions in self._held.get(f"{name}:{value}", ()):
            body = _at(versions, index)
            if body is not None and body.get(name) == value:
                found: dict[str, Any] = body
                return found
        return {}


class Authority:
    """Whether a reporter speaks for a lot; three queries, whatever the number of facts."""

    def __init__(self, lots: Collection[str], facts: Iterable[Fact]) -> None:
        self._items = Items(lots)
        self._parties = masterdata.versions({f"party:{_party(fact)}" for fact in facts})

    def of(self, fact: Fact, lot_class: str) -> str:
        """`regulator`, `maker` or '', as the log knew the reporter and the item at the event's index."""
        party = _party(fact)
        body = _at(self._parties[f"party:{party}"], fact.index)
        if body is not None and REGULATOR in body["roles"]:
            return REGULATOR
        return MAKER if self._items.maker(_gtin(lot_class), fact.index) == party else ""


def _party(fact: Fact) -> str:
    return fact.reporter.rpartition(":")[2]


def _code(epc: str) -> str:
    if epc.startswith(_ITEM):
        return f"gtin:{_gtin(epc)}"
    prefix = _prefix(epc)
    return f"nmpa_prefix:{prefix}" if prefix else ""


def _gtin(epc: str) -> str:
    return epc.removeprefix(_ITEM).split("/", 1)[0][:14]


def _prefix(epc: str) -> str:
    return epc.removeprefix(NMPA_PREFIX)[:_PREFIX_DIGITS] if epc.startswith(NMPA_PREFIX) else ""


def _first(versions: list[tuple[int, Any]]) -> int:
    return versions[0][0]


def _at(versions: list[tuple[int, Any]], index: int) -> Any | None:
    place = bisect_right(versions, index, key=lambda version: version[0])
    return versions[place - 1][1] if place else None
