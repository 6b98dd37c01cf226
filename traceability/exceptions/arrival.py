"""Whether the data that an exception waits for has arrived. Pure."""

from collections.abc import Collection
from dataclasses import dataclass

PRODUCT_NO_DATA, DATA_NO_PRODUCT, DATA_ISSUE = "product-no-data", "data-no-product", "data-issue"
SELF_RESOLVING = (PRODUCT_NO_DATA, DATA_NO_PRODUCT, DATA_ISSUE)


@dataclass(frozen=True)
class Goods:
    """What is recorded of one thing of an exception now; '' or False where nothing is."""

    is_pack: bool
    is_recorded: bool = False
    is_made: bool = False  # someone recorded its making, or took it up as opening stock
    is_sent: bool = False  # another party recorded its despatch to this one, by itself or in a container
    is_listed: bool = False  # the party was told by a list that it was sent
    is_vouched: bool = False  # and someone with the quality role stored that list
    is_here: bool = False  # the party itself recorded it last, and not as sent on
    status: str = ""
    lot: str = ""
    expiry: str = ""
    printed_lot: str = ""
    printed_expiry: str = ""


def has_arrived(kind: str, goods: Collection[Goods]) -> bool:
    """Whether nothing is missing any more, by the exception's kind; the other kinds wait for a person."""
    if kind == PRODUCT_NO_DATA:
        return all((one.is_sent or one.is_vouched) and (one.is_made or not one.is_pack) for one in goods)
    if kind == DATA_NO_PRODUCT:
        return all(one.is_recorded and _came(one) for one in goods)
    if kind == DATA_ISSUE:
        return all(_agrees(one) for one in goods)
    return False


def _came(one: Goods) -> bool:
    """Whether it is under way no more; what only a list says was sent has to be received."""
    return one.is_here if one.is_listed and not one.is_sent else one.status != "shipped"


def _agrees(one: Goods) -> bool:
    """Whether print and record say the same; what the code does not say is left to a person."""
    return bool(one.printed_lot) and (one.printed_lot, one.printed_expiry) == (one.lot, one.expiry[:10])
