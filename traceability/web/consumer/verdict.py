"""Which of the eleven outcomes a look-up shows (docs: what the consumer page says). Pure."""

from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """One per answer; never more than one on a page."""

    REGISTERED = "registered"
    SOLD = "sold"
    SOLD_AGAIN = "sold_again"
    RECALLED = "recalled"
    WITHDRAWN = "withdrawn"
    FROZEN = "frozen"
    EXPIRED = "expired"
    TEMPERATURE = "temperature"
    SERIAL_UNKNOWN = "serial_unknown"
    PRODUCT_UNKNOWN = "product_unknown"
    CANNOT_CHECK = "cannot_check"


@dataclass(frozen=True)
class PackFacts:
    """What is known about a pack. `on_market`: it has left its maker, or the reader has lot and expiry in hand."""

    product_known: bool
    on_market: bool
    recalled: bool = False
    withdrawn: bool = False  # destroyed, stolen, taken out of use or as a sample, itself or the case it is in
    frozen: bool = False  # its lot, or where it stands unsold, by the medicines authority
    expired: bool = False
    dispensed: int = 0  # sales in effect since the last return
    copied: bool = False  # an open finding says that the code was seen twice
    temperature: bool = False  # an open finding about temperature touches the pack


def decide(facts: PackFacts) -> Outcome:
    """The outcome a patient must act on first: what forbids use comes before what merely describes."""
    if not facts.on_market:
        return Outcome.SERIAL_UNKNOWN if facts.product_known else Outcome.PRODUCT_UNKNOWN
    if facts.recalled:
        return Outcome.RECALLED
    if facts.copied or facts.dispensed > 1:
        return Outcome.SOLD_AGAIN
    if facts.withdrawn:
        return Outcome.WITHDRAWN
    if facts.frozen:
        return Outcome.FROZEN
    if facts.expired:
        return Outcome.EXPIRED
    if facts.temperature:
        return Outcome.TEMPERATURE
    return Outcome.SOLD if facts.dispensed else Outcome.REGISTERED
