"""The reports: what they count is what happened, to whom it may be told, as a page and as CSV."""

import csv
import io
import json
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.integration.conftest import EXPIRY, GTIN, LOT, House, code, pack
from tests.integration.portal.conftest import CASE, PASSWORD, SSCC, act
from tests.integration.portal.conftest import stocked as stocked
from tests.integration.visibility.conftest import HOUR, OTHER_CASE, START, Chain
from traceability.capture import services as capture
from traceability.capture.models import PublishedEvent
from traceability.common import clock
from traceability.custody.models import ItemState
from traceability.exceptions import services as exceptions
from traceability.exceptions.models import ExceptionItem
from traceability.parties import services as parties
from traceability.parties.models import Member
from traceability.products import services as products
from traceability.products.models import Lot
from traceability.visibility import lots, rules
from traceability.visibility.models import Audience, Read
from traceability.web.shared.reports import frame, pages
from traceability.web.shared.reports.catalogue import REPORTS

LOT_CODE = f"(01){GTIN}(10){LOT}"
Ask = Callable[..., "Browser"]


class Browser:
    """Somebody signed in, and the reports as that person gets them."""

    def __init__(self, member: Member, face: str) -> None:
        self.client, self.member, self.face = Client(), member, face
        assert self.client.login(username=member.user.username, password=PASSWORD)

    def page(self, report: str, status: int = 200, **query: Any) -> str:
        answer = self.client.get(reverse(f"{self.face}:report", args=[report]), query)
        assert answer.status_code == status, answer.content.decode()[-3000:]
        return answer.content.decode()

    def rows(self, report: str, **query: Any) -> list[dict[str, str]]:
        answer = self.client.get(reverse(f"{self.face}:report-csv", args=[report]), query)
        assert answer.streaming, answer.content.decode()
        assert "-log-" in answer["Content-Disposition"]
        text = b"".join(answer.streaming_content).decode("utf-8-sig")
        return list(csv.DictReader(io.StringIO(text)))


@pytest.fixture
def ask(house: House) -> Ask:
    def enter(party: str) -> Browser:
        role = "inspector" if party == "regulator" else "operator"
        member = parties.add_member(
            party=house.parties[party], username=f"{party}-asks", password=PASSWORD, role=role,
            site_id=house.parties[party].sites.get().id,
        )  # fmt: skip
        return Browser(member, "regulator" if party == "regulator" else "portal")

    return enter


def days() -> dict[str, str]:
    return {"first": "2020-01-01", "last": "2035-01-01"}


def test_a_lot_adds_up_for_the_regulator(stocked: House, ask: Ask) -> None:
    act(stocked, "pharmacy", "dispense", [code("1")])
    inspector = ask("regulator")
    page = inspector.page("lot-reconciliation", code=LOT_CODE)
    for label, number in (
        ("Commissioned", 6),
        ("Held", 3),
        ("On the way", 2),
        ("Dispensed", 1),
        ("Counted pack by", 6),
    ):
        assert f"<dt>{label}" in page
        assert f"<dd>{number}</dd>" in page.split(f"<dt>{label}", 1)[1][:60]
    assert "do not agree" not in page
    rows = inspector.rows("lot-reconciliation", code=LOT_CODE)
    assert {(row["holder"], row["status"], row["packs"]) for row in rows} == {
        ("Pharmacy", "active", "3"), ("Pharmacy", "dispensed", "1"), ("Maker", "shipped", "2"),
    }  # fmt: skip


def test_a_pack_that_the_counts_do_not_hold_shows(stocked: House, ask: Ask) -> None:
    ItemState.objects.filter(epc=pack("1")).delete()  # as a fault of a fold would leave it
    assert "do not agree" in ask("regulator").page("lot-reconciliation", code=LOT_CODE)


