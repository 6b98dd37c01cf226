"""What the consumer's page may show about a pack, and the evidence under the same rule.

The code alone gives one verdict and the recall notice, and evidence that the code was recorded. Lot and expiry, which
stand on the pack, open the rest. A pack that nobody recorded and one that has not left its maker look the same.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from ledger import api as ledger
from traceability.capture.models import PublishedEvent
from traceability.common.models import Document
from traceability.parties import selectors as parties
from traceability.products.models import TradeItem
from traceability.recalls import selectors as recalls
from traceability.visibility import public
from traceability.web.shared import recall_words

from . import dossier, findings, journey, temperature
from .codes import OnPack, PackCode
from .dossier import Dossier
from .verdict import Outcome, PackFacts, decide

_WITHDRAWN = {"destroyed", "decommissioned", "sampled", "stolen"}


@dataclass(frozen=True)
class Recall:
    """The recall of a pack's batch: the day, who called it back, and what two people of that party signed of it.

    `level` is the class in words, '' where none was named.
    """

    day: date
    party_name: str
    level: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Details:
    """What whoever holds the pack may see."""

    item: TradeItem | None
    lot: str
    lot_class: str
    expiry: date
    sale: str
    journey: Sequence[journey.Step]
    cold_chain: temperature.Summary


@dataclass(frozen=True)
class Answer:
    """The page's content. `unmatched`: lot or expiry were given and do not fit, or there is nothing to fit.

    `disowned`: a record about the pack was withdrawn, since the key that signed it is not trusted any more.
    """

    outcome: Outcome
    code: PackCode | None
    unmatched: bool = False
    recall: Recall | None = None
    details: Details | None = None
    disowned: bool = False

    @property
    def has_evidence(self) -> bool:
        return self.outcome not in {Outcome.SERIAL_UNKNOWN, Outcome.PRODUCT_UNKNOWN, Outcome.CANNOT_CHECK}


def recall_of(event: PublishedEvent) -> Recall:
    """The recall that an event records, as the public is told of it."""
    found = recalls.of_event(event)
    said = found.content if found else {"class": "", "reason": ""}
    level = str(recall_words.CLASSES.get(said["class"], ""))
    return Recall(dossier.day(event), journey.party_name(event.reporter), level, said["reason"])


def look_up(code: PackCode, given: OnPack, *, now_ms: int) -> Answer:
    """The answer to a scan at `now_ms`."""
    pack = dossier.read(code)
    in_hand = pack.matches(given)
    unmatched = not in_hand and (bool(given.lot) or given.expiry is not None)
    disowned = bool(pack.disowned) and (in_hand or pack.was_on_market)
    if not (pack.on_market or in_hand):
        unknown = decide(PackFacts(pack.item is not None, on_market=False))
        return Answer(unknown, code, unmatched, disowned=disowned)
    exposure = temperature.exposure(code.epc, pack.item.profile if pack.item else None, pack.past)
    outcome = decide(_facts(pack, exposure, now_ms))
    recall = recall_of(pack.recall) if pack.recall else None
    details = _details(pack, exposure) if in_hand else None
    return Answer(outcome, code, unmatched, recall, details, disowned)


def evidence(code: PackCode, given: OnPack) -> dict[str, Any] | None:
    """The evidence bundle for a scan, or None where the page has nothing to prove."""
    pack = dossier.read(code)
    in_hand = pack.matches(given)
    if not pack.events or not (pack.on_market or in_hand):
        return None
    events = [*pack.events, *([pack.recall] if pack.recall else [])] if in_hand else _first_of(pack)
    names = public.claim_names(in_hand=in_hand)
    documents = Document.objects.in_bulk([event.statement_hash for event in events])
    requests = [_request(documents[event.statement_hash], names) for event in _once(events, documents)]
    bundle = ledger.evidence(requests)
    concerns = public.concerns(pack.chain if in_hand else frozenset([code.epc]), pack.lot_class)
    for entry in bundle["entries"]:
        entry["claims"] = [item for item in entry["claims"] if concerns(item["claim"])]
    return bundle


def _facts(pack: Dossier, exposure: temperature.Exposure, now_ms: int) -> PackFacts:
    held = findings.about(pack.chain, [event.index for event in pack.events])
    return PackFacts(
        product_known=pack.item is not None,
        on_market=True,
        recalled=pack.recall is not None,
        withdrawn=pack.status in _WITHDRAWN,
        frozen=pack.frozen,
        expired=pack.expiry is not None and pack.expiry < _today(pack, now_ms),
        dispensed=len(pack.sales),
        copied=held.copied,
        temperature=held.temperature or bool(exposure.excursions),
    )


def _today(pack: Dossier, now_ms: int) -> date:
    """The calendar day where the pack was seen last; an expiry is a local date.

    Of a place that is not registered, or of goods under way, the last event's own offset from UTC tells it.
    """
    return datetime.fromtimestamp(now_ms / 1000, _zone(pack.events[-1]) if pack.events else UTC).date()


def _zone(event: PublishedEvent) -> tzinfo:
    site = parties.site_by_uri(event.biz_location) if event.biz_location else None
    return ZoneInfo(site.time_zone) if site else timezone(timedelta(minutes=event.offset_minutes))


def _details(pack: Dossier, exposure: temperature.Exposure) -> Details:
    assert pack.expiry is not None  # matches() has compared it
    return Details(
        item=pack.item,
        lot=pack.lot,
        lot_class=pack.lot_class,
        expiry=pack.expiry,
        sale=_sales(len(pack.sales)),
        journey=journey.steps(pack.events),
        cold_chain=temperature.summary(exposure),
    )


def _sales(count: int) -> str:
    if count > 1:
        return _("{count} times").format(count=count)
    return _("Once") if count else _("No sale is recorded")


def _first_of(pack: Dossier) -> list[PublishedEvent]:
    """The event that first recorded the code itself."""
    return [event for event in pack.events if event.index in pack.own][:1]


def _once(events: Sequence[PublishedEvent], documents: dict[str, Document]) -> list[PublishedEvent]:
    """Each event whose content is held here, once: a recall may be in the history too."""
    held = {event.index: event for event in events if event.statement_hash in documents}
    return [held[index] for index in sorted(held)]


def _request(document: Document, names: frozenset[str]) -> tuple[str, dict[str, Any], bytes, Callable[[str], bool]]:
    return document.statement_hash, _body(document), bytes(document.secret), names.__contains__


def _body(document: Document) -> dict[str, Any]:
    """The committed document. Damaged content is shown as empty: the browser then raises the alarm, as it should."""
    try:
        body = json.loads(bytes(document.body))
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
