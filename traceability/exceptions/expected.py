"""What a party was told to expect besides what is on the log: despatch lists and orders, stored and compared."""

import hashlib
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from traceability.capture.models import EventTransaction
from traceability.common import bulk
from traceability.common.clock import now_ms
from traceability.common.problems import ProblemError
from traceability.custody.matching import WINDOW_MS
from traceability.custody.models import Shipment
from traceability.custody.sides import Lot
from traceability.epcis.documents import document_uri
from traceability.parties.models import Member, Party
from traceability.scans import reading

from . import despatch_list
from .models import ExpectedList, KeptOverview, KeptStanding

Kind = ExpectedList.Kind
MAX_NUMBER = 100
MAX_URI = 1024


@dataclass(frozen=True)
class Given:
    """A list as it comes in: the number that it belongs to, whose goods, and its bytes."""

    number: str
    kind: str
    content: bytes
    partner: Party | None = None
    rows: Sequence[Any] | None = None  # of a body in JSON, which `content` is then


def store(party: Party, given: Given, *, member: Member | None = None) -> tuple[ExpectedList, bool]:
    """Keep a list, in the place of an earlier one of the same number and kind; all of it or nothing. True: a new one.

    ProblemError: `list-faults` with one error per faulty line, or `number`, `list-kind`.
    """
    if not is_number(given.number):
        raise ProblemError(400, "number", f"a number has 1 to {MAX_NUMBER} characters", pointer="/number")
    if given.kind not in Kind.values:
        raise ProblemError(400, "list-kind", f"the kind is one of {', '.join(Kind.values)}", pointer="/kind")
    now = now_ms()
    today = datetime.fromtimestamp(now / 1000, UTC).date()
    is_order = given.kind == Kind.ORDER
    if given.rows is None:
        listed = despatch_list.read(given.content, today=today, is_order=is_order)
    else:
        listed = despatch_list.read_rows(given.rows, today=today, is_order=is_order)
    if listed.faults:
        raise _refused(listed, is_json=given.rows is not None)
    with transaction.atomic():
        row, is_new = ExpectedList.objects.update_or_create(
            party=party, document=document_of(given.number), kind=given.kind,
            defaults={
                "partner": given.partner,
                "things": sorted([epc, *said] for epc, said in listed.things.items()),
                "amounts": sorted([*amount, packs] for amount, packs in listed.amounts.items()),
                "lines": listed.lines,
                "sha256": hashlib.sha256(given.content).hexdigest(),
                "actor": member.pseudonym if member else "",
                "by_quality": member is not None and reading.is_quality(member),
                "stored_ms": now,
            },
        )  # fmt: skip
        # What was worked out without it counts no more.
        concerned = _concerned_by(row)
        for kept in (KeptOverview, KeptStanding):
            kept.objects.filter(party=party, document__in=concerned).delete()
    return row, is_new


def _concerned_by(row: ExpectedList) -> set[str]:
    """The shipments that this list is compared with: of its number, and of an order those whose events name it."""
    if row.kind == Kind.ADVICE:
        return {row.document}
    naming = EventTransaction.objects.filter(type="po", value=row.document).values("event_index")
    others = EventTransaction.objects.filter(type__in=["desadv", "po"], event_index__in=naming)
    return {row.document, *others.values_list("value", flat=True)}


def _refused(listed: despatch_list.Listed, *, is_json: bool) -> ProblemError:
    count = len(listed.faults) + listed.more_faults
    errors = [
        {"line": fault.line, "code": fault.code, "message": fault.detail}
        | ({"pointer": f"/lines/{fault.line - 1}" if fault.line else "/lines"} if is_json else {})
        for fault in listed.faults
    ]
    return ProblemError(400, "list-faults", f"{count} faults; nothing was stored", "ValidationException", errors=errors)


def is_number(text: str) -> bool:
    """Whether it may be the number of a despatch advice or an order."""
    number = text.strip()
    return 1 <= len(number) <= MAX_NUMBER and number.isprintable()


def document_of(number: str) -> str:
    """The URI of the document of that number."""
    return document_uri(number.strip())


def of_party(party: Party) -> QuerySet[ExpectedList]:
    """A party's lists; what they name is read once it is asked for."""
    return ExpectedList.objects.filter(party=party).select_related("partner").defer("things", "amounts")


@dataclass(frozen=True)
class Expected:
    """What a party was told under a number: the despatch list and the order, where there is one."""

    advice: ExpectedList | None = None
    order: ExpectedList | None = None

    @cached_property
    def things(self) -> dict[str, Lot]:
        """What the despatch list names with a serial number, with GTIN and lot as it says them."""
        rows = self.advice.things if self.advice else ()
        return {epc: (gtin_of(epc), lot) for epc, lot, _expiry in rows}

    @property
    def advised(self) -> Counter[Lot]:
        """Packs by product and lot; a case of the list counts as nothing here: what is in it only events say."""
        found = Counter(pair for pair in self.things.values() if pair[0])
        for gtin, lot, _expiry, packs in self.advice.amounts if self.advice else ():
            found[gtin, lot] += packs
        return found

    @property
    def ordered(self) -> Counter[str]:
        """Packs by product."""
        found: Counter[str] = Counter()
        for gtin, _lot, _expiry, packs in self.order.amounts if self.order else ():
            found[gtin] += packs
        return found


def gtin_of(epc: str) -> str:
    """The GTIN in a pack's EPC, '' for a case and for codes that do not say it."""
    _before, mark, rest = epc.partition("/01/")
    return rest[:14] if mark and "/21/" in rest else ""


