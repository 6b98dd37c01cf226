"""A WSGI server for a member's node, with work going on beside it in the same process."""

import sys
import threading
from collections.abc import Callable
from typing import Any

from django.core.handlers.wsgi import WSGIHandler
from gunicorn.app.base import BaseApplication

THREADS = 8


def serve(address: str, beside: Callable[[threading.Event], None]) -> None:
    """Answer HTTP on `address` until SIGTERM or SIGINT; `beside` runs in a thread until its event is set.

    When `beside` ends by itself the worker ends too, and is started anew: half a node would look alive.
    """
    stop = threading.Event()

    def start(worker: Any) -> None:
        def work() -> None:
            try:
                beside(stop)
            finally:
                if not stop.is_set():
                    sys.stderr.write("the follower ended; the node starts over\n")
                    worker.alive = False

        threading.Thread(target=work, name="follower", daemon=True).start()

    class Node(BaseApplication):  # type: ignore[misc]  # gunicorn ships no types
        def load_config(self) -> None:
            for key, value in {
                "bind": address,
                "worker_class": "gthread",
                "workers": 1,
                "threads": THREADS,
                "graceful_timeout": 5,
                "loglevel": "warning",
                "control_socket_disable": True,
                "post_worker_init": start,
                "worker_exit": lambda _server, _worker: stop.set(),
            }.items():
                if key in self.cfg.settings:
                    self.cfg.set(key, value)

        def load(self) -> Any:
            return WSGIHandler()

    Node().run()
