"""Who is told: after custody has moved, every party that holds packs of a recall has a notice of exactly these.

Called by a worker every few seconds; losing or doubling a call costs time only.
"""

import secrets
from collections.abc import Iterable, Mapping

from django.db import transaction
from django.db.models import F

from traceability.capture.models import PublishedEvent
from traceability.common.clock import now_ms
from traceability.common.models import Cursor
from traceability.custody.models import LotStatus
from traceability.parties import selectors as parties
from traceability.parties.models import Party

from . import content as contents
from . import found, gather
from .holdings import Holding
from .models import Notice, NoticeVersion, Recall

HOUR_MS = 3600 * 1000
LOOKS = 20  # recalls looked at in one round
# A large lot takes a second to count, so it is not counted every few seconds.
REST_MS, REST_NS_A_PACK = 5_000, 60_000


def run() -> int:
    """Look for the holders of each recall that is due; how many notices were given or renewed."""
    found.adopt()
    position, now = custody_position(), now_ms()
    due = Recall.objects.filter(state=Recall.State.PUBLISHED, due_ms__lte=now, looked_index__lt=position)
    return sum(look(one, position) for one in list(due.order_by("due_ms", "id")[:LOOKS]))


def custody_position() -> int:
    """How many entries custody has folded."""
    return Cursor.objects.filter(projection="custody").values_list("position", flat=True).first() or 0


def is_in_force(recall: Recall, position: int) -> bool:
    """Whether what it recalls is recalled: its event may have been declared void since, or its key ended."""
    row = PublishedEvent.objects.filter(
        event_id=recall.event_id, reporter=recall.owner.uri, declaration_ms__isnull=True
    ).first()
    if row is None or row.index >= position:
        return recall.state != Recall.State.DRAFT  # nobody has folded it yet
    if recall.is_drill:
        return row.voided_by is None
    classes = recall.lots.values("lot_class")
    return LotStatus.objects.filter(lot_class__in=classes, recalled_index__isnull=False).exists()


def look(recall: Recall, position: int) -> int:
    """Give and renew the notices of one recall, as custody stood at `position`; how many.

    Counting reads without a lock: should custody move meanwhile, the next look sees that by its position.
    """
    if not is_in_force(recall, position):
        holdings: dict[str, Holding] = {}
        if not recall.notices.exists():
            Recall.objects.filter(id=recall.id).update(looked_index=position)
            return 0
    else:
        holdings = gather.held(lots_of(recall))
    registered = parties.parties_by_own_uri(list(holdings))
    with transaction.atomic():
        held = Recall.objects.select_for_update().get(id=recall.id)
        if held.state != Recall.State.PUBLISHED or held.looked_index >= position:
            return 0
        changes = _Changes(held, position)
        for holder, mine in holdings.items():
            changes.put(holder, mine, registered.get(holder))
        changes.empty(set(holdings))
        changes.save()
        held.looked_index = position
        held.due_ms = changes.now + REST_MS + sum(one.packs for one in holdings.values()) * REST_NS_A_PACK // 10**6
        held.save(update_fields=["looked_index", "due_ms"])
    return len(changes.versions)


def lots_of(recall: Recall) -> set[tuple[str, str]]:
    """The lots of a recall by (GTIN, lot); of a whole product those that have packs."""
    pairs = set(recall.lots.values_list("gtin", "lot"))
    whole = {gtin for gtin, lot in pairs if not lot}
    return {pair for pair in pairs if pair[1]} | {(gtin, lot) for gtin in whole for lot in gather.lots_of(gtin)}


class _Changes:
    """The notices of a recall as they are, and what becomes of them."""

    def __init__(self, recall: Recall, position: int) -> None:
        self.recall, self.position, self.now = recall, position, now_ms()
        self.content = contents.of_public(recall.content)
        self.known: dict[str, Notice] = {one.holder: one for one in recall.notices.all()}
        newest = NoticeVersion.objects.filter(notice__recall=recall, number=F("notice__version"))
        self.digests: Mapping[int | str, str] = dict(newest.values_list("notice_id", "digest"))
        self.fresh: list[Notice] = []
        self.changed: list[Notice] = []
        self.versions: list[NoticeVersion] = []

    def put(self, holder: str, mine: Holding, party: Party | None) -> None:
        """A new notice, or a new version of one whose packs are others by now."""
        known = self.known.get(holder)
        if known is None:
            notice = Notice(id=secrets.token_hex(12), recall=self.recall, holder=holder, party=party)
            notice.created_ms = self.now
            self._start_clocks(notice)
            self.fresh.append(notice)
        elif self.digests.get(known.id) == mine.digest:
            return
        else:
            notice = known
            notice.version += 1
            if notice.answered_index is not None and mine.packs and mine.moved_index > notice.answered_index:
                # Something came, or was recorded of what is there, after the answer: it is told and answers anew.
                notice.delivered_ms = notice.opened_ms = notice.answered_ms = notice.answered_index = None
                notice.to_send = True
                self._start_clocks(notice)
            self.changed.append(notice)
        notice.packs, notice.supplied, notice.moved_index = mine.packs, mine.supplied, mine.moved_index
        self.versions.append(
            NoticeVersion(
                notice=notice, number=notice.version, packs=mine.packs, supplied=mine.supplied, places=mine.rows(),
                digest=mine.digest, as_of_index=self.position - 1, at_ms=self.now,
            )
        )  # fmt: skip

    def empty(self, holders: Iterable[str]) -> None:
        """Parties that have nothing of it any more keep their notice, of no pack."""
        for holder in self.known.keys() - set(holders):
            self.put(holder, Holding(), None)

    def save(self) -> None:
        Notice.objects.bulk_create(self.fresh, batch_size=500)
        Notice.objects.bulk_update(
            self.changed,
            ["version", "packs", "supplied", "moved_index", "deliver_by_ms", "answer_by_ms", "delivered_ms",
             "opened_ms", "answered_ms", "answered_index", "to_send"],
            batch_size=500,
        )  # fmt: skip
        NoticeVersion.objects.bulk_create(self.versions, batch_size=500)

    def _start_clocks(self, notice: Notice) -> None:
        notice.deliver_by_ms = self.now + self.content.deliver_hours * HOUR_MS
        notice.answer_by_ms = self.now + self.content.answer_hours * HOUR_MS