def told(party: Party, document: str) -> Expected:
    """The lists that a party has under the number of a shipment; what they name is read once it is asked for."""
    by_kind = {row.kind: row for row in of_party(party).filter(document=document)}
    return Expected(by_kind.get(Kind.ADVICE), by_kind.get(Kind.ORDER))


def known_by_lists(party: Party, documents: Collection[str]) -> set[str]:
    """Those of these numbers under which the party has a list or an order."""
    rows = ExpectedList.objects.filter(party=party).values_list("document", flat=True)
    return set(bulk.among(rows, "document", documents))


def with_order(party: Party, found: Expected, indexes: Collection[int]) -> Expected:
    """The same with the party's order that the shipment's events name, where none has its own number."""
    if found.order or not indexes:
        return found
    rows = of_party(party).filter(kind=Kind.ORDER, document__in=orders_of(indexes))
    return replace(found, order=rows.order_by("document").first())


def named(party: Party, document: str, row: Shipment | None, found: Expected) -> Shipment:
    """The shipment with the sender that a list names where no event does; one of which only lists speak has no goods.

    Not saved.
    """
    told_by = found.advice or (found.order if row is None else None)
    sender = told_by.partner.uri if told_by and told_by.partner else ""
    if row is None:
        return Shipment(despatch=document, sender=sender, receiver=party.uri, status="open", despatched=[], received=[])
    if row.shipped_index is None:
        row.sender = row.sender or sender
    return row


def with_goods(row: Shipment, found: Expected, uris: Collection[str], *, is_recorded: bool) -> Shipment:
    """The same with what lists name as if it had been despatched, where no despatch is on record. Not saved.

    Of an order, under whose own number nothing is recorded, what came under the despatch advices that name it.
    """
    if row.shipped_index is not None:
        return row
    if found.advice:
        row.despatched = sorted(found.things)
    elif found.order and not is_recorded:
        parts = list(under_order(row.despatch, uris))
        row.despatched = sorted(set[str]().union(*(part.despatched for part in parts)))
        row.received = sorted(set[str]().union(*(part.received for part in parts)))
        row.received_ms = max((part.received_ms for part in parts if part.received_ms is not None), default=None)
    return row


def to_be_matched(party: Party, row: Shipment, found: Expected) -> Shipment:
    """The same for matching by content: a list has no time of despatch, so what came 30 days around it fits."""
    if row.shipped_index is not None or not found.advice:
        return row
    return Shipment(
        despatch=row.despatch, sender=row.sender, receiver=party.uri, status="open", despatched=row.despatched,
        received=row.received, shipped_ms=found.advice.stored_ms - WINDOW_MS // 2, shipped_index=-1,
    )  # fmt: skip


def orders_of(indexes: Collection[int]) -> list[str]:
    """The orders that these events name."""
    rows = EventTransaction.objects.filter(type="po").values_list("value", flat=True)
    return sorted(set(bulk.among(rows, "event_index", set(indexes))))


def under_order(order: str, uris: Collection[str]) -> QuerySet[Shipment]:
    """The shipments to a party whose events name this order beside their own despatch advice."""
    naming = EventTransaction.objects.filter(type="po", value=order).values_list("event_index", flat=True)
    advices = EventTransaction.objects.filter(type="desadv", event_index__in=naming).values("value")
    return Shipment.objects.filter(despatch__in=advices, receiver__in=uris)


def waiting(party: Party, uris: Collection[str]) -> list[ExpectedList]:
    """Lists of numbers under which nothing of the party's is recorded yet, the newest first, without what they name."""
    concerned = Q(sender__in=uris) | Q(receiver__in=uris) | Q(receiver_party__in=uris, shipped_index=None)
    known = Shipment.objects.filter(concerned, despatch=OuterRef("document"))
    found = list(of_party(party).filter(~Exists(known)).order_by("-stored_ms", "id"))
    named = _delivered({row.document for row in found if row.kind == Kind.ORDER}, uris)
    return [row for row in found if row.kind != Kind.ORDER or row.document not in named]


def _delivered(orders: Collection[str], uris: Collection[str]) -> set[str]:
    """Those of these orders that a shipment to the party names beside its despatch advice."""
    naming = EventTransaction.objects.filter(type="po").values_list("value", "event_index")
    links = list(bulk.among(naming, "value", orders))
    advices = EventTransaction.objects.filter(type="desadv").values_list("event_index", "value")
    advice_of = dict(bulk.among(advices, "event_index", {index for _, index in links}))
    own = Shipment.objects.filter(receiver__in=uris).values_list("despatch", flat=True)
    known = set(bulk.among(own, "despatch", set(advice_of.values())))
    return {order for order, index in links if advice_of.get(index) in known}


def listed_things(wanted: Collection[tuple[str, str]]) -> Mapping[tuple[str, str], Mapping[str, bool]]:
    """What despatch lists name, by (party id, document): EPC -> whether someone with the quality role stored it."""
    rows = ExpectedList.objects.filter(kind=Kind.ADVICE, party__in={one for one, _ in wanted})
    found: dict[tuple[str, str], Mapping[str, bool]] = {}
    for row in bulk.among(rows, "document", {document for _, document in wanted}):
        if (row.party_id, row.document) in wanted:
            found[row.party_id, row.document] = dict.fromkeys((epc for epc, *_ in row.things), row.by_quality)
    return found
