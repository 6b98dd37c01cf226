"""What a device remembers of a log, held against servers that rewrite it, and what the page says of witnesses."""

import json
import time
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from nacl.signing import SigningKey

from ledger import api as ledger
from ledger import models
from ledger.tlog import cosignature, note
from ledger.tlog.cosignature import Cosigner
from tests.unit.web.world import World

from .conftest import Visitor

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

Visit = Callable[..., Visitor]
SEEDS = {"regulator": b"r" * 32, "hospital": b"h" * 32}
KEPT = "localStorage['dosetrail.logs']"


def said(page: Any) -> str:
    return page.inner_text("#device-check [role=status]")


def grow(world: World, entries: int = 3) -> None:
    for _ in range(entries):
        world.post("maker", world.event("maker", "inspecting", days_ago=1, action="OBSERVE", epcList=["urn:x:1"]))
    world.publish()


def kept(page: Any) -> dict[str, Any]:
    return json.loads(page.evaluate(KEPT))


def pretend(page: Any, **changes: Any) -> None:
    """As if the device had seen something else."""
    (origin, log), *_ = kept(page).items()
    page.evaluate(f"(text) => {{ {KEPT} = text; }}", json.dumps({origin: {**log, **changes}}))


def answer(page: Any, bodies: dict[str, bytes]) -> None:
    """Let the page get these answers instead of the server's."""

    def fulfil(body: bytes) -> Callable[[Any], None]:
        return lambda route: route.fulfill(body=body)

    for pattern, body in bodies.items():
        page.route(pattern, fulfil(body))


def trust(settings: Any, folder: Path, rest: str = "group g all regulator hospital\nquorum g\n") -> None:
    keys = {name: Cosigner(f"{name}.example/w", bytes(SigningKey(seed).verify_key)) for name, seed in SEEDS.items()}
    lines = "".join(f"witness {name} {key}\n" for name, key in keys.items())
    settings.LOG_POLICY_FILE = folder / "policy"
    settings.LOG_POLICY_FILE.write_text(f"log {ledger.vkey()}\n{lines}{rest}")


def cosign(name: str, *, ago: int = 0, seed: bytes | None = None) -> None:
    latest = ledger.latest_checkpoint()
    assert latest is not None
    text = latest.note.split("\n\n")[0] + "\n"
    at = int(time.time()) - ago
    line = cosignature.sign(text, name=f"{name}.example/w", seed=SEEDS[name], time_s=at)
    if seed:
        signed = note.parse_line(line.rstrip("\n"))
        line = note.format_line(note.Signature(signed.name, signed.key_id, bytes(72)))
    models.Cosignature.objects.update_or_create(size=latest.size, witness=name, defaults={"line": line, "time_s": at})


def test_recorded_and_final_in_both_languages(world: World, visitor: Visit, settings: Any, tmp_path: Path) -> None:
    path = world.path("sold")
    english, chinese = visitor(), visitor(locale="zh-CN")
    assert "Recorded, never final" in said(english.open(path, "checked"))
    assert "不会成为最终" in said(chinese.open(path, "checked"))
    trust(settings, tmp_path)
    cosign("regulator")
    text = said(english.open(path, "checked"))
    assert "not final yet: 1 of 2 witnesses" in text
    assert "Not signed by: hospital" in text
    assert "尚未成为最终：2 个见证方中有 1 个" in said(chinese.open(path, "checked"))
    assert english.page.get_attribute("#device-check", "data-standing") == "recorded"
    cosign("hospital")
    text = said(english.open(path, "checked"))
    assert "Final: 2 of 2 witnesses" in text
    assert "Last seen by a witness" in text
    assert "最终：" in said(chinese.open(path, "checked"))
    assert "regulator和hospital" in said(chinese.page)
    assert english.page.get_attribute("#device-check", "data-standing") == "final"
    assert english.page.locator("[data-doubt]").count() == 0
    assert english.wrongs == chinese.wrongs == []


def test_an_answer_that_no_witness_saw_for_hours_may_be_old(
    world: World, visitor: Visit, settings: Any, tmp_path: Path
) -> None:
    trust(settings, tmp_path)
    cosign("regulator", ago=7300)
    cosign("hospital", ago=7200)
    page = visitor().open(world.path("sold"), "checked")
    assert "may be old" in page.inner_text("[data-doubt]")
    cosign("hospital")
    assert visitor().open(world.path("sold"), "checked").locator("[data-doubt]").count() == 0


