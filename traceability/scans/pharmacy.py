"""What a pharmacy does, step by step."""

from . import common_steps as common
from .steps import Table

TABLE = Table(
    "pharmacy",
    (
        common.RECEIVE,
        common.UNPACK,
        common.DISPENSE,
        common.DISPENSE_PART,
        common.UNDO,
        common.STOCK,
        common.SHIP,
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
