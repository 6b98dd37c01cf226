"""What a manufacturer does, step by step."""

from django.utils.translation import gettext_lazy as _

from . import common_steps as common
from .steps import Shape, Step, Table

COMMISSION = Step(
    "commission",
    _("Commission"),
    _("Packs are printed and checked: they begin to exist"),
    Shape.COMMISSION,
    biz_step="commissioning",
    disposition="active",
    icon="factory",
    needs=("lot", "expiry"),
    from_statuses=(),
)
RELEASE = Step(
    "release",
    _("Release a lot"),
    _("Quality releases a lot on its inspection report"),
    Shape.LOT,
    biz_step="inspecting",
    disposition="conformant",
    icon="check",
    needs=("report", "reason"),
    stops_on=("recalled", "frozen"),
    high_risk=True,
    quality_only=True,
)
HOLD_LOT = Step(
    "hold_lot",
    _("Hold a lot"),
    _("A whole lot waits for a decision; releasing it ends this"),
    Shape.LOT,
    biz_step="holding",
    disposition="unavailable",
    icon="lock",
    needs=("reason",),
    quality_only=True,
)
VOID_SHIPPING = Step(
    "void_shipping",
    _("Call back a shipment"),
    _("A shipment was recorded by mistake"),
    Shape.OBSERVE,
    biz_step="void_shipping",
    disposition="in_progress",
    icon="clock",
    needs=("despatch",),
    from_statuses=("shipped",),
)
TABLE = Table(
    "manufacturer",
    (
        COMMISSION,
        common.PACK,
        RELEASE,
        common.SHIP,
        common.EXPORT,
        VOID_SHIPPING,
        common.UNPACK,
        common.RETURN_IN,
        common.VERIFY_RETURN,
        common.HOLD,
        common.RELEASE_HOLD,
        common.SAMPLE,
        common.DESTROY,
        HOLD_LOT,
        common.OPENING_STOCK,
        common.STOLEN,
        common.FOUND,
        common.VERIFY,
    ),
)