def test_a_maker_is_told_no_small_count(stocked: House, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = ask("maker").rows("lot-reconciliation", code=LOT_CODE)
    assert sum(int(row["packs"]) for row in rows) == 6
    assert [row["status"] for row in rows if row["holder"] != "Maker"] == [""]
    monkeypatch.setattr(lots, "MIN_PACKS", 1)
    monkeypatch.setattr(lots, "MIN_PARTIES", 1)
    control = Browser(Member.objects.get(user__username="maker-asks"), "portal")
    rows = control.rows("lot-reconciliation", code=LOT_CODE)
    assert "active" in {row["status"] for row in rows if row["holder"] != "Maker"}


def test_others_are_told_of_a_lot_what_they_recorded(stocked: House, ask: Ask) -> None:
    (row,) = ask("pharmacy").rows("lot-reconciliation", code=LOT_CODE)
    assert (row["status"], row["packs"]) == ("active", "4")
    assert ask("wholesaler").rows("lot-reconciliation", code=LOT_CODE) == []


def test_a_site_visit_has_every_movement_between_the_days(stocked: House, ask: Ask) -> None:
    act(stocked, "pharmacy", "dispense", [code("1")])
    inspector = ask("regulator")
    rows = inspector.rows("site-movements", site="pharmacy-main", **days())
    assert [(row["biz_step"], row["lot"], row["named"]) for row in rows] == [
        ("receiving", LOT, "4"), ("dispensing", LOT, "1"),
    ]  # fmt: skip
    assert rows[0]["documents"] == "DA1"
    read = Read.objects.get(door="regulator:report-csv")
    assert (read.events, read.reporters) == (2, {stocked.parties["pharmacy"].uri: 2})
    assert inspector.rows("site-movements", site="pharmacy-main", first="2020-01-01", last="2020-01-02") == []
    assert ask("pharmacy").rows("site-movements", site="pharmacy-main", **days()) == rows


def test_of_a_case_stands_what_lay_in_it_then(stocked: House, ask: Ask) -> None:
    """As far as the asker may see who put it there: the control takes that away."""
    chain, hour = Chain(stocked), (clock.now_ms() - START) / HOUR
    made = [pack("81"), pack("82"), pack("83")]
    chain.make("made", "maker", 0, made, ilmd={"cbvmda:lotNumber": "L2"})
    chain.pack("packed", "maker", 1, OTHER_CASE, made)
    there = {"id": stocked.place("pharmacy")}
    chain.event("came", "pharmacy", hour, "receiving", [CASE, OTHER_CASE], bizLocation=there)
    chain.pack("opened", "pharmacy", hour + 0.01, CASE, [], action="DELETE")
    stocked.settle()
    inspector, pharmacy = ask("regulator"), ask("pharmacy")

    def cases(browser: Browser) -> list[tuple[str, str, str, str]]:
        rows = browser.rows("site-movements", site="pharmacy-main", **days())
        return [(row["product"], row["lot"], row["named"], row["packs"]) for row in rows if row["documents"] == ""]

    assert cases(inspector) == [("Glarvia", LOT, "1", "2"), ("Glarvia", "L2", "1", "3")]
    assert cases(pharmacy) == [("Glarvia", LOT, "1", "2"), ("", "", "1", "")]
    packing = PublishedEvent.objects.filter(biz_step="packing").values("index")
    Audience.objects.filter(event_index__in=packing, party=stocked.parties["pharmacy"].uri).delete()
    assert cases(Browser(pharmacy.member, "portal")) == [("", "", "2", "")]


def test_the_last_day_counts_whole_in_the_site_s_own_time(stocked: House, ask: Ask) -> None:
    inspector = ask("regulator")
    at_ms = PublishedEvent.objects.get(biz_step="receiving").event_time_ms
    local = datetime.fromtimestamp(at_ms / 1000, ZoneInfo("Asia/Shanghai")).date().isoformat()
    assert len(inspector.rows("site-movements", site="pharmacy-main", first=local, last=local)) == 1


@pytest.mark.parametrize("size", [1, 2])
def test_portions_leave_nothing_out_and_bring_nothing_twice(
    stocked: House, ask: Ask, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    for serial in "123":
        act(stocked, "pharmacy", "dispense", [code(serial)])
    inspector = ask("regulator")
    whole = inspector.rows("site-movements", site="pharmacy-main", **days())
    assert len(whole) == 4
    monkeypatch.setattr(frame, "CSV_ROWS", size)
    assert inspector.rows("site-movements", site="pharmacy-main", **days()) == whole
    monkeypatch.setattr(pages, "PAGE_ROWS", size)
    assert list(_walk(inspector)) == [row["log_index"] for row in whole]


def _walk(inspector: Browser) -> Iterator[str]:
    after = ""
    while True:
        query = {"site": "pharmacy-main", "after": after, **days()}
        answer = inspector.client.get(reverse("regulator:report", args=["site-movements"]), query)
        yield from (row[-1][1] for row in answer.context["rows"])
        after = answer.context["after"]
        if not after:
            return


def test_stock_counts_what_lies_in_a_received_case(stocked: House, ask: Ask) -> None:
    browser = ask("pharmacy")
    assert [row["packs"] for row in browser.rows("stock-by-lot")] == ["4"]
    act(stocked, "pharmacy", "receive", [CASE], despatch="urn:dosetrail:document:DA2")
    (row,) = browser.rows("stock-by-lot")
    assert (row["packs"], row["lot"], row["expiry"], row["place"]) == ("6", LOT, EXPIRY.isoformat(), "pharmacy site")
    assert ask("regulator").rows("stock-by-lot", party="pharmacy") == [row]


@pytest.mark.parametrize("asker", ["pharmacy", "regulator"])
@pytest.mark.parametrize(("zone", "left"), [("Asia/Shanghai", "1161"), ("UTC", "1162")])
def test_days_are_left_where_the_packs_stand(
    stocked: House, ask: Ask, monkeypatch: pytest.MonkeyPatch, asker: str, zone: str, left: str
) -> None:
    """Whoever asks: at 18:00 in London the day in Shanghai is the next one."""
    monkeypatch.setattr("traceability.web.shared.reports.stock.now_ms", lambda: 1_795_716_000_000)  # 2026-11-26T18:00Z
    stocked.parties["pharmacy"].sites.update(time_zone=zone)
    browser = ask(asker)
    assert [row["days_left"] for row in browser.rows("stock-by-lot", party="pharmacy")] == [left]
    assert "up to 1825 days" in browser.page("near-expiry", party="pharmacy", days="1825")


def test_another_s_stock_is_not_told(stocked: House, ask: Ask) -> None:
    assert ask("other").rows("stock-by-lot", party="pharmacy") == []


@pytest.mark.parametrize(("expiry", "near"), [(date(2026, 12, 20), True), (date(2030, 1, 31), False)])
def test_the_date_that_the_maker_gives_now_decides(
    stocked: House, ask: Ask, monkeypatch: pytest.MonkeyPatch, expiry: date, near: bool
) -> None:
    lot = Lot.objects.get(number=LOT)
    products.save_lot(item=lot.item, number=LOT, production_date=lot.production_date, expiry_date=expiry)
    monkeypatch.setattr("traceability.web.shared.reports.stock.now_ms", lambda: 1_795_700_000_000)  # 2026-11-26
    rows = ask("pharmacy").rows("near-expiry", days=30)
    assert [(row["expiry"], row["expiry_recorded"], row["days_left"]) for row in rows] == (
        [("2026-12-20", EXPIRY.isoformat(), "24")] if near else []
    )


def test_an_unregistered_lot_expires_as_its_packs_say(stocked: House, ask: Ask) -> None:
    Lot.objects.all().delete()
    (row,) = ask("pharmacy").rows("stock-by-lot")
    assert row["expiry"] == row["expiry_recorded"] == EXPIRY.isoformat()


def test_a_tracing_answer_names_the_hands_and_proves_them(stocked: House, ask: Ask) -> None:
    inspector = ask("regulator")
    query = {"code": f"(01){GTIN}(21)1"}
    page = inspector.page("tracing-answer", **query)
    for text in ("Glarvia", "100 IU", "5 pens", "MA-1", "Signature", "DA1", "Download the proofs"):
        assert text in page
    steps = [row["biz_step"] for row in inspector.rows("tracing-answer", **query)]
    assert steps == ["commissioning", "shipping", "receiving"]
    proofs = inspector.client.get(reverse("regulator:report-proofs", args=["tracing-answer"]), query)
    assert len(json.loads(proofs.content)["entries"]) == 3
    assert Read.objects.filter(door="regulator:report-proofs", events=3).count() == 1


def test_what_happened_to_the_case_is_in_the_pack_s_answer(stocked: House, ask: Ask) -> None:
    rows = ask("maker").rows("tracing-answer", code=f"(01){GTIN}(21)5")
    assert [(row["biz_step"], row["known_from"]) for row in rows][-1] == ("shipping", CASE)


def test_what_became_of_a_pack_later_is_not_its_maker_s_to_know(stocked: House, ask: Ask) -> None:
    query = {"code": f"(01){GTIN}(21)1"}
    act(stocked, "pharmacy", "dispense", [code("1")])
    assert "Dispensed" not in ask("maker").page("tracing-answer", **query)
    for party in ("pharmacy", "regulator"):
        assert "<dd>Dispensed</dd>" in ask(party).page("tracing-answer", **query)


def test_a_stranger_s_tracing_answer_is_empty(stocked: House, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    stranger, query = ask("other"), {"code": f"(00){SSCC}"}
    assert stranger.rows("tracing-answer", **query) == []
    page = stranger.page("tracing-answer", **query)
    assert "Nothing is recorded" in page
    assert "Download the proofs" not in page
    assert stranger.client.get(reverse("portal:report-proofs", args=["tracing-answer"]), query).status_code == 404
    monkeypatch.setattr(rules, "visible_indexes", lambda indexes, party: set(indexes))
    assert len(stranger.rows("tracing-answer", **query)) == 2  # the negative control


def test_a_lot_s_tracing_answer_says_who_had_it_from_whom(stocked: House, ask: Ask) -> None:
    """Four packs arrived at the pharmacy, two are on the way to it in a case."""
    act(stocked, "pharmacy", "dispense", [code("1")])
    inspector, query = ask("regulator"), {"code": LOT_CODE}
    page = inspector.page("tracing-answer", **query)
    for text in ("Glarvia", "100 IU", "5 pens", "Signature", "Download the proofs", "<dd>6</dd>"):
        assert text in page
    rows = [
        (row["step"], row["source"], row["destination"], row["packs"])
        for row in inspector.rows("tracing-answer", **query)
    ]
    assert rows[0][0] == "commissioning"
    assert rows[1:] == [
        ("shipping", "Maker", "Pharmacy", "4"), ("shipping", "Maker", "On the way to Pharmacy", "2"),
        ("dispensing", "Pharmacy", "Dispensed", "1"),
    ]  # fmt: skip
    papers = {row["destination"]: row["documents"] for row in inspector.rows("tracing-answer", **query)}
    assert (papers["Pharmacy"], papers["On the way to Pharmacy"]) == ("DA1", "DA2")
    proofs = inspector.client.get(reverse("regulator:report-proofs", args=["tracing-answer"]), query)
    entries = json.loads(proofs.content)["entries"]
    assert len(entries) == 5, "the making, two despatches, a receipt and the sale"
    assert Read.objects.filter(door="regulator:report").get().events >= 5


def test_a_lot_s_tracing_answer_tells_a_party_what_it_may_see(stocked: House, ask: Ask) -> None:
    act(stocked, "pharmacy", "dispense", [code("1")])
    query = {"code": LOT_CODE}
    assert "dispensing" in {row["step"] for row in ask("pharmacy").rows("tracing-answer", **query)}
    maker = ask("maker").rows("tracing-answer", **query)
    assert "shipping" in {row["step"] for row in maker}
    assert "dispensing" not in {row["step"] for row in maker}
    stranger = ask("other")
    assert stranger.rows("tracing-answer", **query) == []
    assert stranger.client.get(reverse("portal:report-proofs", args=["tracing-answer"]), query).status_code == 404


def test_who_recorded_steadily_and_stopped_is_silent(stocked: House, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    _weekly(stocked, "pharmacy", weeks=8)
    _weekly(stocked, "other", weeks=2)
    inspector = ask("regulator")
    later = max(PublishedEvent.objects.values_list("event_time_ms", flat=True)) + 8 * 24 * 3_600_000
    monkeypatch.setattr("traceability.web.shared.reports.silent_parties.now_ms", lambda: later)
    assert [row["party"] for row in inspector.rows("silent-parties")] == ["Pharmacy"]
    found = {row["party"]: row["weeks_active"] for row in inspector.rows("silent-parties", weeks=1)}
    assert found == {"Pharmacy": "8", "Other": "2", "Maker": "1"}
    assert inspector.rows("silent-parties", days=10) == []
    assert ask("pharmacy").client.get("/portal/reports/silent-parties").status_code == 404


def _weekly(house: House, party: str, *, weeks: int) -> None:
    """An event in each of so many weeks, the last one now; the maker's and the pharmacy's stock came now as well."""
    now = clock.now_ms()
    for week in range(weeks):
        at = datetime.fromtimestamp(now / 1000 - week * 7 * 24 * 3_600, UTC)
        body = {
            "@context": ["https://ref.gs1.org/standards/epcis/epcis-context.jsonld"], "type": "ObjectEvent",
            "eventID": f"urn:uuid:00000000-0000-4000-8000-{week:08d}{len(party):04d}", "action": "OBSERVE",
            "eventTime": at.isoformat(timespec="milliseconds"), "eventTimeZoneOffset": "+00:00",
            "bizStep": "stocking", "epcList": [pack("1")],
        }  # fmt: skip
        capture.accept_events([body], reporter=house.parties[party])
    house.settle()


@pytest.mark.parametrize(
    ("report", "query"),
    [
        ("lot-reconciliation", {"code": "(01)09521000001009(10)L1"}),  # check digit
        ("lot-reconciliation", {"code": f"(01){GTIN}(21)1"}),  # no lot in it
        ("site-movements", {"site": "nowhere", "first": "2026-01-01", "last": "2026-01-02"}),
        ("site-movements", {"site": "site", "first": "2026-01-01", "last": "2026-01-02"}),  # which one?
        ("site-movements", {"site": "pharmacy-main", "first": "2026-01-02", "last": "2026-01-01"}),
        ("site-movements", {"site": "pharmacy-main", "first": "x", "last": "9999-12-31"}),
        ("site-movements", {"site": "pharmacy-main", "first": "0001-01-01", "last": "2026-01-02"}),
        ("stock-by-lot", {"party": ""}),
        ("near-expiry", {"party": "pharmacy", "days": "31"}),
        ("tracing-answer", {"code": f"(01){GTIN}"}),
        ("silent-parties", {"days": "0"}),
    ],
)
def test_what_cannot_be_answered_is_said_at_the_field(
    house: House, ask: Ask, report: str, query: dict[str, str]
) -> None:
    inspector = ask("regulator")
    assert "error-summary" in inspector.page(report, 400, **query)
    answer = inspector.client.get(reverse("regulator:report-csv", args=[report]), query)
    assert (answer.status_code, answer.streaming) == (400, False)


def test_a_strange_place_to_go_on_from_is_the_beginning(stocked: House, ask: Ask) -> None:
    inspector = ask("regulator")
    for after in ("x", "1-x", "-", "9" * 30, "²-²"):
        inspector.page("site-movements", site="pharmacy-main", after=after, **days())
        inspector.page("lot-reconciliation", code=LOT_CODE, after=after)


def test_another_s_site_cannot_be_chosen(stocked: House, ask: Ask) -> None:
    ask("wholesaler").page("site-movements", 400, site="pharmacy-main", **days())


@pytest.mark.parametrize("face", ["portal", "regulator"])
def test_each_report_of_a_face_opens_and_is_listed(house: House, ask: Ask, face: str) -> None:
    browser = ask("regulator" if face == "regulator" else "pharmacy")
    listed = browser.client.get(reverse(f"{face}:reports")).content.decode()
    for report in REPORTS:
        path = reverse(f"{face}:report", args=[report.id])
        assert (path in listed) == (face in report.faces)
        assert browser.client.get(path).status_code == (200 if face in report.faces else 404)
    browser.page("no-such-report", 404)


@pytest.mark.parametrize(
    ("report", "query"),
    [
        ("lot-reconciliation", {"code": LOT_CODE}),
        ("site-movements", {"site": "pharmacy-main", **days()}),
        ("stock-by-lot", {"party": "pharmacy"}),
        ("near-expiry", {"party": "pharmacy"}),
        ("tracing-answer", {"code": f"(01){GTIN}(21)1"}),
        ("tracing-answer", {"code": LOT_CODE}),
        ("silent-parties", {}),
    ],
)
def test_more_goods_need_no_more_queries(stocked: House, ask: Ask, report: str, query: dict[str, str]) -> None:
    inspector = ask("regulator")
    inspector.page(report, **query)

    def count() -> int:
        with CaptureQueriesContext(connection) as captured:
            inspector.page(report, **query)
        return len(captured)

    before = count()
    act(stocked, "maker", "commission", [code(str(n)) for n in range(20, 60)], lot=LOT, expiry=EXPIRY.isoformat())
    act(stocked, "maker", "ship", [code(str(n)) for n in range(20, 60)], receiver="pharmacy", despatch="DA9")
    for start in range(20, 60, 10):
        act(stocked, "pharmacy", "receive", [code(str(n)) for n in range(start, start + 10)])
    assert count() == before


DAY_MS = 24 * 3_600_000


def desk(house: House, ask: Ask, *ages_days: float) -> list[ExceptionItem]:
    """An exception of the pharmacy about the maker's goods for each age, the first pack's first."""
    now, who = clock.now_ms(), ask("pharmacy").member
    items = []
    for number, days_open in enumerate(ages_days, 1):
        what = exceptions.Opening(
            kind="packaging", codes=[code(str(number))], place=house.place("pharmacy"), note="torn at the corner",
            partner=house.parties["maker"], nonce=str(number),
        )  # fmt: skip
        item = exceptions.open_item(who, what)
        opened = now - int(days_open * DAY_MS)
        ExceptionItem.objects.filter(id=item.id).update(opened_ms=opened, due_ms=opened + 72 * 3_600_000)
        items.append(item)
    house.settle()
    return items


@pytest.mark.parametrize(
    ("days_open", "age", "overdue"),
    [
        (0, 0, "no"),
        (2.9, 0, "no"),
        (3.1, 1, "yes"),
        (7.9, 1, "yes"),
        (8.1, 2, "yes"),
        (30.9, 2, "yes"),
        (31.1, 3, "yes"),
    ],
)
def test_an_exception_is_as_old_as_the_days_since_it_was_opened(
    stocked: House, ask: Ask, days_open: float, age: int, overdue: str
) -> None:
    desk(stocked, ask, days_open)
    browser = Browser(Member.objects.get(user__username="pharmacy-asks"), "portal")
    (row,) = browser.rows("open-exceptions")
    assert (row["days_open"], row["overdue"], row["kind"]) == (str(int(days_open)), overdue, "packaging")
    assert (row["party"], row["partner"], row["goods"], row["state"]) == ("Pharmacy", "Maker", "1", "open")
    answer = browser.client.get(reverse("portal:report", args=["open-exceptions"])).context["answer"]
    assert [bar.number for bar in answer.bars] == [int(number == age) for number in range(4)]
    assert dict(answer.facts)["Overdue"] == (overdue == "yes")


def test_open_exceptions_are_told_to_those_whom_they_concern(stocked: House, ask: Ask) -> None:
    item, _other = desk(stocked, ask, 1, 9)
    browser = Browser(Member.objects.get(user__username="pharmacy-asks"), "portal")
    assert [row["days_open"] for row in browser.rows("open-exceptions")] == ["9", "1"], "the oldest first"
    inspector, maker, other = ask("regulator"), ask("maker"), ask("other")
    assert inspector.rows("open-exceptions") == browser.rows("open-exceptions"), "the regulator is told all"
    assert "torn at the corner" not in inspector.page("open-exceptions"), "and not the words"
    for side in ("own", "asked"):
        assert maker.rows("open-exceptions", side=side) == other.rows("open-exceptions", side=side) == []
    exceptions.ask(browser.member, item, version=0)
    assert maker.rows("open-exceptions", side="own") == other.rows("open-exceptions", side="asked") == []
    assert [row["state"] for row in maker.rows("open-exceptions", side="asked")] == ["asked"]
    ExceptionItem.objects.update(state="resolved")
    assert inspector.rows("open-exceptions") == maker.rows("open-exceptions", side="asked") == []


def test_open_exceptions_come_in_portions_and_in_as_many_queries_for_one_as_for_four(
    stocked: House, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk(stocked, ask, 4, 4, 4, 4)
    ExceptionItem.objects.update(opened_ms=1_790_000_000_000)  # alike: the id decides
    inspector = ask("regulator")
    whole = inspector.rows("open-exceptions")
    assert len(whole) == 4
    with CaptureQueriesContext(connection) as many:
        inspector.page("open-exceptions")
    monkeypatch.setattr(frame, "CSV_ROWS", 1)
    assert inspector.rows("open-exceptions") == whole
    monkeypatch.setattr(pages, "PAGE_ROWS", 1)
    with CaptureQueriesContext(connection) as few:
        inspector.page("open-exceptions")
    assert len(many) == len(few)
    for after in ("x", "1-", "-a", "9" * 30 + "-a", "²-²"):
        inspector.page("open-exceptions", after=after)
    assert "Nothing is recorded" in inspector.page("open-exceptions", after="1800000000000-z")


def test_the_footer_says_up_to_which_entry(stocked: House, ask: Ask) -> None:
    page = ask("regulator").page("lot-reconciliation", code=LOT_CODE)
    assert f"As of log entry {rules.horizon()}." in page
