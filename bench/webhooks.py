"""How many reports and events a second go out to webhooks: 16 subscriptions of one party to receivers on this machine.

Run by `bench` as a process of its own, on SQLite and, where it is installed, on PostgreSQL; prints rows as JSON. The
events are those of `bench.queries`; receivers answer at once, so that what is measured is this house.
"""

import json
import os
import random
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from bench import queries

SUBSCRIPTIONS = 16


class _Receiver(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_words: Any) -> None:
        """Silent."""


def main() -> None:
    """Fill the tables, send, print."""
    import django

    django.setup()
    from django.conf import settings
    from django.core.management import call_command

    from traceability.common.models import Cursor
    from traceability.visibility.projection import AUDIENCE

    settings.OUTBOUND_LOOPBACK = True
    events = max(200, int(5_000 * float(os.environ.get("BENCH_SCALE", "1"))))
    call_command("migrate", verbosity=0)
    people = queries._people()
    queries.Filler(random.Random(queries.SEED)).fill(0, events)
    Cursor.objects.create(projection=AUDIENCE.name, position=events)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}/"
    rows = [_rate(people["regulator"], url, batch, events) for batch in (1, 500)]
    sys.stdout.write(json.dumps(rows))


def _rate(party: Any, url: str, batch: int, events: int) -> tuple[str, str]:
    """Reports and events a second with so many events in a report, until all have what there is."""
    from traceability.common.clock import now_ms
    from traceability.exchange import sender
    from traceability.exchange.models import ALL_OF_IT, Subscription
    from traceability.queries.models import NamedQuery

    query, _ = NamedQuery.objects.get_or_create(party=party, name="all", query={}, created_ms=0)
    first = -1 if batch > 1 else events - events // 50 - 1  # of single events a part is enough
    for number in range(SUBSCRIPTIONS):
        Subscription.objects.create(
            id=f"{batch}-{number}", query=query, dest=url, created_ms=0, due_ms=now_ms(), since_index=first,
            event_index=ALL_OF_IT, batch=batch,
        )  # fmt: skip
    reports, started = 0, time.perf_counter()
    while made := sender.run_once():
        reports += made
    seconds = time.perf_counter() - started
    sent = sum(Subscription.objects.filter(batch=batch).values_list("sent_events", flat=True))
    what = f"webhook reports/s (events/s), {SUBSCRIPTIONS} subscriptions, {batch} events a report"
    return what, f"{reports / seconds:,.0f} ({sent / seconds:,.0f})"


if __name__ == "__main__":
    main()
