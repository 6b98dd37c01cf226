"""Shared fixtures: where material nobody here wrote may lie, and a browser."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


SHARED_DATA = Path(os.environ.get("DOSETRAIL_SHARED_DATA", ROOT.parent / "shared" / "data"))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of documents, vectors and logger files that others made; it is no part of the project."""
    return SHARED_DATA


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave out what needs the folder of others' material where there is none; the summary says so."""
    if SHARED_DATA.is_dir():
        return
    items[:] = [item for item in items if "shared_data" not in getattr(item, "fixturenames", ())]


@pytest.fixture(scope="module")
def chromium() -> Iterator[object]:
    """A headless Chromium (Debian's), driven by playwright.

    It ends with its module: playwright keeps an event loop running in this thread, and later tests start their own.
    """
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=os.environ.get("DOSETRAIL_TEST_CHROMIUM") or "/usr/bin/chromium",
            args=[
                "--no-sandbox",
                "--disable-gpu",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                "--no-first-run",
            ],
        )
        yield browser
        browser.close()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what did not run and why; in CI a skip is a failure (pytest_sessionfinish)."""
    if not SHARED_DATA.is_dir():
        terminalreporter.write_line(f"NOT RUN: tests on material of others: there is no folder {SHARED_DATA}")
    for report in terminalreporter.stats.get("skipped", []):
        terminalreporter.write_line(f"SKIPPED {report.nodeid}: {report.longrepr[-1]}")


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    in_ci = os.environ.get("CI", "").lower() in {"1", "true"}
    if in_ci and reporter is not None and reporter.stats.get("skipped") and session.exitstatus == 0:
        session.exitstatus = 1


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Bytes give no name: some hold a signature made at import, and each worker would name the test differently."""
    return argname if isinstance(val, bytes) else None
