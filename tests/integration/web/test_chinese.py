"""Nobody who reads Chinese meets an English sentence: every page that a role can reach by links, read word by word."""

import re
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

import pytest
from django.test import Client

from tests.integration.conftest import EXPIRY, GTIN, LOT, House, code
from tests.integration.portal.conftest import Portal, act, person, stocked
from tests.integration.recalls.conftest import published
from traceability.alerts.models import Alert
from traceability.contracts import services as contracts
from traceability.recalls import delivery, reach

__all__ = ["person", "stocked"]
# Two words of running English side by side. Names, codes, units and the words of standards stand alone or in capitals.
_ENGLISH = re.compile(r"\b[A-Za-z]?[a-z]{2,}(?:[ ,]+(?:a|[a-z]{2,}))+\b")
_MOST_PAGES = 120
SITES = {f"{party} site" for party in ("regulator", "maker", "wholesaler", "pharmacy", "other")}


class _Text(HTMLParser):
    """The visible text and what a reader is read aloud; links apart. Code and what people typed are not ours."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.links: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag in {"script", "style", "code", "pre"}:
            self._silent += 1
        if tag == "a" and given.get("href"):
            self.links.append(given["href"] or "")
        self.texts += [given[name] or "" for name in ("aria-label", "title", "placeholder", "alt") if given.get(name)]

    def handle_endtag(self, tag: str) -> None:
        if tag in {"script", "style", "code", "pre"}:
            self._silent -= 1

    def handle_data(self, data: str) -> None:
        if self._silent <= 0:
            self.texts.append(data)


def crawled(client: Client, start: str, within: str) -> Iterator[tuple[str, list[str]]]:
    """Each page below `within` that links lead to, with its texts."""
    waiting, seen = [start], {start}
    while waiting and len(seen) <= _MOST_PAGES:
        path = waiting.pop(0)
        answer = client.get(path)
        if answer.status_code != 200 or not answer["Content-Type"].startswith("text/html"):
            continue
        reader = _Text()
        reader.feed(answer.content.decode())
        yield path, reader.texts
        for link in reader.links:
            target = urlsplit(urljoin(path, link))
            address = target.path + (f"?{target.query}" if target.query else "")
            if not target.netloc and target.path.startswith(within) and address not in seen:
                seen.add(address)
                waiting.append(address)


def english(pages: Iterator[tuple[str, list[str]]], *, own: set[str]) -> tuple[dict[str, str], int]:
    """English phrase -> page; and how many pages were read. `own`: what this house's parties called things."""
    found: dict[str, str] = {}
    count = 0
    for path, texts in pages:
        count += 1
        for text in texts:
            for phrase in _ENGLISH.findall(text):
                if phrase not in own:
                    found.setdefault(phrase, path)
    return found, count


@pytest.fixture
def busy(stocked: House) -> House:
    """Goods, an alert, a recall, an unknown code."""
    contracts.deploy_defaults()
    act(stocked, "pharmacy", "dispense", [code("1")])
    act(stocked, "pharmacy", "hold", [code("2")], reason="damage")
    act(stocked, "other", "receive", [code("3")])
    act(stocked, "other", "dispense", [code("3")])
    published(stocked, reason="发现颗粒", instruction="请停止销售")
    reach.run()
    delivery.run()
    return stocked


@pytest.mark.parametrize(
    ("party", "role", "start"),
    [
        ("maker", "admin", "/portal/"),
        ("wholesaler", "quality", "/portal/"),
        ("pharmacy", "admin", "/portal/"),
        ("regulator", "inspector", "/regulator/"),
    ],
)
def test_every_page_of_a_role(busy: House, person: Callable[..., Portal], party: str, role: str, start: str) -> None:
    client = person(party, role).client
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "zh-CN"
    found, count = english(crawled(client, start, start), own=SITES)
    assert count >= 6
    assert found == {}


@pytest.mark.parametrize(
    ("step", "codes"),
    [
        ("receive", ""),
        ("receive", "NONSENSE"),
        ("dispense", code("1")),  # dispensed already
        ("dispense", code("2")),  # on hold
        ("dispense", code("4")),  # recalled
        ("dispense", f"(01){GTIN}(21)nowhere"),
        ("unpack", code("1")),
        ("undo", code("4")),
        ("destroy", code("5")),
        ("return_in", code("1")),
    ],
)
def test_what_a_check_answers(busy: House, person: Callable[..., Portal], step: str, codes: str) -> None:
    portal = person("pharmacy", "quality")
    portal.client.defaults["HTTP_ACCEPT_LANGUAGE"] = "zh-CN"
    answer = portal.post(f"step/{step}", {**portal.form([codes], reason="坏了"), "action": "check"})
    assert answer.status_code in {200, 400}
    reader = _Text()
    reader.feed(answer.content.decode())
    assert english(iter([(step, reader.texts)]), own=SITES) == ({}, 1)


def test_the_patients_page(busy: House) -> None:
    client = Client(headers={"Accept-Language": "zh-CN"})
    expiry = f"{EXPIRY:%y%m%d}"
    for serial in ("1", "2", "4", "nowhere"):
        for path in (f"/01/{GTIN}/21/{serial}", f"/01/{GTIN}/10/{LOT}/21/{serial}?17={expiry}"):
            found, count = english(crawled(client, path, path), own=set())
            assert (found, count) == ({}, 1), path


def test_what_it_would_find(busy: House, person: Callable[..., Portal]) -> None:
    """The negative control: the same pages in English."""
    found, _ = english(crawled(person("pharmacy").client, "/portal/", "/portal/"), own=set())
    assert len(found) > 50
    assert Alert.objects.exists()
