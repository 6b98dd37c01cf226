"""What a distributor does, step by step."""

from . import common_steps as common
from .manufacturer import VOID_SHIPPING
from .steps import Table

TABLE = Table(
    "distributor",
    (
        common.RECEIVE,
        common.SHIP,
        common.UNPACK,
        common.PACK,
        common.STOCK,
        common.EXPORT,
        VOID_SHIPPING,
        common.RETURN_IN,
        common.VERIFY_RETURN,
        common.HOLD,
        common.RELEASE_HOLD,
        common.SAMPLE,
        common.DESTROY,
        common.STOLEN,
        common.FOUND,
        common.OPENING_STOCK,
        common.VERIFY,
    ),
)
