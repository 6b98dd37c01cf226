"""The tables of a shipment's page: rows of its overview with names and words."""

from collections.abc import Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from traceability.custody.sides import State
from traceability.exceptions.comparison import Compared
from traceability.exceptions.expected import Expected
from traceability.exceptions.overview import Overview
from traceability.web.shared import names

Text = str | Promise
SHOWN = 50  # things of a difference on the shipment's own page
LINE_STATES = {
    State.AWAITED: (gettext_lazy("Not received"), "is-unknown"),
    State.RECEIVED: (gettext_lazy("Received"), "is-ok"),
    State.PART: (gettext_lazy("A part is missing"), "is-warn"),
    State.SURPLUS: (gettext_lazy("Not on the despatch"), "is-warn"),
}
# How the despatch list differs from the record: parts of the overview.
DIFFERENCES: Mapping[str, Text] = {
    "unrecorded": gettext_lazy("On your list, and nothing is recorded of them"),
    "missing": gettext_lazy("On your list, not on the recorded despatch"),
    "besides": gettext_lazy("On the recorded despatch, not on your list"),
    "differing": gettext_lazy("Recorded with another lot or expiry date"),
}
TITLES: Mapping[str, Text] = {
    "lots": gettext_lazy("By lot"),
    "products": gettext_lazy("Ordered, advised, received"),
    **DIFFERENCES,
}


def lines(rows: Sequence[Any]) -> list[dict[str, Any]]:
    """Line by line."""
    found = []
    for epc, state, expected, received, missing, surplus, parts, more_parts, absent, more_absent in rows:
        text, tone = LINE_STATES[State(state)]
        found.append(
            {
                "shown": names.goods(epc),
                "path": names.pack_path(epc),
                "state": text,
                "tone": tone,
                "expected": expected,
                "received": received,
                "missing": missing,
                "surplus": surplus,
                "parts": [names.goods(part) for part in parts],
                "more_parts": more_parts,
                "absent": [names.goods(part) for part in absent],
                "more_absent": more_absent,
            }
        )
    return found


def lots(rows: Sequence[Any], naming: names.Names) -> list[tuple[str, str, int, int, int]]:
    """Product, lot, packs expected, received and missing."""
    naming.learn(gtins=[gtin for gtin, *_rest in rows if gtin])
    return [
        (naming.product(gtin) or gtin, lot, expected, received, max(expected - received, 0))
        for gtin, lot, expected, received in rows
    ]


def products(rows: Sequence[Any], naming: names.Names) -> list[tuple[str, Compared]]:
    """Product, and its packs side by side."""
    naming.learn(gtins=[row[0] for row in rows if row[0]])
    return [(naming.product(row[0]) or row[0], Compared(*row)) for row in rows]


def differences(found: Overview) -> list[tuple[str, Text, int, list[str]]]:
    """Of each difference between list and record: its part, in words, how many things, and the first of these."""
    return [
        (part, text, len(rows), [names.goods(epc) for epc in rows[:SHOWN]])
        for part, text in DIFFERENCES.items()
        if (rows := found.part(part))
    ]


def lists(expected: Expected, zone: ZoneInfo) -> list[dict[str, Any]]:
    """Which lists these are: kind, number, lines, when they were stored."""
    return [
        {"kind": row.kind, "number": names.document(row.document), "lines": row.lines,
         "stored": names.moment(row.stored_ms, zone), "partner": row.partner.name if row.partner else ""}
        for row in (expected.advice, expected.order) if row
    ]  # fmt: skip
