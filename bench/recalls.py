"""How long a recall takes: a lot of a million packs times BENCH_SCALE, with some 300 holders. One database per run.

Run by `bench` as a process of its own, on SQLite and, where it is installed, on PostgreSQL; prints rows as JSON. The
lot is that of `bench.tracing`, its events not on the log; the recall is drafted, signed by two people, published,
folded and told as always, without waiting for the worker's turn.
"""

import json
import os
import resource
import sys
import time
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from bench.queries import uri
from bench.timing import best
from bench.tracing import GTIN, LOT, WHOLESALERS, fill_apart

HOLDERS = 300
PASSWORD = "a-long-bench-password"
FIRST_INDEX = 10_000_000  # of the lot's events: beyond the log's own entries


def main() -> None:
    """Found a house, fill its tables, recall, print."""
    import django

    django.setup()
    from django.core.management import call_command

    packs = max(10_000, int(1_000_000 * float(os.environ.get("BENCH_SCALE", "1"))))
    call_command("migrate", verbosity=0)
    people = _found()
    fill_apart(packs, shops=HOLDERS, first_index=FIRST_INDEX)
    _resume()
    sys.stdout.write(json.dumps(list(_measures(people, packs))))


def _found() -> list[Any]:
    """A regulator with two people, and a party for everyone who is to hold packs."""
    from ledger import api as ledger
    from traceability.parties import services as parties

    ledger.initialise(operator_name="Bench")
    regulator = parties.create_party(id="regulator", name="Regulator", roles=["regulator"])
    for number in range(1 + WHOLESALERS + HOLDERS):
        parties.create_party(id=uri(number).rpartition(":")[2], name=f"Party {number}", roles=["pharmacy"])
    _settle()
    return [
        parties.add_member(party=regulator, username=f"regulator-{number}", password=PASSWORD, role="quality")
        for number in range(2)
    ]


def _resume() -> None:
    """Custody goes on with the log's own entries: the lot's events are not among them."""
    from ledger import api as ledger
    from traceability.common.models import Cursor

    Cursor.objects.filter(projection="custody").update(position=ledger.published_size())


def _settle() -> None:
    from ledger import api as ledger
    from traceability.common import projection

    while ledger.sequence_once():
        pass
    projection.advance_all()


def _measures(people: list[Any], packs: int) -> Iterator[tuple[str, str]]:
    from traceability.custody import lot_packs
    from traceability.recalls import delivery, gather, reach, responses, selectors
    from traceability.recalls import services as recalls
    from traceability.recalls.models import Notice

    lot = f"a lot of {packs:,} packs"
    yield best(f"all holders of {lot}", lambda: lot_packs.trace_down(GTIN, LOT))
    yield best(f"balance of {lot}", lambda: lot_packs.lot_balance(GTIN, LOT))
    given = {"class": "1", "lots": [f"{GTIN} {LOT}"], "reason": "Bench.", "instruction": "Set aside."}
    draft = recalls.draft(member=people[0], given=given)
    signing = {"recall_id": draft.id, "definition": draft.definition, "password": PASSWORD}
    recalls.sign(member=people[0], **signing)
    started = time.perf_counter()
    found = recalls.sign(member=people[1], **signing)
    _settle()
    published = time.perf_counter() - started
    told = reach.run()
    counted = time.perf_counter() - started
    sent = delivery.run()
    ended = time.perf_counter() - started
    if Notice.objects.filter(to_send=False).count() != told or not told:
        raise SystemExit(f"{told} notices were given and {sent} steps taken")
    yield (
        f"recall of {lot} from the second signature on: published and folded / {told} notices given / sent, seconds",
        f"{published:.2f} / {counted:.2f} / {ended:.2f}",
    )
    yield best("the recall's page: who was told", lambda: [selectors.progress(found), list(selectors.notices(found))])
    largest = Notice.objects.select_related("recall").order_by("-packs").first()
    if largest is not None:
        yield best(
            f"a holder's page, {largest.packs:,} packs", lambda: [*islice(responses.packs_of(largest).each, 300)]
        )
        counted = (reach.lots_of(found), largest.holder)
        yield best(f"what a holder's answer rests on, {largest.packs:,} packs", lambda: gather.standing(*counted))
        yield best(f"a holder's whole list, {largest.packs:,} packs", lambda: _count(responses.packs_of(largest).each))
    yield (
        "memory of the process that tells and reads, peak MiB",
        f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024}",
    )


def _count(rows: Iterable[object]) -> int:
    return sum(1 for _ in rows)


if __name__ == "__main__":
    main()