def test_a_forged_witness_line_is_a_mismatch_and_a_broken_policy_is_not(
    world: World, visitor: Visit, settings: Any, tmp_path: Path
) -> None:
    trust(settings, tmp_path)
    cosign("regulator")
    visitor().open(world.path("sold"), "checked")
    cosign("hospital", seed=b"x" * 32)
    visitor().open(world.path("sold"), "mismatch")
    settings.LOG_POLICY_FILE.write_text(f"log {ledger.vkey()}\nquorum nobody\n")
    assert "line 2" in said(visitor().open(world.path("sold"), "unavailable"))


def test_the_device_remembers_the_log(world: World, visitor: Visit) -> None:
    visit = visitor()
    assert "First visit" in said(visit.open(world.path("sold"), "checked"))
    assert "saw before" in said(visit.open(world.path("sold"), "checked"))
    grow(world, 300)
    assert "contains everything" in said(visit.open(world.path("sold"), "checked"))
    (log,) = kept(visit.page).values()
    other = b64encode(bytes(32)).decode()
    lies = {  # what the device saw -> what the log did, if that was true
        "fewer entries": {"size": log["size"] + 1},
        "another root": {"rootText": other},
        "not in the log any more": {"size": log["size"] - 1, "rootText": other},
        "another key": {"vkeys": [log["vkeys"][0][:-4] + "AAAA"]},
    }
    for words, lie in lies.items():
        pretend(visit.page, **{**log, **lie})
        text = said(visit.open(world.path("sold"), "backwards"))
        assert "went backwards" in text
        assert words in text
        assert visit.page.locator(".verdict.is-danger").count() == 1
    visit.page.click("#device-check button")
    visit.page.wait_for_selector('#device-check[data-state="checked"]')
    assert kept(visit.page) == {**kept(visit.page), ledger.vkey().split("+")[0]: log}


def test_an_old_backup_that_was_restored_is_noticed(world: World, visitor: Visit) -> None:
    """The server answers as it did yesterday: every signature holds, and the past is missing."""
    visit = visitor()
    page = visit.open(world.path("sold"), "checked")
    yesterday = {
        "**/evidence/**": page.request.get(f"/evidence{world.path('sold')}").body(),
        "**/log/checkpoint": page.request.get("/log/checkpoint").body(),
    }
    grow(world)
    before = kept(visit.open(world.path("sold"), "checked"))
    answer(page, yesterday)
    assert "fewer entries" in said(visit.open(world.path("sold"), "backwards"))
    assert kept(page) == before, "what was seen is not forgotten"
    fresh = visitor()
    answer(fresh.page, yesterday)
    fresh.open(world.path("sold"), "checked")  # the negative control: without a memory nothing is wrong with it


def test_an_answer_under_an_older_checkpoint_is_no_alarm(world: World, visitor: Visit) -> None:
    """Evidence comes under the newest final checkpoint, which may be a little older than the one seen before."""
    visit = visitor()
    page = visit.open(world.path("sold"), "checked")
    older = page.request.get(f"/evidence{world.path('sold')}").body()
    grow(world)
    visit.open(world.path("sold"), "checked")
    before = kept(page)
    page.route("**/evidence/**", lambda route: route.fulfill(body=older))
    assert "older than what this device saw" in said(visit.open(world.path("sold"), "checked"))
    assert kept(page) == before
    page.route("**/log/checkpoint", lambda route: route.abort())
    assert "Not compared" in said(visit.open(world.path("sold"), "unavailable"))


def test_a_new_epoch_says_which_log_it_continues(world: World, visitor: Visit) -> None:
    """It is another log than the one that was seen, and says so itself; to who saw none, nothing is said."""
    path, old, size = world.path("sold"), ledger.vkey().split("+")[0], ledger.published_size()
    english, chinese = visitor(), visitor(locale="zh-CN")
    for visit in (english, chinese):
        visit.open(path, "checked")
    ledger.new_epoch("dosetrail.example/log-2")
    ledger.sequence_once()
    text = said(english.open(path, "checked"))
    assert "another log than this device saw" in text
    assert f"continues {old}, which was last seen with {size} entries, and that it kept {size} of them" in text
    assert f"延续 {old}" in said(chinese.open(path, "checked"))
    assert english.page.locator("#device-check .notice.is-warn").count() == 1
    fresh = visitor()
    assert old not in said(fresh.open(path, "checked"))
    assert fresh.page.locator("#device-check .notice.is-ok").count() == 1


