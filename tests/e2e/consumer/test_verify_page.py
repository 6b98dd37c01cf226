"""The page that checks saved evidence: four outcomes, no network, no upload, an auditor's policy."""

import json
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.test import Client
from nacl.signing import SigningKey

from ledger import api as ledger
from ledger.tlog import note
from tests.unit.web.world import World

from .conftest import Gate, Visitor

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

Visit = Callable[..., Visitor]
KEPT = "localStorage['dosetrail.logs']"
KEPT_OFFLINE = '[data-offline="yes"]:not([hidden])'
PHONE = {"width": 320, "height": 640}
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@pytest.fixture
def evidence(world: World, tmp_path: Path) -> Path:
    """The file that a patient saved."""
    file = tmp_path / "dosetrail-evidence.json"
    file.write_bytes(Client().get(f"/evidence{world.path('sold')}").content)
    return file


def opened(visit: Visitor) -> Any:
    page = visit.page
    page.goto("/verify/")
    page.wait_for_selector("#verify[data-ready]")
    return page


def choose(page: Any, file: Path, state: str) -> str:
    page.dispatch_event("#file", "click")
    page.set_input_files("#file", file)
    page.wait_for_selector(f'#device-check[data-state="{state}"]')
    return page.inner_text("#device-check [role=status]")


def damaged(evidence: Path) -> Path:
    bundle = json.loads(evidence.read_bytes())
    claims = bundle["entries"][0]["claims"]
    [shown] = [item for item in claims if json.loads(item["claim"])[1] == "bizStep"]
    shown["claim"] = shown["claim"].replace("commissioning", "destroying")
    file = evidence.with_name("damaged.json")
    file.write_text(json.dumps(bundle))
    return file


def test_the_page_of_a_pack_leads_here(world: World, visitor: Visit) -> None:
    visit = visitor()
    page = visit.open(world.path("sold"), "checked")
    with page.expect_download() as download:
        page.click("#device-check a[download]")
    file = Path(download.value.path())
    page.click("#device-check a[href='/verify/']")
    page.wait_for_selector("#verify[data-ready]")
    assert "Checked on this device" in choose(page, file, "checked")
    assert visit.wrongs == []


def test_it_says_what_each_entry_claims(evidence: Path, visitor: Visit) -> None:
    visit = visitor()
    text = choose(opened(visit), evidence, "checked")
    assert "Recorded, never final" in text
    assert "without network" in text
    entries = visit.page.locator(".entry")
    assert entries.count() == 7
    assert "Commissioned" in entries.first.inner_text()
    assert "Dispensed" in entries.last.inner_text()
    entries.first.locator("summary").click()
    for words in ("Lot\nGLA26A01", "21/A0003", "Recorded by\nurn:dosetrail:party:maker", "Leaf hash"):
        assert words in entries.first.inner_text()
    visit.page.click("[data-figures] summary")
    assert f"{ledger.published_size()}\n" in visit.page.inner_text("[data-proof] pre")
    assert visit.wrongs == []


def test_a_dropped_file_is_checked(evidence: Path, visitor: Visit) -> None:
    page = opened(visitor())
    page.evaluate(
        """(text) => {
          const dataTransfer = new DataTransfer();
          dataTransfer.items.add(new File([text], "evidence.json", { type: "application/json" }));
          document.querySelector(".drop").dispatchEvent(new DragEvent("drop", { dataTransfer, bubbles: true }));
        }""",
        evidence.read_text(),
    )
    page.wait_for_selector('#device-check[data-state="checked"]')


def test_four_outcomes(evidence: Path, tmp_path: Path, visitor: Visit) -> None:
    page = opened(visitor())
    assert "not what the log's signatures and proofs say" in choose(page, damaged(evidence), "mismatch")
    assert page.locator(".entry").count() == 0
    choose(page, evidence, "checked")
    rubbish = tmp_path / "photo.json"
    rubbish.write_bytes(b"\xff\xd8\xff")
    assert "not evidence that this page can read" in choose(page, rubbish, "unavailable")
    assert page.locator(".entry").count() == 0, "nothing of the file before is left"
    origin, log = next(iter(json.loads(page.evaluate(KEPT)).items()))
    log["rootText"] = b64encode(bytes(32)).decode()
    page.evaluate(f"(text) => {{ {KEPT} = text; }}", json.dumps({origin: log}))
    assert "another root" in choose(page, evidence, "backwards")
    page.click("[data-history] button")
    page.wait_for_selector('#device-check[data-state="checked"]')


def test_nothing_leaves_the_device(evidence: Path, visitor: Visit) -> None:
    """Neither the file nor a question about it: with the network cut, and with it there."""
    for cut in (True, False):
        visit = visitor()
        page = opened(visit)
        page.wait_for_selector(KEPT_OFFLINE)
        requests: list[str] = []
        visit.context.on("request", lambda request, seen=requests: seen.append(request.url))
        visit.context.set_offline(cut)
        for file, state in ((evidence, "checked"), (damaged(evidence), "mismatch"), (evidence, "checked")):
            choose(page, file, state)
        page.click("#verify details:has(#trust-text) summary")
        page.fill("#trust-text", ledger.vkey())
        page.click("[data-trust-form] .btn-primary")
        page.wait_for_selector('#device-check[data-past="foreign"]')
        assert requests == []
        assert visit.wrongs == []


