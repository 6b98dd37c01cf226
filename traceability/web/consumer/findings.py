"""What the rule contracts hold against a pack: open findings about it, or about a container while it was inside."""

from collections.abc import Collection
from dataclasses import dataclass

from traceability.contracts import selectors as contracts

# Both say the same to whoever holds the pack: this code was seen where one pack cannot have been.
_COPY_RULES = frozenset({"clone", "double-dispense"})
_TEMPERATURE_RULES = frozenset({"temperature"})
_DOUBLE_SCAN = "S4"  # a repeated scan at one till, a matter between it and its wholesaler


@dataclass(frozen=True)
class Held:
    """Whether findings say that the code is in use more than once, and that the pack was too warm or too cold."""

    copied: bool
    temperature: bool


def about(chain: Collection[str], history: Collection[int]) -> Held:
    """What is open against a pack: `chain` = it and its containers, `history` = the log indexes of its events."""
    found = contracts.open_findings_for(chain, history)
    rules = {finding.rule for finding in found if finding.severity != _DOUBLE_SCAN}
    return Held(copied=bool(rules & _COPY_RULES), temperature=bool(rules & _TEMPERATURE_RULES))
