"""All that is recorded about one pack: read once, used for the page and for its evidence."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from traceability.capture.models import PublishedEvent
from traceability.custody import selectors as custody
from traceability.custody import stops
from traceability.gs1 import digital_link
from traceability.products import selectors as products
from traceability.products.models import TradeItem
from traceability.scans import in_force

from .codes import OnPack, PackCode

# Steps inside the maker's own walls: until something else happens, a pack counts as not yet shipped.
_AT_THE_MAKER = {
    "commissioning",
    "encoding",
    "packing",
    "unpacking",
    "inspecting",
    "storing",
    "stocking",
    "sampling",
    "staging_outbound",
    "loading",
    "sensor_reporting",
    "creating_class_instance",
    "assembling",
    "collecting",
    "removing",
}


_SALES = {"dispensing", "retail_selling"}


@dataclass(frozen=True)
class Dossier:
    """A pack's effective events (its own and, while inside, its containers') in order, and what they say of it."""

    code: PackCode
    item: TradeItem | None
    past: custody.Past
    events: Sequence[PublishedEvent]
    disowned: Sequence[PublishedEvent]  # events that do not count because of their key
    own: frozenset[int]  # log indexes of the events that name the pack itself
    chain: frozenset[str]  # the pack and the containers it was in, as canonical EPCs
    lot: str
    expiry: date | None
    recall: PublishedEvent | None
    frozen: bool  # its lot, or the place where it stands unsold, by the medicines authority
    status: str  # of custody, containers taken into account; '' when nothing is recorded

    @property
    def lot_class(self) -> str:
        """The lot as EPC class; empty where product or lot is not known. A drug trace code's product has a GTIN too."""
        gtin = _gtin(self.code, self.item)
        return digital_link.lot_class(gtin, self.lot) if gtin and self.lot else ""

    @property
    def on_market(self) -> bool:
        """Whether it has left its maker: another party has recorded it, or the maker something beyond its walls."""
        return _beyond_the_maker(self.events)

    @property
    def was_on_market(self) -> bool:
        """The same, with the records that do not count any more."""
        return _beyond_the_maker([*self.events, *self.disowned])

    @property
    def sales(self) -> Sequence[PublishedEvent]:
        """Whole packs handed out since the last return; undone ones are no events, a double scan counts once."""
        found: list[PublishedEvent] = []
        whole: list[PublishedEvent] = []  # of a container that was handed out with the pack in it
        for event in self.events:
            if event.index not in self.own:
                whole += [event] if _is_sale(event) else []
                continue
            if event.biz_step == "receiving" and event.disposition == "returned":
                found, whole = [], []
            elif _is_sale(event) and not (found and _same_scan(found[-1], event)):
                found.append(event)
        return found or whole[:1]

    def matches(self, given: OnPack) -> bool:
        """Whether the reader has the pack in hand: lot and expiry are what the maker recorded."""
        return bool(self.lot) and given.lot == self.lot and given.expiry is not None and given.expiry == self.expiry


def read(code: PackCode) -> Dossier:
    """The dossier of a pack; empty events when nothing is recorded."""
    item = products.item_by_nmpa(code.nmpa) if code.nmpa else products.item_by_gtin(code.gtin)
    past = custody.past(code.epc)
    steps = past.steps
    events = _effective([step.index for step in steps])
    disowned = PublishedEvent.objects.filter(index__in=past.disowned, declaration_ms=None) if past.disowned else ()
    state = custody.state(code.epc)
    lot = state.item.lot if state else ""
    gtin = _gtin(code, item)
    standing = stops.lot_status(gtin, lot) if gtin else None  # without a lot, what stops the whole product
    return Dossier(
        code=code,
        item=item,
        past=past,
        events=events,
        disowned=list(disowned),
        own=frozenset(step.index for step in steps if step.relation == "own"),
        chain=frozenset([code.epc, *(step.container for step in steps if step.container)]),
        lot=lot,
        expiry=_expiry(gtin, lot, state.item.expiry if state else ""),
        recall=_event(standing.recalled_index) if standing else None,
        frozen=(standing is not None and standing.frozen_index is not None) or _stands_frozen(state),
        status=state.status if state else "",
    )


def day(event: PublishedEvent) -> date:
    """The event's calendar day where it happened: its own UTC offset decides."""
    return datetime.fromtimestamp(event.event_time_ms // 1000 + event.offset_minutes * 60, UTC).date()


def _beyond_the_maker(events: Sequence[PublishedEvent]) -> bool:
    return any(event.reporter != events[0].reporter or event.biz_step not in _AT_THE_MAKER for event in events)


def _is_sale(event: PublishedEvent) -> bool:
    return event.biz_step in _SALES and event.disposition != "partially_dispensed"


def _same_scan(first: PublishedEvent, again: PublishedEvent) -> bool:
    window_ms = in_force.current().rules.double_scan_s * 1000
    return first.reporter == again.reporter and again.event_time_ms - first.event_time_ms <= window_ms


def _effective(indexes: Sequence[int]) -> list[PublishedEvent]:
    rows = PublishedEvent.objects.filter(index__in=indexes, voided_by=None, declaration_ms=None)
    return list(rows.order_by("event_time_ms", "event_id"))


def _gtin(code: PackCode, item: TradeItem | None) -> str:
    return code.gtin or (item.gtin if item else None) or ""


def _expiry(gtin: str, lot: str, recorded: str) -> date | None:
    """The last valid day: as committed with the pack (an ISO 8601 date or time), else as the lot's master data says."""
    try:
        return date.fromisoformat(recorded[:10])
    except ValueError:
        row = products.lot(gtin, lot) if lot and gtin else None
        return row.expiry_date if row else None


def _event(index: int | None) -> PublishedEvent | None:
    return PublishedEvent.objects.filter(index=index).first() if index is not None else None


def _stands_frozen(state: custody.Located | None) -> bool:
    """What was sold before is no longer at the place."""
    return state is not None and bool(stops.frozen_places([state.place])) and state.status != "dispensed"
