"""Expired sale: a pack handed out after its last valid day, by the calendar of the place (rule SALE_AFTER_EXPIRY)."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from traceability.contracts.draft import Draft
from traceability.contracts.facts import Seen, ThingFacts
from traceability.contracts.parameters import Parameters

RULE = "expired-sale"
SALES = frozenset({"dispensing", "retail_selling"})


@dataclass(frozen=True)
class ExpiredSale(Parameters):
    """`grace_days` after the expiry date still pass; the expiry day itself is always good."""

    grace_days: int = field(default=0, metadata={"range": (0, 366)})


def concerns(facts: ThingFacts) -> bool:
    """Whether it was ever sold."""
    return any(seen.step in SALES for seen in facts.events)


def evaluate(parameters: ExpiredSale, facts: ThingFacts) -> Iterable[Draft]:
    """One finding per pack, on its first sale after expiry."""
    for seen in facts.events:
        if seen.step not in SALES or not (expiry := facts.expiry_at(seen.index)):
            continue
        sold = local_date(seen)
        if (sold - date.fromisoformat(expiry)).days > parameters.grace_days:  # the expiry may be the last day there is
            yield Draft(
                rule=RULE,
                code=RULE,
                subject=facts.subject,
                severity="S2",
                certainty="certain",
                evidence=(seen.index,),
                parties=(seen.reporter,),
                at_ms=seen.time_ms,
                incident=f"{RULE}|{seen.event_id if seen.many else facts.subject}",
                params={"expiry": expiry, "sold": sold.isoformat(), "lot": facts.lot, "place": seen.place},
            )
            return


def local_date(seen: Seen) -> date:
    """The calendar day of an event by its own eventTimeZoneOffset."""
    local_ms = seen.time_ms + seen.offset_minutes * 60_000
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=local_ms)).date()
