"""Recalls that came by another door: what custody believes is recalled gets notices too, whoever recorded it."""

import secrets
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q

from traceability.capture import selectors as captured
from traceability.capture.models import PublishedEvent
from traceability.common.clock import now_ms
from traceability.custody.models import LotStatus
from traceability.gs1 import digital_link
from traceability.parties import selectors as parties

from . import content as contents
from .content import Content
from .models import Recall, RecallLot


def adopt() -> int:
    """A recall for each event that recalls what no recall here names; how many there were."""
    named = RecallLot.objects.filter(~Q(recall__state=Recall.State.DRAFT), recall__is_drill=False)
    rows = LotStatus.objects.filter(recalled_index__isnull=False).exclude(lot_class__in=named.values("lot_class"))
    by_event: dict[int, list[LotStatus]] = defaultdict(list)
    for row in rows:
        if digital_link.of_class(row.lot_class):  # of a class of another kind custody knows no packs
            by_event[row.recalled_index or 0].append(row)
    events = PublishedEvent.objects.in_bulk(list(by_event))
    bodies = captured.bodies(list(by_event)) if by_event else {}
    owners = parties.parties_by_own_uri({row.recalled_by for row in rows})
    count = 0
    for index, lots in by_event.items():
        owner = owners.get(lots[0].recalled_by)
        if owner is not None and index in events:
            recall = Recall(id=secrets.token_hex(12), owner=owner, event_id=events[index].event_id)
            count += _keep(recall, _content(recall.id, lots, bodies.get(index, {})))
    return count


def _content(recall_id: str, lots: list[LotStatus], body: Mapping[str, Any]) -> Content:
    """What the event says of class and reason, under any prefix; what it does not say has the strictest clocks."""
    said = {name.rpartition(":")[2].rpartition("/")[2]: value for name, value in body.items()}
    level = str(said.get("recallClass", ""))
    level = level if level in contents.CLOCKS else contents.STRICTEST
    return Content(
        recall=recall_id,
        revision=1,
        level=level,
        is_drill=False,
        lots=tuple(sorted(lot for row in lots if (lot := digital_link.of_class(row.lot_class)))),
        reason=_text(said.get("reason")),
        instruction=_text(said.get("instruction")),
        deliver_hours=contents.CLOCKS[level][0],
        answer_hours=contents.CLOCKS[level][1],
    )


def _text(value: Any) -> str:
    return value[: contents.MAX_TEXT] if isinstance(value, str) else ""


def _keep(recall: Recall, content: Content) -> int:
    recall.origin, recall.state = Recall.Origin.EVENT, Recall.State.PUBLISHED
    recall.content, recall.definition = content.public(), content.definition
    recall.created_ms = recall.published_ms = now_ms()
    try:
        with transaction.atomic():
            recall.save(force_insert=True)
            RecallLot.objects.bulk_create(
                RecallLot(recall=recall, gtin=gtin, lot=lot, lot_class=contents.lot_class(gtin, lot))
                for gtin, lot in content.lots
            )
    except IntegrityError:  # another worker came first by a moment
        return 0
    return 1
