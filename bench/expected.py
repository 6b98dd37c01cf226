"""How long a shipment's page takes beside a list of 100,000 packs times BENCH_SCALE. One database per run.

Run by `bench` as a process of its own, on SQLite and, where it is installed, on PostgreSQL; prints rows as JSON. Two
shipments: one that only the list speaks of, and one whose despatch is on record too; 60 in 100 were received, one in
100 of the list is not recorded, one in 100 recorded with another lot. Custody's tables are filled, not folded.
"""

import json
import os
import sys
from collections.abc import Iterator
from typing import Any

from bench.timing import best

GTIN, LOT, EXPIRY = "09521000001008", "L1", "2030-01-31"
PASSWORD = "a-long-bench-password"
ADVICE, SENT = "LIST1", "SENT1"
URI = "urn:dosetrail:document:"
NOW = 1_780_000_000_000


def main() -> None:
    """Found a house, fill its tables, give the lists, look, print."""
    import django

    django.setup()
    from django.conf import settings
    from django.core.management import call_command
    from django.db import transaction

    settings.ALLOWED_HOSTS = ["*"]
    count = max(5_000, int(100_000 * float(os.environ.get("BENCH_SCALE", "1"))))
    call_command("migrate", verbosity=0)
    member = _found()
    with transaction.atomic():
        _fill(count)
    sys.stdout.write(json.dumps(list(_measures(member, count))))


def _epc(number: int) -> str:
    return f"https://id.gs1.org/01/{GTIN}/21/S{number:07d}"


def _found() -> Any:
    from ledger import api as ledger
    from traceability.parties import services as parties

    ledger.initialise(operator_name="Bench")
    for name, role in (("maker", "manufacturer"), ("pharmacy", "pharmacy")):
        party = parties.create_party(id=name, name=name.title(), roles=[role])
    member = parties.add_member(party=party, username="pharmacist", password=PASSWORD, role="quality")
    _settle()
    return member


def _settle() -> None:
    from ledger import api as ledger
    from traceability.common import projection

    while ledger.sequence_once():
        pass
    projection.advance_all()


def _fill(count: int) -> None:
    """Every pack but one in 100 is recorded, and named by two events; both shipments were received in part."""
    from traceability.capture.models import EventEpc
    from traceability.common import bulk
    from traceability.custody.models import ItemState, Shipment

    columns = ("epc", "status", "place", "party", "destination", "lot", "expiry", "gtin", "container", "history",
               "known_since_ms", "last_index", "last_time_ms")  # fmt: skip
    packs = [number for number in range(count) if number % 100 != 7]
    bulk.insert(ItemState, columns, (
        (_epc(number), "active", "urn:x:place", "urn:dosetrail:party:maker", "",
         "L9" if number % 100 == 3 else LOT, EXPIRY, GTIN, "", "", NOW, 1, NOW)
        for number in packs
    ))  # fmt: skip
    links = (
        (index, "epc", _epc(number), NOW) for number in packs for index in (10_000_000 + number // 500, 11_000_000)
    )
    bulk.insert(EventEpc, ("event_index", "role", "epc", "event_time_ms"), links)
    received = sorted(_epc(number) for number in packs if number % 10 < 6)
    parties = {"receiver": "urn:dosetrail:party:pharmacy", "receiver_party": "urn:dosetrail:party:pharmacy"}
    Shipment.objects.create(
        despatch=URI + ADVICE, sender="", status="received", despatched=[], received=received, received_ms=NOW,
        received_index=2, **parties,
    )  # fmt: skip
    Shipment.objects.create(
        despatch=URI + SENT, sender="urn:dosetrail:party:maker", status="partial",
        despatched=sorted(_epc(number) for number in packs), received=received, received_ms=NOW, received_index=2,
        shipped_ms=NOW - 1000, shipped_index=1, **parties,
    )  # fmt: skip


def _measures(member: Any, count: int) -> Iterator[tuple[str, str]]:
    from django.test import Client

    from traceability.exceptions import expected, kept

    client = Client()
    client.force_login(member.user)
    client.get("/portal/shipments")  # code and templates are read
    rows = "".join(f"{GTIN},{LOT},{EXPIRY},S{number:07d}\n" for number in range(count))
    content = f"gtin,lot,expiry,serial\n{rows}".encode()
    for number, what in ((ADVICE, "a list alone"), (SENT, "list and despatch")):

        def look(more: str = "", number: str = number) -> bytes:
            answer = client.get(f"/portal/shipment?despatch={URI}{number}{more}")
            if answer.status_code != 200:
                raise SystemExit(f"{answer.status_code}: {answer.content.decode()[:500]}")
            return answer.content

        given = expected.Given(number, "advice", content)
        yield best(f"a list of {count:,} packs read and kept", lambda: expected.store(member.party, given), times=1)  # noqa: B023
        yield best(f"page of {what}, not compared yet", look, times=1)
        yield best(f"{what}: compared by the engine", kept.run_once, times=1)
        if b"Compared as of" in look() or b"Missing" not in look():
            raise SystemExit("the page does not show a current comparison")
        yield best(f"page of {what}", look)
        yield best(f"page of {what}, lines page {count // 200}", lambda: look(f"&page={count // 200}"))
        yield best(f"page of {what}, one difference alone", lambda: look("&show=differing&page=3"))


if __name__ == "__main__":
    main()
