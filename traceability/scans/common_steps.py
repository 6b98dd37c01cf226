"""Steps that several roles share; the role tables name them."""

from django.utils.translation import gettext_lazy as _

from .steps import Shape, Step

MOVES = ("expired", "recalled", "held", "frozen", "unknown")

RECEIVE = Step(
    "receive",
    _("Receive"),
    _("Goods have arrived: scan cases, pallets or packs"),
    Shape.OBSERVE,
    biz_step="receiving",
    disposition="in_progress",
    icon="truck",
    optional=("despatch", "sender"),
    from_statuses=("active", "shipped"),
)
SHIP = Step(
    "ship",
    _("Ship"),
    _("Goods leave for another organisation"),
    Shape.OBSERVE,
    biz_step="shipping",
    disposition="in_transit",
    icon="arrow",
    needs=("receiver",),
    optional=("despatch",),
    stops_on=MOVES,
)
PACK = Step(
    "pack",
    _("Pack"),
    _("Put packs or cases into a case or onto a pallet"),
    Shape.PACK,
    biz_step="packing",
    disposition="in_progress",
    icon="box",
    needs=("container",),
    stops_on=("frozen",),
)
UNPACK = Step(
    "unpack",
    _("Unpack"),
    _("Open a case or break down a pallet"),
    Shape.UNPACK,
    biz_step="unpacking",
    disposition="in_progress",
    icon="box",
    from_statuses=("active", "shipped"),
    stops_on=("frozen",),
)
STOCK = Step(
    "stock",
    _("Put into stock"),
    _("Say that goods are here and can be used"),
    Shape.OBSERVE,
    biz_step="stocking",
    disposition="sellable_accessible",
    icon="store",
    stops_on=("frozen", "from-patient"),
)
OPENING_STOCK = Step(
    "opening_stock",
    _("Opening stock"),
    _("Goods were here before anyone recorded them"),
    Shape.OPENING,
    biz_step="stock_taking",
    disposition="sellable_accessible",
    icon="store",
    optional=("lot", "expiry", "reason"),
    from_statuses=("active", "shipped"),
    quality_only=True,
)
HOLD = Step(
    "hold",
    _("Hold"),
    _("Set goods aside until they are cleared"),
    Shape.OBSERVE,
    biz_step="holding",
    disposition="non_sellable_other",
    icon="lock",
    needs=("reason",),
    from_statuses=("active", "shipped", "partially_dispensed"),
    stops_on=("elsewhere",),
)
RELEASE_HOLD = Step(
    "release_hold",
    _("Release from hold"),
    _("Goods are cleared and can move again"),
    Shape.OBSERVE,
    biz_step="inspecting",
    disposition="conformant",
    icon="check",
    needs=("reason",),
    from_statuses=("active", "partially_dispensed"),
    stops_on=("recalled", "frozen", "from-patient", "unverified"),
    high_risk=True,
    quality_only=True,
)
VERIFY_RETURN = Step(
    "verify_return",
    _("Verify a return"),
    _("Returned goods are compared with their maker's record, each pack or sealed case, and can be sold again"),
    Shape.OBSERVE,
    biz_step="inspecting",
    disposition="sellable_accessible",
    icon="check",
    stops_on=("expired", "recalled", "frozen", "unknown", "elsewhere", "from-patient"),
)
RETURN_IN = Step(
    "return_in",
    _("Take a return"),
    _("Goods come back from a customer or patient"),
    Shape.OBSERVE,
    biz_step="receiving",
    disposition="returned",
    icon="arrow",
    optional=("despatch", "sender", "rma", "reason"),
    from_statuses=("active", "shipped", "dispensed", "partially_dispensed"),
)
DESTROY = Step(
    "destroy",
    _("Destroy"),
    _("Goods are destroyed for good"),
    Shape.DELETE,
    biz_step="destroying",
    disposition="destroyed",
    icon="danger",
    needs=("reason",),
    from_statuses=("active", "shipped", "dispensed", "partially_dispensed"),
    stops_on=("elsewhere", "frozen"),
)
STOLEN = Step(
    "stolen",
    _("Report stolen"),
    _("Goods are missing and believed stolen"),
    Shape.OBSERVE,
    biz_step="other",
    icon="warning",
    needs=("reason",),
    from_statuses=("active", "shipped"),
    stops_on=("elsewhere",),
    persistent=("stolen",),
)
DISPENSE = Step(
    "dispense",
    _("Dispense"),
    _("Hand a pack to a patient"),
    Shape.OBSERVE,
    biz_step="dispensing",
    disposition="dispensed",
    icon="user",
    from_statuses=("active", "partially_dispensed"),
    stops_on=(*MOVES, "from-patient"),
)
DISPENSE_PART = Step(
    "dispense_part",
    _("Dispense a part"),
    _("Open a pack and hand out some of it"),
    Shape.OBSERVE,
    biz_step="dispensing",
    disposition="partially_dispensed",
    icon="user",
    needs=("quantity_left",),
    from_statuses=("active", "partially_dispensed"),
    stops_on=(*MOVES, "from-patient"),
)
UNDO = Step(
    "undo",
    _("Undo a dispensing"),
    _("The last dispensing of a pack did not happen"),
    Shape.UNDO,
    icon="clock",
    needs=("reason",),
    from_statuses=("dispensed", "partially_dispensed"),
    stops_on=("expired", "recalled", "held", "frozen"),
    is_overridable=False,  # EU 2016/161, Article 13: otherwise it never goes back to saleable stock
)
SAMPLE = Step(
    "sample",
    _("Take a sample"),
    _("A pack goes to the laboratory"),
    Shape.OBSERVE,
    biz_step="sampling",
    disposition="unavailable",
    icon="search",
    optional=("reason",),
    stops_on=("elsewhere", "frozen"),
)
EXPORT = Step(
    "export",
    _("Export"),
    _("Goods leave for a country whose medicines are not traced here"),
    Shape.OBSERVE,
    biz_step="shipping",
    disposition="inactive",
    icon="arrow",
    needs=("country",),
    stops_on=MOVES,
)
FOUND = Step(
    "found",
    _("Found again"),
    _("Goods reported stolen have turned up; they stay on hold until they are cleared"),
    Shape.OBSERVE,
    biz_step="holding",
    disposition="non_sellable_other",
    icon="search",
    needs=("reason",),
    from_statuses=("stolen",),
    unset=("stolen",),
    quality_only=True,
)
RECEIVE_AND_SUPPLY = Step(
    "receive_and_supply",
    _("Receive and supply"),
    _("A whole delivery arrives and is handed to the wards: one scan, and no pack is scanned again"),
    Shape.DELIVERY,
    biz_step="receiving",
    disposition="in_progress",
    then=("dispensing", "dispensed"),
    icon="hospital",
    optional=("despatch", "sender"),
    from_statuses=("active", "shipped"),
    stops_on=(*MOVES, "from-patient"),
)
RECEIVE_TO_WARD = Step(
    "receive_to_ward",
    _("Receive to a ward"),
    _("A whole delivery arrives and goes to a ward that opens and dispenses packs itself: one scan"),
    Shape.DELIVERY,
    biz_step="receiving",
    disposition="in_progress",
    then=("stocking", "sellable_accessible"),
    icon="hospital",
    needs=("ward",),
    optional=("despatch", "sender"),
    from_statuses=("active", "shipped"),
    stops_on=(*MOVES, "from-patient"),
)
VERIFY = Step(
    "verify",
    _("Verify only"),
    _("Look at goods; nothing is recorded"),
    Shape.NONE,
    icon="search",
    from_statuses=(
        "active", "shipped", "partially_dispensed", "dispensed", "destroyed", "decommissioned", "sampled", "stolen",
        "exported",
    ),
)  # fmt: skip
