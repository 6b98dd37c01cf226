"""What a partial dispensing says is left in the pack: the extension `quantityLeft` in our namespace. Pure."""

from collections.abc import Mapping
from typing import Any

from traceability.epcis import event as epcis_event

from .opening import NAMESPACE

MEMBER = "quantityLeft"
MAX = 999_999


def left(event: Mapping[str, Any]) -> int | None:
    """Units left; None when it says none, or nothing that can be."""
    value = epcis_event.own(event, NAMESPACE + MEMBER)
    return value if type(value) is int and 0 <= value <= MAX else None