def test_what_cannot_be_compared_is_said_and_not_remembered(world: World, visitor: Visit) -> None:
    visit = visitor()
    page = visit.open(world.path("sold"), "checked")
    before = kept(page)
    grow(world)
    page.route("**/log/tile/**", lambda route: route.abort())
    text = said(visit.open(world.path("sold"), "unavailable"))
    assert "Not compared with what this device saw before" in text
    assert "verified" in text
    assert kept(page) == before, "or a fork could be slipped in by withholding tiles once"


def test_a_policy_that_names_an_old_and_a_new_key_is_no_succession_by_itself(
    world: World, visitor: Visit, settings: Any, tmp_path: Path
) -> None:
    """The server wrote the policy. Either both keys sign, or the log itself names the new one (test_key_change.py)."""
    origin = ledger.vkey().split("+")[0]
    old = str(note.Verifier(origin, bytes(SigningKey(b"o" * 32).verify_key)))
    visit = visitor()
    visit.open(world.path("sold"), "checked")
    trust(settings, tmp_path, f"log {old}\nquorum none\n")
    pretend(visit.page, vkeys=[old])
    assert "another key" in said(visit.open(world.path("sold"), "backwards"))
    pretend(visit.page, vkeys=[old, ledger.vkey()])  # it saw a checkpoint that both signed
    visit.open(world.path("sold"), "checked")
    assert kept(visit.page)[origin]["vkeys"] == [ledger.vkey()]


def test_a_new_epoch_is_another_log_and_said_so(world: World, visitor: Visit) -> None:
    visit = visitor()
    visit.open(world.path("sold"), "checked")
    seen = kept(visit.page)
    (log,) = seen.values()
    visit.page.evaluate(f"(text) => {{ {KEPT} = text; }}", json.dumps({"before.example/log": log}))
    page = visit.open(world.path("sold"), "checked")
    assert "another log than this device saw here before" in page.inner_text("[data-doubt]")
    assert kept(page) == {"before.example/log": log, **seen}
    assert visit.open(world.path("sold"), "checked").locator("[data-doubt]").count() == 0


@pytest.mark.parametrize(
    "blocked",
    [
        "Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('no', 'SecurityError'); } })",
        "Storage.prototype.setItem = () => { throw new DOMException('full', 'QuotaExceededError'); }",
    ],
)
def test_a_browser_that_keeps_nothing_says_so(world: World, visitor: Visit, blocked: str) -> None:
    visit = visitor()
    visit.page.add_init_script(blocked)
    for _ in range(2):
        assert "keeps nothing" in said(visit.open(world.path("sold"), "checked"))


def test_rubbish_in_the_memory_is_as_nothing(world: World, visitor: Visit) -> None:
    visit = visitor()
    visit.open(world.path("sold"), "checked")
    [(origin, log)] = kept(visit.page).items()
    own = json.dumps({origin: {**log, "rootText": "rubbish"}})
    for rubbish in ("[", "7", "null", '{"a": 1}', '{"a": {"size": "x"}}', own):
        visit.page.evaluate(f"(text) => {{ {KEPT} = text; }}", rubbish)
        assert "First visit" in said(visit.open(world.path("sold"), "checked"))


def test_two_tabs_do_not_hide_a_fork_from_each_other(world: World, visitor: Visit) -> None:
    """While one tab waits for tiles another remembers a larger log: the first has to answer to that too."""
    visit = visitor()
    page = visit.open(world.path("sold"), "checked")
    (log,) = kept(page).values()
    grow(world)
    held: list[Any] = []
    page.route("**/log/tile/**", lambda route: held.append(route))
    page.goto(world.path("sold"))
    page.wait_for_timeout(50)
    while not held:
        page.wait_for_timeout(50)
    other = visit.context.new_page()
    other.goto("/log/vkey")
    latest = ledger.latest_checkpoint()
    assert latest is not None
    fork = {"size": latest.size, "rootText": b64encode(bytes(32)).decode(), "vkeys": log["vkeys"]}
    other.evaluate(f"(text) => {{ {KEPT} = text; }}", json.dumps({ledger.vkey().split("+")[0]: fork}))
    page.route("**/log/tile/**", lambda route: route.continue_())
    for route in held:
        route.continue_()
    page.wait_for_selector('#device-check[data-state="backwards"]')
    assert "another root" in said(page)
