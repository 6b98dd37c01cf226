"""The public rule: which claims of a pack's events anybody may see who has its code, or the pack itself in hand. Pure.

No clock, no partner, no document, no person, and no other pack: those of an event that concern somebody else stay shut.
"""

import json
from collections.abc import Callable
from typing import Any

from traceability.gs1 import epc as epcs
from traceability.gs1.errors import Gs1Error

# Claims that prove "this code was recorded" and no more than a verifier insists on (docs/formats.md).
_CODE_ALONE = frozenset({"type", "action", "#day", "bizStep", "#members", "#party", "epcList", "outputEPCList"})
_WITH_PACK_IN_HAND = _CODE_ALONE | {
    "disposition",
    "persistentDisposition",
    "parentID",
    "childEPCs",
    "inputEPCList",
    "quantityList",
    "ilmd/cbvmda:lotNumber",
    "ilmd/cbvmda:itemExpirationDate",
    "ilmd/lotNumber",
    "ilmd/itemExpirationDate",
}
_OF_ITEMS = frozenset({"epcList", "childEPCs", "inputEPCList", "outputEPCList", "parentID"})


def claim_names(*, in_hand: bool) -> frozenset[str]:
    """The names of the claims that may be shown; `in_hand` = lot and expiry, which stand on the pack, were given."""
    return _WITH_PACK_IN_HAND if in_hand else _CODE_ALONE


def concerns(chain: frozenset[str], lot_class: str) -> Callable[[str], bool]:
    """Whether a claim (JSON of salt, name, value) is about a pack, its containers (`chain`) or its lot."""

    def is_about_it(claim: str) -> bool:
        _salt, name, value = json.loads(claim)
        if name == "quantityList":
            return bool(lot_class) and _canonical(value.get("epcClass")) == lot_class
        return name not in _OF_ITEMS or _canonical(value) in chain

    return is_about_it


def _canonical(uri: Any) -> str:
    try:
        return epcs.canonical(uri)
    except (Gs1Error, TypeError, AttributeError):
        return ""
