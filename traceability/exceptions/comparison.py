"""What was ordered, advised, despatched and received of each product, and what is short or over. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from traceability.custody.sides import Lot


@dataclass(frozen=True)
class Compared:
    """Packs of one product ('' = of which the product is not recorded); None where nothing said so."""

    gtin: str
    ordered: int | None
    advised: int | None  # by the party's list
    despatched: int | None  # on record
    received: int

    @property
    def expected(self) -> int:
        """The best that is known of what should come: the record, before a list, before the order."""
        told = [one for one in (self.despatched, self.advised, self.ordered) if one is not None]
        return told[0] if told else 0

    @property
    def short(self) -> int:
        return max(self.expected - self.received, 0)

    @property
    def over(self) -> int:
        return max(self.received - self.expected, 0)


def compare(
    *,
    ordered: Mapping[str, int] | None,
    advised: Mapping[Lot, int] | None,
    despatched: Mapping[Lot, int] | None,
    received: Mapping[Lot, int],
) -> list[Compared]:
    """A row per product that any side names; None for a side of which nothing is known."""
    told, sent, came = _known(advised), _known(despatched), by_product(received)
    gtins = {gtin for side in (ordered, told, sent, came) if side for gtin, packs in side.items() if packs}
    return [
        Compared(
            gtin,
            None if ordered is None else ordered.get(gtin, 0),
            None if told is None else told[gtin],
            None if sent is None else sent[gtin],
            came[gtin],
        )
        for gtin in sorted(gtins)
    ]


def by_product(counted: Mapping[Lot, int]) -> Counter[str]:
    """Packs of each product, over all its lots."""
    found: Counter[str] = Counter()
    for (gtin, _lot), packs in counted.items():
        found[gtin] += packs
    return found


def _known(counted: Mapping[Lot, int] | None) -> Counter[str] | None:
    return None if counted is None else by_product(counted)


def differing(told: Iterable[tuple[str, str, str]], recorded: Mapping[str, tuple[str, str]]) -> list[str]:
    """Things of a list (EPC, lot, ISO date) whose record says another lot or date; what either leaves out agrees."""
    found = []
    for epc, lot, expiry in told:
        known_lot, known_expiry = recorded.get(epc, ("", ""))
        pairs = ((lot, known_lot), (expiry, known_expiry[:10]))
        if any(one and other and one != other for one, other in pairs):
            found.append(epc)
    return found
