"""A copy of a log in memory, served by HTTP or written to a folder, with what a test changes in it."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx

from ledger.tlog import note, tile
from ledger.tlog.tile import ENTRIES, TileName

Files = Mapping[str, bytes]  # by path below the log


def copy(url: str) -> Files:
    """Everything that the log serves at its newest size, by path."""
    with httpx.Client(base_url=url) as client:
        found = {"checkpoint": client.get("checkpoint").content}
        size = int(note.parse(found["checkpoint"]).text.split("\n")[1])
        hashes = list(tile.tiles_of(size))
        bundles = [TileName(ENTRIES, name.number, name.width) for name in hashes if name.level == 0]
        for name in [*hashes, *bundles]:
            path = f"tile/{tile.format_path(name)}"
            answer = client.get(path)
            assert answer.status_code == 200, path
            found[path] = answer.content
    return found


def flipped(files: Files, path: str, byte: int) -> Files:
    """The same with one bit changed."""
    changed = bytearray(files[path])
    changed[byte] ^= 1
    return {**files, path: bytes(changed)}


@contextmanager
def served(files: Files) -> Iterator[str]:
    """The address where the files are."""

    class Mirror(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # or each answer waits 40 ms for the acknowledgement of its head

        def do_GET(self) -> None:
            data = files.get(self.path.lstrip("/"))
            self.send_response(404 if data is None else 200)
            self.send_header("Content-Length", str(len(data or b"")))
            self.end_headers()
            self.wfile.write(data or b"")

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Mirror)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
