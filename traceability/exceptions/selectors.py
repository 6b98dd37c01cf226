"""Reading exceptions: a party's own, those that it was asked about, those escalated to the regulator."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from django.db.models import Count, OuterRef, Q, QuerySet, Subquery

from traceability.common.clock import now_ms
from traceability.parties.models import Party

from .models import ExceptionGoods, ExceptionItem, ExceptionStep

DAY_MS = 86_400_000
AGES = (2, 7, 30)  # whole days open: up to each of these, and longer
_State = ExceptionItem.State
UNRESOLVED = (_State.OPEN, _State.ASKED, _State.ANSWERED, _State.ESCALATED)
# Filters of the desk's address: name -> the values that it takes.
STATES: Mapping[str, tuple[str, ...]] = {
    "": UNRESOLVED,
    "open": ("open",),
    "asked": ("asked",),
    "answered": ("answered",),
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


def unresolved() -> QuerySet[ExceptionItem]:
    """Everybody's, for the regulator's report: that there is one, since when and with whom."""
    return _filtered(ExceptionItem.objects.all(), {})


@dataclass(frozen=True)
class Ages:
    """How many exceptions have been open how long, in the order of `AGES`, and what is pressing among them."""

    by_age: tuple[int, ...]
    by_kind: Mapping[str, int]
    overdue: int
    escalated: int


def ages(rows: QuerySet[ExceptionItem], *, at_ms: int) -> Ages:
    """These exceptions counted; one query."""
    # An exception has been open n whole days from opened + n days on: up to n means opened after now - (n + 1) days.
    limits = [at_ms - (days + 1) * DAY_MS for days in AGES]
    spans = [
        Q(opened_ms__gt=limits[0]),
        *(Q(opened_ms__lte=newer, opened_ms__gt=older) for newer, older in pairwise(limits)),
        Q(opened_ms__lte=limits[-1]),
    ]
    wanted = {f"age_{number}": Count("id", filter=span) for number, span in enumerate(spans)}
    wanted |= {f"kind_{kind}": Count("id", filter=Q(kind=kind)) for kind in ExceptionItem.Kind.values}
    found = rows.order_by().aggregate(
        **wanted,
        overdue=Count("id", filter=Q(due_ms__lt=at_ms)),
        escalated=Count("id", filter=~Q(escalated_ms=None)),
    )
    return Ages(
        by_age=tuple(found[f"age_{number}"] for number in range(len(spans))),
        by_kind={kind: found[f"kind_{kind}"] for kind in ExceptionItem.Kind.values},
        overdue=found["overdue"],
        escalated=found["escalated"],
    )


def oldest(rows: QuerySet[ExceptionItem], *, after: tuple[int, str] | None, limit: int) -> list[ExceptionItem]:
    """The next of these after a place (opened_ms, id), the one that has been open longest first."""
    if after is not None:
        opened_ms, item_id = after
        rows = rows.filter(Q(opened_ms__gt=opened_ms) | Q(opened_ms=opened_ms, id__gt=item_id))
    return list(rows.order_by("opened_ms", "id")[:limit])


def place_of(text: str) -> tuple[int, str] | None:
    """A place as `opened_ms-id`; None for anything else: the beginning."""
    opened_ms, _dash, item_id = text.partition("-")
    is_number = opened_ms.isascii() and opened_ms.isdigit() and len(opened_ms) < 16
    return (int(opened_ms), item_id) if is_number and item_id.isalnum() else None


def days_open(item: ExceptionItem, *, at_ms: int) -> int:
    """Whole days since it was opened."""
    return max(at_ms - item.opened_ms, 0) // DAY_MS


def find(item_id: str, *, party: Party) -> ExceptionItem | None:
    """An exception of the party, that it was asked about, or, for a regulator, that was escalated; else None."""
    mine = Q(party=party) | (Q(partner=party) & ~Q(asked_ms=None))
    if party.has_role(Party.Role.REGULATOR):
        mine |= ~Q(escalated_ms=None)
    return ExceptionItem.objects.select_related("party", "partner").filter(mine, id=item_id).first()


def asked_one(item_id: str, *, party: Party) -> ExceptionItem | None:
    """An exception that a partner asks the party about, or None."""
    return asked_of(party, {"state": "all"}).filter(id=item_id).first()


def unanswered_count(party: Party) -> int:
    """How many exceptions that partners asked the party about wait for its answer, or for the goods or data."""
    waiting = set(UNRESOLVED) - {_State.ANSWERED}
    return ExceptionItem.objects.filter(partner=party, state__in=waiting).exclude(asked_ms=None).count()


def steps(item: ExceptionItem, *, party: Party) -> list[ExceptionStep]:
    """What became of an exception as `party` may read it, with what became of each message that went out.

    What the regulator says is for the party whose exception it is, not for the partner that it asks.
    """
    found = item.steps.select_related("delivery__channel").defer("delivery__body")
    if party != item.party and not party.has_role(Party.Role.REGULATOR):
        found = found.exclude(state=ExceptionStep.COMMENTED)
    return list(found.prefetch_related("delivery__steps").order_by("id"))


def commented(items: Collection[ExceptionItem]) -> set[str]:
    """Those of these exceptions that are not resolved and on which the regulator spoke last, by id."""
    newest = ExceptionStep.objects.filter(item=OuterRef("pk")).order_by("-id").values("state")[:1]
    rows = ExceptionItem.objects.filter(id__in=[item.id for item in items]).exclude(state=_State.RESOLVED)
    said = rows.alias(newest=Subquery(newest)).filter(newest=ExceptionStep.COMMENTED)
    return set(said.values_list("id", flat=True))


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
