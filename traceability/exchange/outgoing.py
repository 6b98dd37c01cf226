"""The engine of what goes out: rounds of sending, woken by Celery's beat or by the embedded size's own thread."""

import logging
import threading
import time

from django.db import Error as DatabaseError
from django.db import close_old_connections

from . import deliveries, dispatch, sender

ROUND_SECONDS = 20.0  # of one wake-up: what is left then waits for the next
PAUSE_SECONDS = 1.0

log = logging.getLogger(__name__)


def drain() -> int:
    """Rounds until nothing is due, or the time is up; how many reports and deliveries were made or tried."""
    end, total = time.monotonic() + ROUND_SECONDS, 0
    while time.monotonic() < end and (made := deliveries.make() + sender.run_once() + dispatch.run_once()):
        total += made
    return total


def run(stop: threading.Event) -> None:
    """Send until `stop`: a slow receiver holds this thread and no projection."""
    while not stop.is_set():
        try:
            drain()
        except DatabaseError:  # full, locked or away: the next round finds the same state
            log.exception("sending failed")
            close_old_connections()
        stop.wait(PAUSE_SECONDS)
