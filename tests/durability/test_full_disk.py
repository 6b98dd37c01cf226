"""A real disk without room (a small tmpfs) under a whole house: it refuses, says so, and goes on by itself."""

import os
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from .harness import until
from .houses import Embedded, mounted

pytestmark = [pytest.mark.mounts, pytest.mark.xdist_group("production")]

PASSWORD = "a-long-demo-password"


def epcs(number: int) -> list[str]:
    return [f"https://id.gs1.org/01/09521000001008/21/full-{number}-{n}" for n in range(200)]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Embedded]:
    """An embedded house on a disk of eight megabytes, whose /tmp has one."""
    base = tmp_path_factory.mktemp("full")
    with mounted(base / "data", "8m") as folder, mounted(base / "tmp", "1m") as temporary:
        made = Embedded(folder, output=base / "output.txt", TMPDIR=str(temporary))
        try:
            yield made
        finally:
            made.close()


def fill(folder: Path) -> Path:
    """Take all the room that is left."""
    filler = folder / "filler"
    with filler.open("ab", buffering=0) as file:
        for size in (1 << 16, 1 << 12, 1):
            try:
                while file.write(b"x" * size) == size:
                    pass
            except OSError:
                continue
    return filler


def capture(house: Embedded, number: int) -> httpx.Response:
    event = {**house.event("maker", ""), "epcList": epcs(number)}
    return house.call("maker", "POST", "/epcis/events", json=event)


def readings(number: int) -> str:
    rows = "".join(f"2026-03-{day:02}T{hour:02}:00:00Z,{number}.0\n" for day in range(1, 20) for hour in range(24))
    return f"timestamp,temperature_c\n{rows}"


def upload(house: Embedded, content: str) -> httpx.Response:
    files = {"file": ("TT-1.csv", content, "text/csv")}
    return house.call("maker", "POST", "/api/v1/logger-files", files=files, data={"site": "maker-main"})


@contextmanager
def signed_in(house: Embedded) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=house.base_url, timeout=30, follow_redirects=True) as client:
        _sign_in(client)
        yield client


def _sign_in(client: httpx.Client) -> None:
    page = client.get("/portal/sign-in").text
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    assert token
    form = {"username": "maker", "password": PASSWORD, "csrfmiddlewaretoken": token[1]}
    assert client.post("/portal/sign-in", data=form).status_code == 200


def uploaded_by_hand(client: httpx.Client, content: str, language: str) -> httpx.Response:
    client.cookies.set("django_language", language)
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', client.get("/portal/logger").text)
    assert token
    form = {"csrfmiddlewaretoken": token[1], "site": "maker-main"}
    return client.post("/portal/logger", data=form, files={"file": ("TT-1.csv", content, "text/csv")})


def is_refusal(answer: httpx.Response) -> bool:
    if answer.status_code != 507:
        return False
    body: dict[str, Any] = answer.json()
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert (body["code"], body["status"]) == ("storage-full", 507)
    return True


def test_it_refuses_says_so_and_goes_on_by_itself(house: Embedded) -> None:
    engine = house.child("engine")
    os.kill(engine, signal.SIGSTOP)  # so that something waits for the sequencer when there is no room
    try:
        accepted, number, filler = [], 0, house.folder / "filler"
        while (answer := capture(house, number)).status_code == 201:
            accepted.append(answer.headers["Dosetrail-Statement-Hash"])
            number += 1
            fill(house.folder)
        assert accepted
        assert is_refusal(answer), answer.text
        assert is_refusal(upload(house, readings(5)))
        assert list(house.folder.glob("files/**/*.tmp")) == []
    finally:
        os.kill(engine, signal.SIGCONT)
    until(lambda: "nothing is signed: there is no room left" in house.part.said)
    assert house.answers()  # what is there can be read
    filler.unlink()
    statements = f"select count(*) from ledger_entry where statement_hash in ({', '.join(map(repr, accepted))})"
    until(lambda: house.rows(statements) == [(len(accepted),)])
    assert capture(house, number).status_code == 201
    assert upload(house, readings(5)).status_code == 201
    until(lambda: house.rows("select count(*) from ledger_submission") == [(0,)])
    checked = house.manage("fsck")
    assert checked.returncode == 0, checked.stdout


def test_people_are_told_in_both_languages(house: Embedded) -> None:
    with signed_in(house) as client:
        filler = fill(house.folder)
        try:
            english = uploaded_by_hand(client, readings(7), "en")
            chinese = uploaded_by_hand(client, readings(7), "zh-hans")
        finally:
            filler.unlink()
    assert (english.status_code, chinese.status_code) == (507, 507)
    assert "There is no room left to record anything." in english.text
    assert "存储空间已满" in chinese.text


def test_an_upload_that_temporary_space_cannot_hold(house: Embedded) -> None:
    """Django keeps uploads above 2.5 MB in the temporary folder while it reads them."""
    assert is_refusal(upload(house, "x" * 3_000_000))
    with signed_in(house) as client:
        page = uploaded_by_hand(client, "x" * 3_000_000, "en")
    assert page.status_code == 507
    assert "There is no room left" in page.text
    assert upload(house, readings(6)).status_code == 201


def test_a_folder_that_cannot_be_written_is_named(house: Embedded, tmp_path: Path) -> None:
    with mounted(tmp_path / "data", "8m") as folder:
        subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)
        for command in (["manage.py", "sequencer"], ["manage.py", "migrate"], ["-m", "traceability.supervisor", "web"]):
            said = house.python(*command, DOSETRAIL_DATA_DIR=str(folder))
            assert said.returncode != 0
            message = f"the data folder {folder} cannot be written: Read-only file system."
            assert message in said.stderr.splitlines()[-1], said.stderr
