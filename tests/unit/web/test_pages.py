"""The consumer's pages and evidence: what they say, and what they keep to themselves."""

import json
import re
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from ledger import api as ledger
from ledger import verify
from traceability.common.models import Document
from traceability.web.consumer import views

from .world import GTIN, LOT, World

OUTCOMES = {
    "registered": "registered",
    "sold": "sold",
    "sold_again": "sold_again",
    "recalled": "recalled",
    "expired": "expired",
    "temperature": "temperature",
    "trace_code": "registered",
    "cloned": "sold_again",
}


def page(path: str, **headers: str) -> str:
    response = Client().get(path, headers=headers)
    assert response.status_code == 200, path
    return response.content.decode()


def outcome(html: str) -> str:
    found = re.findall(r'data-outcome="(\w+)"', html)
    assert len(found) == 1, "one verdict, no more"
    return found[0]


def bundle_at(path: str) -> dict[str, Any]:
    response = Client().get(f"/evidence{path}")
    assert response.status_code == 200, response.content
    return json.loads(response.content)


def claims_of(bundle: dict[str, Any]) -> list[tuple[int, str, Any]]:
    found = []
    for entry in bundle["entries"]:
        for item in entry["claims"]:
            _, name, value = json.loads(item["claim"])
            found.append((entry["index"], name, value))
    return found


def test_whoever_holds_the_pack_sees_outcome_and_journey(world: World) -> None:
    for name, expected in OUTCOMES.items():
        html = page(world.path(name))
        assert outcome(html) == expected
        assert world.packs[name].lot in html
        assert re.findall(r"<h3>(Made|Sent on|Arrived)</h3>", html) == ["Made", "Sent on", "Arrived"]
        assert "Guangzhou" in html
        assert "Wuhan" in html
        assert "T0" not in re.sub(r"T0001", "", html), "days, never clock times"
    assert outcome(page(world.path("not_shipped"))) == "registered"
    assert "Chengdu" in page(world.path("sold"))
    assert "Outside the limits" in page(world.path("temperature"))
    assert "All readings within the limits" in page(world.path("registered"))
    assert "No temperature record" in page(world.path("not_shipped"))


def test_the_code_alone_gives_the_verdict_and_the_recall_notice_only(world: World) -> None:
    for name, expected in OUTCOMES.items():
        pack = world.packs[name]
        html = page(pack.code_path)
        evidence = Client().get(f"/evidence{pack.code_path}").content.decode()
        assert outcome(html) == expected
        assert ("Recall notice" in html) == (expected == "recalled")
        for text in (html, evidence):
            for secret in (pack.lot, f"{world.expiry[pack.lot]:%Y-%m-%d}", "Wuhan", "Guangzhou", "Wholesaler", "Lotus"):
                assert secret not in text, (name, secret)


def test_unknown_and_not_yet_shipped_look_alike(world: World) -> None:
    shipped_not, unknown = world.packs["not_shipped"], world.packs["serial_unknown"]
    for head in ("", "/evidence"):
        answers = []
        for pack in (shipped_not, unknown):
            started = time.monotonic()
            response = Client().get(head + pack.code_path)
            assert time.monotonic() - started >= views.STEADY_SECONDS
            answers.append((response.status_code, response.content.replace(pack.serial.encode(), b"?")))
        assert answers[0] == answers[1]
    assert outcome(page(unknown.code_path)) == "serial_unknown"
    wrong = f"/01/{GTIN}/10/OTHER/21/{{}}?17=300101"
    pages = [page(wrong.format(pack.serial)).replace(pack.serial, "?") for pack in (shipped_not, unknown)]
    assert pages[0] == pages[1]
    assert "could not be matched" in pages[0]


def test_without_the_steady_answer_time_would_tell(world: World) -> None:
    """Negative control: the two look-ups do not cost the same."""
    assert queries(world.packs["not_shipped"].code_path) != queries(world.packs["serial_unknown"].code_path)


