"""A process in which Django is loaded and nothing has happened yet; it forks a fresh one for each job.

Starting Python and Django takes a second and a half, a fork some milliseconds: that is what makes it possible to break
every single write of a workload. A job is a function of `jobs`; what it tells goes out by a socket, as `sendto`, so
that it is none of the writes that a test breaks, and can be found among them in a trace.
"""

import json
import os
import signal
import socket
import sys
import traceback
from collections.abc import Callable
from typing import Any


def main(descriptor: int) -> None:
    """Fork for each order that comes on standard input: `{"job", "stopped", "arguments"}`."""
    import django

    django.setup()
    from tests.durability import jobs

    channel = socket.socket(fileno=descriptor)
    channel.send(b'"ready"')
    for line in sys.stdin:
        order = json.loads(line)
        child = os.fork()
        if child == 0:
            os._exit(_child(getattr(jobs, order["job"]), order, channel))
        channel.send(json.dumps({"child": child}).encode())
        _, status = os.waitpid(child, 0)
        channel.send(json.dumps({"status": status}).encode())


def _child(job: Callable[..., None], order: dict[str, Any], channel: socket.socket) -> int:
    def tell(kind: str, value: Any = None) -> None:
        channel.send(json.dumps([kind, value]).encode())

    if order["stopped"]:
        signal.raise_signal(signal.SIGSTOP)  # until the tracer is there
    try:
        job(tell, **order["arguments"])
    except Exception:  # noqa: BLE001  # whatever it is, the test sees the status
        traceback.print_exc()
        return 1
    return 0


if __name__ == "__main__":
    main(int(sys.argv[1]))
