"""Exceptions as the portal and the regulator show them."""

from collections.abc import Iterable, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from traceability.common.clock import now_ms
from traceability.exceptions import selectors, wording
from traceability.exceptions.models import ExceptionGoods, ExceptionItem, ExceptionStep
from traceability.exchange.models import Channel, Delivery
from traceability.parties.models import Party

from . import delivery_rows, names
from .names import lasted

STATES = {
    "open": (gettext_lazy("Open"), "is-warn"),
    "asked": (gettext_lazy("Partner was asked"), "is-unknown"),
    "answered": (gettext_lazy("Partner has answered"), "is-warn"),
    "escalated": (gettext_lazy("Before the regulator"), "is-danger"),
    "resolved": (gettext_lazy("Resolved"), "is-ok"),
}


def rows(items: Iterable[ExceptionItem], zone: ZoneInfo) -> list[dict[str, Any]]:
    """The lines of a list, each with the number of its goods."""
    found = list(items)
    counted, commented = selectors.counts(found), selectors.commented(found)
    return [row(item, zone) | {"things": counted.get(item.id, 0), "commented": item.id in commented} for item in found]


def row(item: ExceptionItem, zone: ZoneInfo) -> dict[str, Any]:
    """A line of a list: what, where it stands, what its clock says."""
    text, tone = STATES[item.state]
    is_open, left_ms = item.state != ExceptionItem.State.RESOLVED, item.due_ms - now_ms()
    words = _("{time} left") if left_ms >= 0 else _("overdue by {time}")
    return {
        "item": item,
        "reference": wording.reference(item),
        "kind": wording.KINDS[item.kind],
        "state": text,
        "tone": tone,
        "clock": words.format(time=lasted(abs(left_ms))) if is_open else "",
        "overdue": is_open and left_ms < 0,
        "opened": names.moment(item.opened_ms, zone),
        "due": names.moment(item.due_ms, zone),
    }


def one(item: ExceptionItem, goods: Sequence[ExceptionGoods], zone: ZoneInfo, *, party: Party) -> dict[str, Any]:
    """What an exception shows to `party`, which may see it; `answer` is the partner's that nobody has acted on.

    A comment of the regulator is no act: the party decides.
    """
    steps = [_step(item, step, zone) for step in selectors.steps(item, party=party)]
    acts = [step for step in steps if not step["is_comment"]]
    return {
        "row": row(item, zone),
        "item": item,
        "number": names.short_document(item.despatch),
        "place": names.Names().place(item.place),
        "goods": [(wording.shown(thing), thing.epc, thing.held) for thing in goods],
        "answer": acts[-1] if acts and acts[-1]["is_answer"] else None,
        "steps": steps,
    }


def _step(item: ExceptionItem, step: ExceptionStep, zone: ZoneInfo) -> dict[str, Any]:
    is_answer, is_comment = step.state == ExceptionItem.State.ANSWERED, step.state == ExceptionStep.COMMENTED
    who = (item.partner if is_answer and item.partner else item.party).name
    if is_comment:
        who = _("The regulator")
    return {
        "is_answer": is_answer,
        "is_comment": is_comment,
        "at": names.moment(step.at_ms, zone),
        "state": _("Comment") if is_comment else STATES[step.state][0],
        "who": who if step.actor else _("This house: the missing data has arrived"),
        "comment": step.comment,
        "events": len(step.event_ids),
        "message": _message(step.delivery, zone) if step.delivery else None,
    }


def _message(delivery: Delivery, zone: ZoneInfo) -> dict[str, Any]:
    """The message that went out with a step, and its log."""
    text, tone = delivery_rows.STATES[delivery.state]
    return {
        "delivery": delivery,
        "way": delivery_rows.WAYS[delivery.channel.way],
        "state": text,
        "tone": tone,
        "steps": delivery_rows.steps(delivery, zone),
        "may_go_on": delivery.channel.state == Channel.State.ACTIVE,
    }
