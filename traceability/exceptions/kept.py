"""Overviews of large shipments, kept: worked out by the engine once somebody has looked, read by page and API in pages.

A small one is worked out whenever it is asked for.
"""

import json
import logging
import threading
import zlib
from collections.abc import Iterator
from typing import Any

from django.db import Error as DatabaseError
from django.db import close_old_connections, transaction

from traceability.common.clock import now_ms
from traceability.visibility import rules

from . import overview, standings
from .models import KeptOverview, KeptRows
from .overview import Facts, Overview, Subject

LIVE = 2_000  # things of both sides and the list; more are not worked out while somebody waits
ROWS = 100  # in one stored piece
PAUSE_SECONDS = 1.0

log = logging.getLogger(__name__)


def of(subject: Subject) -> Overview | None:
    """The overview of a shipment; None while that of a large one has not been worked out yet."""
    if overview.size(subject) <= LIVE:
        facts, parts = overview.work_out(subject)
        return Overview(facts, True, lambda part, start, stop: parts[part][start:stop])
    kept, _new = KeptOverview.objects.get_or_create(party=subject.party, document=subject.row.despatch)
    is_current = kept.as_of == rules.horizon()
    if not is_current and kept.wanted_ms is None:
        KeptOverview.objects.filter(pk=kept.pk, wanted_ms=None).update(wanted_ms=now_ms())
    if kept.facts is None:
        return None
    return Overview(Facts(**kept.facts), is_current, lambda part, start, stop: _read(kept, part, start, stop))


def run_once() -> bool:
    """Work out the one that has been asked for longest, else how listed shipments stand; False when nobody asks.

    Crash anywhere: it stays as it was, and is asked for by the next who looks.
    """
    kept = KeptOverview.objects.select_related("party").exclude(wanted_ms=None).order_by("wanted_ms", "id").first()
    if kept is None:
        return standings.run_once()
    # Of two workers one goes on; who looks from here on asks again.
    if not KeptOverview.objects.filter(pk=kept.pk, wanted_ms=kept.wanted_ms).update(wanted_ms=None):
        return True
    subject = overview.find(kept.party, kept.document)
    if subject is None:  # the log was rebuilt without it, and no list speaks of it
        kept.delete()
        return True
    facts, parts = overview.work_out(subject)
    with transaction.atomic():
        # Gone: a list came in meanwhile, and this was worked out without it.
        if KeptOverview.objects.select_for_update().filter(pk=kept.pk).first() is None:
            return True
        KeptRows.objects.filter(overview=kept.pk).delete()
        KeptRows.objects.bulk_create(_pieces(kept, parts), batch_size=200)
        KeptOverview.objects.filter(pk=kept.pk).update(facts=overview.as_json(facts), as_of=facts.as_of)
    return True


def run(stop: threading.Event) -> None:
    """Work until `stop`: the embedded size's thread, since its one worker must fold meanwhile."""
    while not stop.wait(PAUSE_SECONDS):
        try:
            while not stop.is_set() and run_once():
                pass
        except DatabaseError:  # full, locked or away: who looks again asks again
            log.exception("an overview was not worked out")
            close_old_connections()


def _pieces(kept: KeptOverview, parts: dict[str, list[Any]]) -> Iterator[KeptRows]:
    for part, rows in parts.items():
        for number in range(0, len(rows), ROWS):
            body = zlib.compress(json.dumps(rows[number : number + ROWS], separators=(",", ":")).encode())
            yield KeptRows(overview=kept, part=part, number=number // ROWS, body=body)


def _read(kept: KeptOverview, part: str, start: int, stop: int) -> list[Any]:
    pieces = KeptRows.objects.filter(overview=kept, part=part, number__gte=start // ROWS, number__lt=-(-stop // ROWS))
    rows = [row for piece in pieces.order_by("number") for row in json.loads(zlib.decompress(bytes(piece.body)))]
    first = start // ROWS * ROWS
    return rows[start - first : stop - first]