def test_it_opens_again_without_network(evidence: Path, visitor: Visit, gate: Gate) -> None:
    visit = visitor(base_url=gate.url)
    page = opened(visit)
    page.wait_for_selector(KEPT_OFFLINE)
    page.goto("/")  # no other page is the worker's
    assert page.evaluate("navigator.serviceWorker.controller") is None
    gate.shut()
    visit.context.set_offline(True)
    page = opened(visit)
    assert page.inner_text("h1") == "Check a saved proof"
    assert "Checked on this device" in choose(page, evidence, "checked")
    assert "opens and checks without network" in page.inner_text("#verify")
    page.click(".language button")
    page.wait_for_selector("html[lang=zh-Hans] #verify[data-ready]")
    assert "已在本机核对" in choose(page, evidence, "checked")
    with pytest.raises(Exception, match="ERR_"):  # the negative control: the network is gone
        page.goto("/")


def test_the_worker_is_renewed_with_the_policy(world: World, visitor: Visit, settings: Any, tmp_path: Path) -> None:
    visit = visitor()
    page = opened(visit)
    page.wait_for_selector(KEPT_OFFLINE)
    before = page.evaluate("caches.keys()")
    assert len(before) == 1
    settings.LOG_POLICY_FILE = tmp_path / "policy"
    settings.LOG_POLICY_FILE.write_text(f"# new\nlog {ledger.vkey()}\nquorum none\n")
    opened(visit)
    for _ in range(100):
        after = page.evaluate("caches.keys()")
        if len(after) == 1 and after != before:
            break
        page.wait_for_timeout(100)
    assert after != before
    kept = page.evaluate(f"caches.open('{after[0]}').then((c) => c.match('/verify/?en')).then((r) => r.text())")
    assert "# new" in kept


def test_an_auditors_policy_is_used_and_named(evidence: Path, visitor: Visit) -> None:
    visit = visitor()
    page = opened(visit)
    choose(page, evidence, "checked")
    before = page.evaluate(KEPT)
    page.click("#verify details:has(#trust-text) summary")
    origin = ledger.vkey().split("+")[0]
    stranger = str(note.Verifier(origin, bytes(SigningKey(b"s" * 32).verify_key)))

    def use(text: str, state: str) -> None:
        page.fill("#trust-text", text)
        page.click("[data-trust-form] .btn-primary")
        page.wait_for_selector(f'#device-check[data-state="{state}"]')

    use(stranger, "mismatch")
    assert "no log key that the policy names" in page.inner_text("#device-check [role=status]")
    assert page.inner_text("[data-trust]") == stranger
    use(ledger.vkey(), "checked")
    assert "that you brought" in page.inner_text("#device-check [role=status]")
    assert page.evaluate(KEPT) == before, "another's policy writes nothing into this page's memory"
    page.fill("#trust-text", "log nonsense\nquorum none")
    page.click("[data-trust-form] .btn-primary")
    assert "line 1" in page.inner_text("#trust-error")
    assert page.evaluate("document.activeElement.id") == "trust-text"
    page.click("[data-own]")
    page.wait_for_selector('#device-check[data-past="same"]')
    assert "quorum none" in page.inner_text("[data-trust]")
    assert visit.wrongs == []


def test_comparing_with_the_log_is_asked_for(world: World, evidence: Path, tmp_path: Path, visitor: Visit) -> None:
    visit = visitor()
    page = opened(visit)
    choose(page, evidence, "checked")
    world.post("maker", world.event("maker", "inspecting", days_ago=1, action="OBSERVE", epcList=["urn:x:1"]))
    world.publish()
    newer = tmp_path / "newer.json"
    newer.write_bytes(Client().get(f"/evidence{world.path('sold')}").content)
    assert "Not compared" in choose(page, newer, "checked")
    page.click("[data-history] button")
    page.wait_for_selector('#device-check[data-past="larger"]')
    assert "contains everything" in page.inner_text("#device-check [role=status]")
    assert "Not compared" in choose(page, evidence, "checked")
    page.click("[data-history] button")
    page.wait_for_selector('#device-check[data-past="older"]')
    assert visit.wrongs == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("locale", ["en", "zh-CN"])
def test_every_state_is_accessible_and_fits(
    evidence: Path, tmp_path: Path, visitor: Visit, scheme: str, locale: str
) -> None:
    visit = visitor(color_scheme=scheme, locale=locale, viewport=PHONE)
    page = opened(visit)
    empty = tmp_path / "empty.json"
    empty.write_text("")

    def looks_right(state: str) -> None:
        results = Axe().run(page, options={"runOnly": {"type": "tag", "values": TAGS}})
        assert results.violations_count == 0, f"{state}\n{results.generate_report()}"
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], state
        small = page.evaluate(
            """[...document.querySelectorAll("a.btn, button, summary, input, textarea")]
               .filter((node) => node.checkVisibility() && node.type !== "hidden")
               .map((node) => [node.outerHTML.slice(0, 80), node.getBoundingClientRect().height])
               .filter(([, height]) => height < 44)"""
        )
        assert small == [], state

    looks_right("not-run")
    page.click("#verify details:has(#trust-text) summary")
    page.fill("#trust-text", "x y")
    page.click("[data-trust-form] .btn-primary")
    for file, state in ((empty, "unavailable"), (damaged(evidence), "mismatch"), (evidence, "checked")):
        choose(page, file, state)
        if state == "checked":
            page.click("[data-figures] summary")
            page.click(".entry >> nth=0 >> summary")
        looks_right(state)
    origin, log = next(iter(json.loads(page.evaluate(KEPT)).items()))
    changed = json.dumps({origin: {**log, "rootText": b64encode(bytes(32)).decode()}})
    page.evaluate(f"(text) => {{ {KEPT} = text; }}", changed)
    choose(page, evidence, "backwards")
    looks_right("backwards")


def test_without_script_it_says_how_else(world: World, visitor: Visit) -> None:
    page = visitor(java_script_enabled=False).page
    page.goto("/verify/")
    assert "needs JavaScript" in page.inner_text("#device-check")
    assert page.locator("#file").is_disabled()
    assert "python -m ledger.verify" in page.inner_text("#verify")
