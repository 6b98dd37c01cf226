"""What a rule found, before it is stored: a finding's content. PURE."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Severity = Literal["S1", "S2", "S3", "S4"]
Certainty = Literal["certain", "possible"]


@dataclass(frozen=True)
class Draft:
    """One finding. (rule, subject kind, subject, discriminator) is its identity; `incident` groups it into an alert.

    `code` names the explanation (wording.py) and `params` are its particulars; `evidence` = log indexes of the events.
    """

    rule: str
    code: str
    subject: str
    severity: Severity
    certainty: Certainty
    evidence: tuple[int, ...]
    parties: tuple[str, ...]
    at_ms: int
    incident: str
    discriminator: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)

    @property
    def anchor(self) -> int:
        """The entry that brought it about: the version of the contract in force there is its judge."""
        return max(self.evidence)