def test_only_the_answer_that_nothing_is_recorded_waits(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    monkeypatch.setattr(time, "sleep", waits.append)
    for name in OUTCOMES:
        page(world.packs[name].code_path)
        page(world.path(name))
    assert waits == []
    page(world.packs["serial_unknown"].code_path)
    page(world.packs["not_shipped"].code_path)
    assert len(waits) == 2


def test_a_long_way_costs_no_more_than_a_short_one(world: World) -> None:
    short, long = world.path("registered"), world.path("sold")
    assert page(long).count("<h3>") > page(short).count("<h3>")
    assert queries(long) == queries(short)


def queries(path: str) -> int:
    """How many queries the page costs."""
    with CaptureQueriesContext(connection) as found:
        page(path)
    return len(found)


def test_product_unknown_and_malformed_codes(world: World) -> None:
    assert outcome(page(world.packs["product_unknown"].code_path)) == "product_unknown"
    assert Client().get("/01/09504000059119/21/A").status_code == 400
    assert Client().get("/c/12").status_code == 404
    assert "not a single pack" in page(f"/01/{GTIN}")
    assert Client().get("/evidence/c/12").json()["code"] == "malformed"


def test_a_wrong_lot_or_expiry_opens_nothing(world: World) -> None:
    pack, expiry = world.packs["sold"], world.expiry[LOT]
    for path in (
        pack.full_path(expiry + timedelta(days=1)),
        pack.full_path(expiry).replace(LOT, "GLA26A0"),
        f"{pack.code_path}?17={expiry:%y%m%d}",
        f"{pack.code_path}?10={LOT}",
        f"{pack.code_path}?10={LOT}&17=999999",
    ):
        html = page(path)
        assert outcome(html) == "sold"
        assert "could not be matched" in html
        assert "Chengdu" not in html
    assert "Chengdu" in page(f"{pack.code_path}?10={LOT}&17={expiry:%y%m%d}")


def test_the_evidence_checks_out_and_tells_only_of_this_pack(world: World) -> None:
    for name in OUTCOMES:
        for path in (world.path(name), world.packs[name].code_path):
            bundle = bundle_at(path)
            assert verify.check(bundle, ledger.vkey()).entries
            named = {value for _, claim, value in claims_of(bundle) if claim in ("epcList", "childEPCs")}
            assert named <= {world.packs[name].epc, *[value for value in named if "/00/" in value]}
            told = {claim for _, claim, _ in claims_of(bundle)}
            assert not told & {"eventTime", "eventID", "readPoint", "bizLocation", "sourceList", "sensorElementList"}
    steps = [value for _, claim, value in claims_of(bundle_at(world.path("sold"))) if claim == "bizStep"]
    assert steps == ["commissioning", "packing", "shipping", "sensor_reporting", "receiving", "unpacking", "dispensing"]
    assert [value for _, claim, value in claims_of(bundle_at(world.packs["sold"].code_path)) if claim == "bizStep"] == [
        "commissioning"
    ]


def test_a_changed_event_no_longer_checks_out(world: World) -> None:
    document = world.sale_of("sold")
    body = bytes(document.body)
    path = world.path("sold")
    for changed in (body.replace(b"/21/A0003", b"/21/A0009"), body.replace(b"+08:00", b"+09:00"), b"not JSON", b"[]"):
        Document.objects.filter(pk=document.pk).update(body=changed)
        with pytest.raises(verify.BundleError):
            verify.check(bundle_at(path), ledger.vkey())
    Document.objects.filter(pk=document.pk).update(body=body)
    assert verify.check(bundle_at(path), ledger.vkey())


def test_the_server_never_says_that_it_was_checked(world: World) -> None:
    for language in ("en", "zh-hans"):
        for path in ("/", *(world.path(name) for name in OUTCOMES)):
            html = page(path, **{"accept-language": language})
            for word in ("verified", "genuine", "authentic", "guarantee", "已验证", "已核对", "正品"):
                assert word not in html.lower()
    html = page(world.path("sold"))
    assert 'data-state="not-run"' in html
    assert "Not checked on this device" in html


def test_a_reader_gets_no_cookie(world: World) -> None:
    for path in ("/", world.path("sold"), "/look-up?code=nonsense"):
        assert not Client().get(path).cookies


def test_undone_sales_do_not_count(world: World) -> None:
    pack = world.packs["neighbour"]
    sale = world.event("lotus", "dispensing", days_ago=2, action="OBSERVE", disposition="dispensed", epcList=[pack.epc])
    world.post("lotus", sale)
    world.publish()
    assert outcome(page(world.path("neighbour"))) == "sold"
    undone = {"declarationTime": sale["eventTime"], "reason": "did_not_occur"}
    world.post("lotus", {**sale, "errorDeclaration": undone})
    world.publish()
    assert outcome(page(world.path("neighbour"))) == "registered"
    assert verify.check(bundle_at(world.path("neighbour")), ledger.vkey())


def test_a_double_scan_and_a_sale_after_a_return_are_no_copies(world: World) -> None:
    pack = world.packs["sold"]
    world.dispense("lotus", pack, days_ago=3 - 1 / 1440)
    world.publish()
    assert outcome(page(world.path("sold"))) == "sold"
    world.post(
        "lotus",
        world.event("lotus", "receiving", days_ago=2, action="OBSERVE", disposition="returned", epcList=[pack.epc]),
    )
    world.publish()
    assert outcome(page(world.path("sold"))) == "registered"
    world.dispense("river", pack, days_ago=1)
    world.publish()
    assert outcome(page(world.path("sold"))) == "sold"
    world.dispense("river", pack, days_ago=0.5)
    world.publish()
    assert outcome(page(world.path("sold"))) == "sold_again"


def test_a_failing_database_says_so_and_accuses_nobody(world: World) -> None:
    def fail(*arguments: Any) -> None:
        raise OperationalError("the database is gone")

    with connection.execute_wrapper(fail):
        response = Client().get(world.path("sold"))
        evidence = Client().get(f"/evidence{world.path('sold')}")
    assert response.status_code == evidence.status_code == 503
    assert outcome(response.content.decode()) == "cannot_check"


def test_what_is_typed_leads_to_the_pack(world: World) -> None:
    target = f"/01/{GTIN}/10/{LOT}/21/A0003?17={world.expiry[LOT]:%y%m%d}"
    day = world.expiry[LOT]
    typed = [
        {"code": f"https://other.example{target}"},
        {"code": f"(01){GTIN}(17){day:%y%m%d}(10){LOT}(21)A0003"},
        {"code": f"https://id.gs1.org/01/{GTIN}/21/A0003", "lot": LOT, "expiry": day.isoformat()},
        {"gtin": GTIN[1:], "serial": "A0003", "lot": f" {LOT} ", "expiry": f"{day:%y%m%d}"},
    ]
    for query in typed:
        response = Client().get("/look-up", query)
        assert (response.status_code, response.get("Location")) == (302, target)
    for query in ({}, {"code": "abc"}, {"gtin": GTIN, "serial": "x" * 30}, {**typed[2], "expiry": "soon"}):
        response = Client().get("/look-up", query)
        assert response.status_code == 400
        assert 'class="error-summary"' in response.content.decode()


def test_the_language_switch_keeps_the_path(world: World) -> None:
    client = Client()
    path = world.path("sold")
    back = client.post("/language", {"language": "zh-hans", "next": path})
    assert (back.status_code, back["Location"]) == (302, path)
    html = client.get(path).content.decode()
    assert '<html lang="zh-Hans">' in html
    assert ">English</button>" in html
    for foreign in ("https://evil.example/", "//evil.example", "javascript:alert(1)"):
        assert client.post("/language", {"language": "en", "next": foreign})["Location"] == "/"
    assert "django_language" not in Client().post("/language", {"language": "xx", "next": "/"}).cookies
    assert Client().get("/language").status_code == 405


def test_the_worker_of_the_verify_page_keeps_what_the_page_needs_and_changes_with_it(
    world: World, settings: Any, tmp_path: Path
) -> None:
    def kept(language: str = "en") -> dict[str, Any]:
        response = Client().get("/verify/worker.js", headers={"accept-language": language})
        assert response.headers["Content-Type"].startswith("text/javascript")
        return json.loads(response.content.decode().split("self.KEPT = ", 1)[1].split(";\n", 1)[0])

    first = kept()
    assert kept("zh-hans") == first, "one worker for all, or each switch of the language would install it anew"
    assert {"/static/verify/verify.js", "/static/consumer/words-zh.js"} <= set(first["files"])
    assert "/static/verify/worker.js" not in first["files"]
    for address in re.findall(r'(?:src|href)="(/static/[^"]+)"', page("/verify/")):
        assert address in first["files"], address
    settings.LOG_POLICY_FILE = tmp_path / "policy"
    settings.LOG_POLICY_FILE.write_text(f"# another\nlog {ledger.vkey()}\nquorum none\n")
    assert kept()["version"] != first["version"]
    assert "# another" in page("/verify/")


@pytest.mark.django_db
def test_before_there_is_a_log_the_verify_page_asks_for_a_policy() -> None:
    assert "bring a policy or a key of your own" in page("/verify/")
