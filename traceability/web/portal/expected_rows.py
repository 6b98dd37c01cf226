"""A shipment beside what the party was told to expect: by product, and thing by thing against the record."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from traceability.custody import selectors as custody
from traceability.custody import shipments
from traceability.custody.models import Shipment
from traceability.custody.sides import Line, Lot, State
from traceability.exceptions import comparison
from traceability.exceptions.comparison import Compared
from traceability.exceptions.expected import Expected
from traceability.exceptions.models import ExpectedList
from traceability.web.shared import names

Text = str | Promise
SHOWN = 50


def compared(expected: Expected, lines: Sequence[Line], *, is_sent: bool) -> list[Compared]:
    """By product, where a list speaks of the shipment. Things of the list are among the lines when no despatch is."""
    if not (expected.advice or expected.order):
        return []
    despatched, received = Counter[Lot](), Counter[Lot]()
    for line in lines:
        despatched.update(line.expected)
        received.update(line.received)
    advised = None
    if expected.advice:
        advised = expected.advised if is_sent else despatched + _amounts(expected.advice)
    return comparison.compare(
        ordered=expected.ordered if expected.order else None,
        advised=advised,
        despatched=despatched if is_sent else None,
        received=received,
    )


def with_amounts(lots: Mapping[Lot, tuple[int, int]], expected: Expected) -> dict[Lot, tuple[int, int]]:
    """Packs expected and received of each lot, with what the despatch list says by lot without serial numbers."""
    amounts = _amounts(expected.advice) if expected.advice else Counter[Lot]()
    return {
        lot: (lots.get(lot, (0, 0))[0] + amounts[lot], lots.get(lot, (0, 0))[1]) for lot in sorted({*lots, *amounts})
    }


def _amounts(advice: ExpectedList) -> Counter[Lot]:
    found: Counter[Lot] = Counter()
    for gtin, lot, _expiry, packs in advice.amounts:
        found[gtin, lot] += packs
    return found


def lists(expected: Expected, zone: ZoneInfo) -> list[dict[str, Any]]:
    """Which lists these are: kind, number, lines, when they were stored."""
    return [
        {"kind": row.kind, "number": names.document(row.document), "lines": row.lines,
         "stored": names.moment(row.stored_ms, zone), "partner": row.partner.name if row.partner else ""}
        for row in (expected.advice, expected.order) if row
    ]  # fmt: skip


def against_record(expected: Expected, row: Shipment) -> list[tuple[Text, int, list[str]]]:
    """How the despatch list differs from the record: what, how many things, the first of them as people read codes."""
    things = expected.things
    if not (expected.advice and things):
        return []
    states = custody.items(things)
    recorded = {epc: (one.lot, one.expiry) for epc, one in states.items()}
    wrong = comparison.differing(expected.advice.things, recorded)
    missing, besides = list[str](), list[str]()
    if row.shipped_index is not None:
        listed = Shipment(despatched=sorted(things), received=row.despatched, shipped_ms=row.shipped_ms)
        for line in shipments.lines(listed, (), things):
            missing += [line.epc] if line.state == State.AWAITED else []
            besides += [line.epc] if line.state == State.SURPLUS else []
    found = [
        (gettext_lazy("On your list, and nothing is recorded of them"), sorted(things.keys() - states.keys())),
        (gettext_lazy("On your list, not on the recorded despatch"), missing),
        (gettext_lazy("On the recorded despatch, not on your list"), besides),
        (gettext_lazy("Recorded with another lot or expiry date"), wrong),
    ]
    return [(text, len(epcs), [names.goods(epc) for epc in epcs[:SHOWN]]) for text, epcs in found if epcs]
