"""What an exception is called, and the message to the partner, in the active language."""

from collections.abc import Sequence

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from traceability.contracts import wording
from traceability.epcis.documents import document_number
from traceability.gs1.epc import NMPA_PREFIX

from .models import ExceptionGoods, ExceptionItem

KINDS = {
    "product-no-data": gettext_lazy("Product without data"),
    "data-no-product": gettext_lazy("Data without product"),
    "data-issue": gettext_lazy("Wrong data"),
    "packaging": gettext_lazy("Packaging or label"),
    "unavailable": gettext_lazy("Not available for distribution"),
}
HINTS = {
    "product-no-data": gettext_lazy("Goods are here, and the supplier's data about them is not."),
    "data-no-product": gettext_lazy("The supplier's data says they were sent, and they are not here."),
    "data-issue": gettext_lazy("Data and goods differ: lot, expiry date, receiver, quantity."),
    "packaging": gettext_lazy("Damaged, unreadable or wrongly labelled."),
    "unavailable": gettext_lazy("Expired, blocked or for other reasons not to be sold."),
}
_ASKS = {
    "product-no-data": gettext_lazy(
        "We have received these goods, and no record of their despatch to us has arrived. Please send it (EPCIS events"
        " of their making and despatch), or tell us that they were sent by mistake."
    ),
    "data-no-product": gettext_lazy(
        "According to your records these goods were sent to us. We have not received them. Please find out where they"
        " are, or call the despatch back in your records."
    ),
    "data-issue": gettext_lazy(
        "Your records of these goods differ from the goods. Please correct them (an error declaration and the"
        " corrected event), or tell us that our goods are wrong."
    ),
    "packaging": gettext_lazy(
        "The packaging or the label of these goods is not in order. Please tell us what we shall do with them."
    ),
    "unavailable": gettext_lazy("These goods cannot be sold. Please tell us what we shall do with them."),
}
SHOWN = 50  # goods named in a message


def reference(item: ExceptionItem) -> str:
    """What people call it by: the first eight characters of its id."""
    return item.id[:8].upper()


def subject(item: ExceptionItem) -> str:
    """The message's subject line."""
    return _("Exception {reference}: {kind}").format(reference=reference(item), kind=KINDS[item.kind])


def message(item: ExceptionItem, goods: Sequence[ExceptionGoods], *, due: str) -> str:
    """The message to the partner, ready to be sent. `due`: the end of the clock in words."""
    number = wording.short(document_number(item.despatch))
    lines = [
        _("To: {partner}").format(partner=item.partner.name if item.partner else "—"),
        _("From: {party}").format(party=item.party.name),
        _("Reference: {reference}").format(reference=reference(item)),
        *([_("Despatch advice: {number}").format(number=number)] if number else []),
        "",
        str(_ASKS[item.kind]),
        "",
        _("What we saw: {note}").format(note=item.note),
        "",
        *(shown(row) for row in goods[:SHOWN]),
        *([_("and {n} more").format(n=len(goods) - SHOWN)] if len(goods) > SHOWN else []),
        "",
        _("The goods are on hold until this is cleared up. We ask for an answer by {due}.").format(due=due)
        if any(row.held for row in goods)
        else _("We ask for an answer by {due}.").format(due=due),
    ]
    return "\n".join(lines)


def shown(row: ExceptionGoods) -> str:
    """A thing as printed on it, with lot and expiry date where the code says them."""
    name = row.epc.removeprefix(NMPA_PREFIX) if row.epc.startswith(NMPA_PREFIX) else wording.short(row.epc)
    return name + (f"(10){row.lot}" if row.lot else "") + (f" {row.expiry}" if row.expiry else "")
