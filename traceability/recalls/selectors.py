"""Reading recalls: for their owner and the regulator all of it, for a holder its own notices only."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Exists, F, OuterRef, Prefetch, Q, QuerySet, Sum

from traceability.capture.models import PublishedEvent
from traceability.common.clock import now_ms
from traceability.custody import lot_packs
from traceability.custody.lot_count import Balance
from traceability.parties.models import Member, Party

from . import reach, standing
from .models import Acknowledgement, Notice, NoticeStep, NoticeVersion, Recall, RecallSignature
from .responses import COUNTS


@dataclass(frozen=True)
class Progress:
    """How far the telling is. Packs are those of all notices; `set_aside` and `answered_packs` as holders counted."""

    notices: int
    delivered: int
    opened: int
    answered: int
    packs: int
    answered_packs: int
    counts: dict[str, int]
    late: int  # on the call list

    @property
    def answered_percent(self) -> int:
        """Rounded down: 100 only when everybody has answered."""
        return 100 * self.answered // self.notices if self.notices else 0

    @property
    def set_aside_percent(self) -> int:
        return min(100, 100 * self.counts["set_aside"] // self.packs) if self.packs else 0


def owned(party: Party) -> QuerySet[Recall]:
    """A party's recalls, drafts first; a regulator sees all that are published as well."""
    rows = Recall.objects.select_related("owner").prefetch_related("lots")
    mine = Q(owner=party)
    if party.has_role(Party.Role.REGULATOR):
        mine |= ~Q(state=Recall.State.DRAFT)
    return rows.filter(mine).order_by(F("published_ms").desc(nulls_first=True), "-created_ms", "id")


def find(party: Party, recall_id: str) -> Recall | None:
    """A recall that the party may see whole, or None."""
    return owned(party).filter(id=recall_id).first()


def is_signer(party: Party, role: str) -> bool:
    """Whether people of that role of a party draft and sign recalls."""
    return standing.may_sign(party, role)


def signatures(recall: Recall) -> list[tuple[str, str, int]]:
    """(user name, pseudonym, time) of those who signed the content as it stands."""
    rows = recall.signatures.filter(definition=recall.definition).select_related("member__user")
    return [(row.member.user.get_username(), row.member.pseudonym, row.at_ms) for row in rows.order_by("at_ms")]


def balances(recall: Recall) -> dict[tuple[str, str], Balance]:
    """The balance of each lot as it is now; lots without packs are empty balances.

    Packs of a whole product of which nobody recorded the lot are in no balance.
    """
    return {lot: lot_packs.lot_balance(*lot) for lot in sorted(reach.lots_of(recall)) if lot[1]}


def notices(recall: Recall) -> QuerySet[Notice]:
    """A recall's notices, those still to be answered first."""
    rows = recall.notices.select_related("party").prefetch_related(
        Prefetch("versions", NoticeVersion.objects.order_by("-number")),
        Prefetch("acknowledgements", Acknowledgement.objects.order_by("-at_ms")),
        Prefetch("steps", NoticeStep.objects.order_by("id")),
    )
    return rows.order_by(F("answered_ms").asc(nulls_first=True), "answer_by_ms", "holder")


def concerns() -> Q:
    """Notices that there is something to do about: packs to set aside, or packs that were supplied."""
    return Q(packs__gt=0) | Q(supplied__gt=0)


def late(recall: Recall, *, at_ms: int | None = None) -> QuerySet[Notice]:
    """The call list: not delivered in the clock, not answered in the clock, or nobody is registered to be told."""
    now = now_ms() if at_ms is None else at_ms
    is_late = Q(delivered_ms=None, deliver_by_ms__lt=now) | Q(answered_ms=None, answer_by_ms__lt=now)
    unreachable = Q(party=None, delivered_ms=None)
    return notices(recall).filter(concerns(), is_late | unreachable)


def progress(recall: Recall) -> Progress:
    """The state of the telling; four queries."""
    rows = recall.notices.filter(concerns())
    found = rows.aggregate(
        answered_packs=Sum("packs", filter=Q(answered_ms__isnull=False), default=0),
        notices=Count("id"),
        delivered=Count("delivered_ms"),
        opened=Count("opened_ms"),
        answered=Count("answered_ms"),
        packs=Sum("packs", default=0),
    )
    counts = dict.fromkeys(COUNTS, 0)
    newest: dict[str, Acknowledgement] = {}
    for row in Acknowledgement.objects.filter(notice__recall=recall).order_by("at_ms", "statement_hash"):
        newest[row.notice_id] = row
    for row in newest.values():
        for name in COUNTS:
            counts[name] += row.counts[name]
    return Progress(**found, counts=counts, late=late(recall).count())


def notices_of(party: Party) -> QuerySet[Notice]:
    """The party's own notices, those to be answered first, then the newest."""
    rows = Notice.objects.filter(party=party).select_related("recall__owner", "party").prefetch_related("recall__lots")
    return rows.order_by(F("answered_ms").asc(nulls_first=True), "-created_ms", "id")


def behind(rows: QuerySet[Notice], after: Sequence[Any] | None) -> QuerySet[Notice]:
    """The newest first, those behind a notice (its time and id)."""
    if after is not None:
        created_ms, name = after
        rows = rows.filter(Q(created_ms__lt=created_ms) | Q(created_ms=created_ms, id__lt=name))
    return rows.order_by("-created_ms", "-id")


def open_count(party: Party) -> int:
    """How many notices the party has to answer."""
    return Notice.objects.filter(
        concerns(), party=party, answered_ms=None, recall__state=Recall.State.PUBLISHED
    ).count()


def notice_of(party: Party, notice_id: str) -> Notice | None:
    """The party's own notice of that id, or None."""
    return notices_of(party).filter(id=notice_id).first()


def of_event(event: PublishedEvent) -> Recall | None:
    """The recall that an event published, signed here and no drill; what the public is told of it beside the event."""
    found = Recall.objects.filter(event_id=event.event_id, owner_id=event.reporter.rpartition(":")[2], is_drill=False)
    return found.exclude(state=Recall.State.DRAFT).first()


def waiting_for(member: Member) -> int:
    """The drafts of the member's party that another person has signed as they stand, and this one has not."""
    if not is_signer(member.party, member.role):
        return 0
    signed = RecallSignature.objects.filter(recall=OuterRef("pk"), definition=OuterRef("definition"))
    drafts = Recall.objects.filter(owner=member.party, state=Recall.State.DRAFT)
    return drafts.filter(Exists(signed), ~Exists(signed.filter(member=member))).count()


def names_of(pseudonyms: Collection[str]) -> dict[str, str]:
    """User names by pseudonym, for the pages of those who may know them."""
    return dict(Member.objects.filter(pseudonym__in=pseudonyms).values_list("pseudonym", "user__username"))
