"""Reading exceptions: a party's own, those that it was asked about, those escalated to the regulator."""

from collections.abc import Collection, Mapping
from typing import Any

from django.db.models import Count, Q, QuerySet

from traceability.common.clock import now_ms
from traceability.parties.models import Party

from .models import ExceptionGoods, ExceptionItem

UNRESOLVED = (ExceptionItem.State.OPEN, ExceptionItem.State.ASKED, ExceptionItem.State.ESCALATED)
# Filters of the desk's address: name -> the values that it takes.
STATES: Mapping[str, tuple[str, ...]] = {
    "": UNRESOLVED,
    "open": ("open",),
    "asked": ("asked",),
    "escalated": ("escalated",),
    "resolved": ("resolved",),
    "all": (*UNRESOLVED, "resolved"),
}


def of_party(party: Party, filters: Mapping[str, Any]) -> QuerySet[ExceptionItem]:
    """The party's exceptions, the one whose clock runs out first before others; filters state, kind, overdue."""
    return _filtered(ExceptionItem.objects.filter(party=party), filters)


def asked_of(party: Party, filters: Mapping[str, Any]) -> QuerySet[ExceptionItem]:
    """What partners have asked the party about."""
    return _filtered(ExceptionItem.objects.filter(partner=party).exclude(asked_ms=None), filters)


def escalated(filters: Mapping[str, Any]) -> QuerySet[ExceptionItem]:
    """What parties have brought before the regulator."""
    return _filtered(ExceptionItem.objects.exclude(escalated_ms=None), filters)


def find(item_id: str, *, party: Party) -> ExceptionItem | None:
    """An exception of the party, that it was asked about, or, for a regulator, that was escalated; else None."""
    mine = Q(party=party) | (Q(partner=party) & ~Q(asked_ms=None))
    if party.has_role(Party.Role.REGULATOR):
        mine |= ~Q(escalated_ms=None)
    return ExceptionItem.objects.select_related("party", "partner").filter(mine, id=item_id).first()


def open_count(party: Party) -> int:
    """How many exceptions of the party, or that it was asked about, are not resolved."""
    mine = Q(party=party) | (Q(partner=party) & ~Q(asked_ms=None))
    return ExceptionItem.objects.filter(mine, state__in=UNRESOLVED).count()


def counts(items: Collection[ExceptionItem]) -> dict[str, int]:
    """How many goods each of these exceptions is about, by its id."""
    goods = ExceptionGoods.objects.filter(item__in=[item.id for item in items])
    return dict(goods.values_list("item_id").annotate(things=Count("id")))


def _filtered(rows: QuerySet[ExceptionItem], filters: Mapping[str, Any]) -> QuerySet[ExceptionItem]:
    rows = rows.filter(state__in=STATES.get(str(filters.get("state", "")), UNRESOLVED))
    if filters.get("kind") in ExceptionItem.Kind.values:
        rows = rows.filter(kind=filters["kind"])
    if filters.get("overdue"):
        rows = rows.filter(due_ms__lt=now_ms()).exclude(state=ExceptionItem.State.RESOLVED)
    return rows.select_related("party", "partner").order_by("due_ms", "id")
