"""Looks whether data that exceptions wait for has arrived; what has is resolved and its goods released."""

import logging

from traceability.common import bulk
from traceability.common.problems import ProblemError
from traceability.visibility import rules

from . import arrival, gather, services
from .models import ExceptionGoods, ExceptionItem

log = logging.getLogger(__name__)

AT_ONCE = 200


def look() -> int:
    """One round over those that have not been looked at since the log went on; how many were resolved.

    Crash anywhere: an exception is looked at again, and one that was resolved stays so.
    """
    horizon = rules.horizon()
    waiting = ExceptionItem.objects.filter(waits=True, looked_index__lt=horizon).select_related("party")
    items = list(waiting.order_by("looked_index", "id")[:AT_ONCE])
    if not items:
        return 0
    rows = list(bulk.among(ExceptionGoods.objects.all(), "item_id", [item.id for item in items]))
    goods = gather.goods_of(items, rows)
    settled = sum(_settled(item) for item in items if arrival.has_arrived(item.kind, goods[item.id]))
    ExceptionItem.objects.filter(id__in=[item.id for item in items]).update(looked_index=horizon)
    return settled


def _settled(item: ExceptionItem) -> bool:
    """False when its goods must stay on hold for now: it is looked at again when the log goes on."""
    try:
        return services.settle(item)
    except ProblemError as problem:
        log.warning("not released", extra={"exception": item.id, "code": problem.code})
        return False
