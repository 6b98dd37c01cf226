"""Opening stock: goods that were there before anyone recorded them (docs/adr/0006). Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from traceability.epcis import event as epcis_event

NAMESPACE = "https://ns.dosetrail.org/epcis/"  # of the prefix `dosetrail` (docs/adr/0002)
STEP = "stock_taking"
MEMBER = "openingStock"


@dataclass(frozen=True)
class Opening:
    """What the holder read off the goods; '' where nothing legible stood there."""

    lot: str = ""
    expiry: str = ""


def member(*, lot: str = "", expiry: str = "") -> dict[str, Any]:
    """The extension field that marks an event as opening stock. `expiry` is an ISO date."""
    content = {"lotNumber": lot, "itemExpirationDate": expiry}
    return {f"dosetrail:{MEMBER}": {name: value for name, value in content.items() if value}}


def read(event: Mapping[str, Any]) -> Opening | None:
    """What an event says of opening stock; None when it is something else."""
    value = epcis_event.own(event, NAMESPACE + MEMBER)
    if not isinstance(value, Mapping):
        return None
    return Opening(_text(value, "lotNumber", 64), _text(value, "itemExpirationDate", 40))


def _text(content: Mapping[str, Any], name: str, limit: int) -> str:
    value = content.get(name, "")
    return value.replace("\0", "")[:limit] if isinstance(value, str) else ""
