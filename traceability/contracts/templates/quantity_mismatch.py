"""Quantity mismatch: what was received is not what was despatched (rule QTY_MISMATCH), judged at window close.

Containers count for what was in them when they left: a pallet despatched and its five cases received agree.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from traceability.contracts.draft import Draft
from traceability.contracts.facts import Leg, ShipmentFacts
from traceability.contracts.parameters import MAX_SECONDS, Parameters

RULE = "quantity-mismatch"
_SHOWN = 20
_MAX_DEPTH = 8


@dataclass(frozen=True)
class QuantityMismatch(Parameters):
    """Receipts may come in parts: the account is closed `window_s` after the first of them, in ledger time."""

    window_s: int = field(default=86_400, metadata={"range": (0, MAX_SECONDS)})


def due_ms(parameters: QuantityMismatch, facts: ShipmentFacts) -> int | None:
    """When the account is closed; None while there is nothing to compare or both sides agree already."""
    receipts = [leg for leg in facts.legs if _is_receipt(leg)]
    if not receipts or not any(_is_despatch(leg) for leg in facts.legs) or not _differences(facts):
        return None
    return min(leg.time_ms for leg in receipts) + parameters.window_s * 1000


def evaluate(parameters: QuantityMismatch, facts: ShipmentFacts, *, ledger_time_ms: int) -> Iterable[Draft]:
    """One finding per despatch advice once `ledger_time_ms` has passed the window."""
    due = due_ms(parameters, facts)
    if due is None or ledger_time_ms < due:
        return
    differences = _differences(facts)
    missing = sorted(name for name, amount in differences.items() if amount < 0)
    extra = sorted(name for name, amount in differences.items() if amount > 0)
    receipts = [leg for leg in facts.legs if _is_receipt(leg)]
    yield Draft(
        rule=RULE,
        code=RULE,
        subject=facts.subject,
        severity="S2" if missing else "S3",
        certainty="certain",
        evidence=tuple(sorted(leg.index for leg in facts.legs)),
        parties=tuple(sorted({name for leg in facts.legs for name in (leg.reporter, leg.destination) if name})),
        at_ms=receipts[-1].time_ms,
        incident=f"{RULE}|{facts.subject}",
        params={
            "missing": _amount(differences, missing),
            "extra": _amount(differences, extra),
            "missing_items": missing[:_SHOWN],
            "extra_items": extra[:_SHOWN],
        },
    )


def _differences(facts: ShipmentFacts) -> dict[str, Decimal]:
    """Received less despatched, per pack (or sealed container of unknown content) and per class and unit."""
    sent, got = _sides(facts)
    sent_epcs = _opened(frozenset().union(*(leg.epcs for leg in sent)), facts.inside)
    got_epcs = _opened(frozenset().union(*(leg.epcs for leg in got)), facts.inside)
    found = {epc: Decimal(-1) for epc in sent_epcs - got_epcs} | {epc: Decimal(1) for epc in got_epcs - sent_epcs}
    totals: Counter[tuple[str, str]] = Counter()
    for sign, legs in ((-1, sent), (1, got)):
        for leg in legs:
            for key, amount in leg.quantities.items():
                totals[key] += sign * amount  # type: ignore[assignment]  # Counter holds Decimals as well
    found |= {" ".join(filter(None, key)): Decimal(amount) for key, amount in totals.items() if amount}
    return found


def _sides(facts: ShipmentFacts) -> tuple[list[Leg], list[Leg]]:
    """The despatches that were not called back, and the receipts."""
    sent: list[Leg] = []
    for leg in facts.legs:
        if _is_despatch(leg):
            sent.append(leg)
        elif leg.step == "void_shipping":
            sent = [_without(one, leg.epcs) for one in sent] if leg.epcs else []
    return sent, [leg for leg in facts.legs if _is_receipt(leg)]


def _without(leg: Leg, epcs: frozenset[str]) -> Leg:
    return Leg(leg.index, leg.event_id, leg.time_ms, leg.reporter, leg.step, leg.epcs - epcs, leg.quantities)


def _opened(epcs: frozenset[str], inside: Mapping[str, frozenset[str]]) -> frozenset[str]:
    """Each container replaced by what was in it, down to what holds nothing known."""
    for _ in range(_MAX_DEPTH):
        containers = {epc for epc in epcs if inside.get(epc)}
        if not containers:
            break
        epcs = (epcs - containers).union(*(inside[epc] for epc in containers))
    return epcs


def _amount(differences: Mapping[str, Decimal], names: list[str]) -> str:
    return format(abs(sum((differences[name] for name in names), Decimal(0))).normalize(), "f")


def _is_despatch(leg: Leg) -> bool:
    return leg.step in {"shipping", "departing"}


def _is_receipt(leg: Leg) -> bool:
    return leg.step in {"receiving", "accepting"}
