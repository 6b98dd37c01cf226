"""Tells the workers that there is something to fold, each time the log has published (settings.LOG_PUBLISHED).

A hint, never news: a message that is lost costs time, since Celery's beat repeats it. The log does not wait for its
broker: a thread of this process speaks to it, and is told by a flag.
"""

import logging
import threading
from functools import cache

from kombu.exceptions import OperationalError
from kombu.messaging import Producer

from traceability.celery import app
from traceability.common.tasks import advance

log = logging.getLogger(__name__)

# Longer than it takes a broker that is well; one that hangs is given up and called anew.
_PATIENCE = {"socket_timeout": 5, "socket_connect_timeout": 5}
_PAUSE_SECONDS = 1.0


def wake() -> None:
    """Have a worker asked to fold what was just published; returns at once, whether or not the broker is there."""
    _news().set()


@cache
def _news() -> threading.Event:
    """The flag of this process, and the thread that watches it."""
    news = threading.Event()
    threading.Thread(target=_run, args=(news, threading.Event()), name="waking", daemon=True).start()
    return news


def _run(news: threading.Event, stop: threading.Event) -> None:
    while not stop.is_set():
        connection = app.connection_for_write(transport_options=_PATIENCE)
        try:
            with connection:
                producer = app.amqp.Producer(connection.channel())
                while news.wait() and not stop.is_set():
                    news.clear()
                    _ask(producer)
        except (OperationalError, *connection.connection_errors, *connection.channel_errors) as error:
            log.warning("no worker is told what to fold, beat will: the broker does not answer (%s)", error)
            news.set()  # the first that is told once it is back
            stop.wait(_PAUSE_SECONDS)


def _ask(producer: Producer) -> None:
    """Ask a worker to fold, unless a call lies there that none has taken yet: who takes that one reads the log then."""
    queue = app.conf.task_routes[advance.name]["queue"]
    if producer.channel.queue_declare(queue=queue).message_count == 0:
        app.send_task(advance.name, producer=producer, retry=False)
