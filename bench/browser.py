"""How long a browser takes over an evidence bundle: Chromium, fresh pages, as a phone opens one.

Each run is a page of its own, since a patient's browser is cold too; its modules are loaded, its code is not warm. The
CPU of a mid-range phone is stood in for by Chromium's own fourfold throttle.
"""

import shutil
import statistics
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.vectors.evidence import generate, mutations
from tests.vectors.policy import generate as policies

STATIC = Path(__file__).resolve().parents[1] / "static"
RUNS = 7
PLAIN_HOST = "trace.test"  # over plain http, and not localhost: no WebCrypto
MEASURE = """async ([text, policy]) => {
  const { readBundle, verifyBundle } = await import("/verify/verify.js");
  const { parsePolicy } = await import("/verify/policy.js");
  await import("/verify/ed25519.js");
  const bytes = new TextEncoder().encode(text);
  const start = performance.now();
  const { checkpoint } = await verifyBundle(readBundle(bytes), parsePolicy(policy));
  const took = performance.now() - start;
  if (!checkpoint.final) throw new Error("not final");
  return took;
}"""


class _Handler(SimpleHTTPRequestHandler):
    def log_message(self, *arguments: Any) -> None:
        """Quiet."""

    def do_GET(self) -> None:
        if self.path != "/":
            return super().do_GET()
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>bench</title>")
        return None


def measures() -> list[tuple[str, str]]:
    """The figures; empty where there is no Chromium."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        return []
    rows = []
    with _browser(chromium) as (browser, port):
        for entries, rate, host, how in (
            (7, 1, "127.0.0.1", ""),
            (7, 4, "127.0.0.1", ", CPU throttled fourfold"),
            (7, 4, PLAIN_HOST, ", CPU throttled fourfold, without WebCrypto"),
            (50, 1, "127.0.0.1", ""),
            (50, 4, "127.0.0.1", ", CPU throttled fourfold"),
        ):
            text = bundle(entries)
            took = [_run(browser, f"http://{host}:{port}/", rate, text) for _ in range(RUNS)]
            what = f"browser verification of a bundle of {entries} entries ({len(text) // 1024} KB){how}: median ms"
            rows.append((what, f"{statistics.median(took):.0f} (least {min(took):.0f}, most {max(took):.0f})"))
    return rows


def bundle(entries: int) -> str:
    """An evidence file of so many events by two parties, in a log of a thousand entries, cosigned by a quorum."""
    documents = [(generate.COMMISSION, generate.MAKER), (generate.RECEIVING, generate.WHOLESALER)]
    keys = [generate.genesis(), generate.registered("maker", generate.MAKER)]
    keys.append(generate.registered("wholesaler", generate.WHOLESALER))
    signers = {generate.MAKER: "maker", generate.WHOLESALER: "wholesaler"}
    chosen = [documents[number % 2] for number in range(entries)]
    statements = [
        generate.sign(signers[party], party, "event", generate.root_of(document, party)) for document, party in chosen
    ]
    filler = [generate.sign("maker", generate.MAKER, "event", number.to_bytes(32, "big")) for number in range(1000)]
    log = generate.Log([*keys, *statements, *filler[: 1000 - 3 - entries]])
    shown = {3 + place: generate.shown(document, party) for place, (document, party) in enumerate(chosen)}
    made = log.bundle([0, 1, 2], shown)
    return mutations.spell({**made, "checkpoint": generate.cosigned(made["checkpoint"])})


@contextmanager
def _browser(chromium: str) -> Iterator[tuple[Any, int]]:
    from playwright.sync_api import sync_playwright

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, directory=str(STATIC)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
    arguments.append(f"--host-resolver-rules=MAP {PLAIN_HOST} 127.0.0.1")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=arguments)
        yield browser, server.server_address[1]
        browser.close()
    server.shutdown()


def _run(browser: Any, url: str, rate: int, text: str) -> float:
    page = browser.new_page()
    try:
        page.goto(url)
        page.context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": rate})
        return float(page.evaluate(MEASURE, [text, policies.NESTED]))
    finally:
        page.close()


if __name__ == "__main__":
    sys.stdout.writelines(f"{name}: {figure}\n" for name, figure in measures())
