"""How an alert may pass from hand to hand, and the form of a transition statement. PURE."""

from collections.abc import Mapping
from typing import Any

# to -> from which states people may go there
ALLOWED: Mapping[str, frozenset[str]] = {
    "acknowledged": frozenset({"new"}),
    "answered": frozenset({"new", "acknowledged", "answered"}),
    "resolved": frozenset({"new", "acknowledged", "answered"}),
}
# Why an alert was closed (rules-and-coldchain.md, A1: closing codes; C1: taxonomy of false alarms)
CAUSES = (
    "confirmed",
    "technical-error",
    "user-error",
    "record-corrected",
    "sensor-fault",
    "handled-within-limits",
    "other",
)
_FORM = {"alert": str, "incident": str, "version": int, "from": str, "to": str, "party": str, "actor": str}


def is_allowed(from_state: str, to_state: str) -> bool:
    return from_state in ALLOWED.get(to_state, ())


def is_step(body: Mapping[str, Any]) -> bool:
    """Whether a logged document is a transition that the fold can read."""
    return body.get("@type") == "AlertTransition" and all(type(body.get(name)) is kind for name, kind in _FORM.items())
