"""Stock, shipments, exports, loggers, labels and alerts: one's own, and nobody else's."""

import csv
import html
import io
import re
from collections.abc import Callable

import pytest
import zxingcpp
from django.core.files.uploadedfile import SimpleUploadedFile

from tests.integration.conftest import EXPIRY, GTIN, LOT, House, code, pack
from tests.integration.contracts.conftest import DAY, HOUR, START, Watched, watched
from tests.integration.recalls.conftest import published
from tests.unit.web.test_labels import rendered
from traceability.alerts.models import Alert
from traceability.capture.models import PublishedEvent
from traceability.coldchain.models import LoggerFile
from traceability.gs1 import check_digit
from traceability.web.portal import urls

from .conftest import CASE, SSCC, Portal, act

__all__ = ["watched"]  # a fixture of the contracts' tests: the house under the default contracts
Enter = Callable[..., Portal]
UNKNOWN = "09521000000000002" + check_digit.of("09521000000000002")
ROWS = ("2026-03-01T08:00", 5.1), ("2026-03-01T08:10", 9.4), ("2026-03-01T08:20", -0.5), ("2026-03-01T12:00", 5.0)
# Every address of the portal that shows goods, then those that show none, then those that name one thing: of these each
# has a test here, in test_products.py, test_steps.py, test_documents.py, test_partners.py, test_shipment.py,
# test_exceptions.py, recalls/test_pages.py, reports/test_reports.py, regulator/test_key_pages.py or
# web/test_trace_pages.py that a stranger is told there is none.
PAGES = (
    "",
    "stock",
    "stock.csv",
    "recorded",
    "open-packs",
    "lots",
    "shipments",
    "shipments.csv",
    "exceptions",
    "events.csv",
    "logger",
    "alerts",
    "alerts?all=1",
    "recalls",
    "recall-notices",
)
NO_GOODS = {
    "exceptions/new",
    "correct",
    "expected",
    "sign-in",
    "sign-out",
    "labels",
    "organisation",
    "reads",
    "master-data",
    "partners",
    "documents",
    "recalls/new",
    "reports",
    "products",
}
ONE_THING = {
    "exceptions/<str:item_id>",
    "shipment",
    "shipment/proofs",
    "step/<slug:step_id>",
    "trace",
    "trace.csv",
    "recorded/<str:nonce>",
    "recorded/<str:nonce>/take-back",
    "logger/<int:file_id>",
    "documents/<str:job_id>",
    "deliveries/<str:delivery_id>",
    "deliveries/<str:delivery_id>/document",
    "deliveries/<str:delivery_id>/resend",
    "alerts/<str:alert_id>",
    "alerts/<str:alert_id>/withdrawn.csv",
    "keys/<slug:kid>",
    "keys/<slug:kid>/signed.csv",
    "recalls/<slug:recall_id>",
    "recalls/<slug:recall_id>/edit",
    "recalls/<slug:recall_id>/calls",
    "recalls/<slug:recall_id>/holders.csv",
    "recall-notices/<slug:notice_id>",
    "recall-notices/<slug:notice_id>/packs.csv",
    "products/<slug:item_id>",
    "reports/<slug:report_id>",
    "reports/<slug:report_id>.csv",
    "reports/<slug:report_id>/proofs.json",
}


def test_no_address_of_the_portal_is_left_out() -> None:
    addresses = {str(one.pattern) for one in urls.urlpatterns}
    assert addresses == {page.partition("?")[0] for page in PAGES} | NO_GOODS | ONE_THING


def read_csv(portal: Portal, name: str) -> list[dict[str, str]]:
    answer = portal.client.get(f"/portal/{name}")
    assert answer.streaming
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


def logger_file(rows: tuple[tuple[str, float], ...] = ROWS) -> SimpleUploadedFile:
    text = "timestamp,temperature_c\n" + "".join(f"{at}:00Z,{value}\n" for at, value in rows)
    return SimpleUploadedFile("TT-1.csv", text.encode())


def test_stock_shows_what_stands_here(stocked: House, person: Enter) -> None:
    page = person("pharmacy").get("stock")
    assert page.count('<th scope="row"') == 4
    assert f"(01){GTIN}(21)1" in page
    assert "Glarvia 100 IU" in page
    assert LOT in page
    act(stocked, "pharmacy", "hold", [code("1")], reason="torn")
    published(stocked)
    page = person("pharmacy", "quality").get("stock")
    assert page.count(">On hold</span>") == 1
    assert page.count(">Recalled</span>") == 4


def test_a_case_counts_what_is_inside(stocked: House, person: Enter) -> None:
    act(stocked, "pharmacy", "receive", [CASE], despatch="urn:dosetrail:document:DA2")
    rows = {row["epc"]: row for row in read_csv(person("pharmacy"), "stock.csv")}
    assert rows[CASE]["contains"] == "2"
    assert pack("5") not in rows
    assert rows[pack("1")]["lot"] == LOT


def test_a_case_is_shown_with_what_is_in_it_and_not_when_it_is_empty(stocked: House, person: Enter) -> None:
    act(stocked, "pharmacy", "receive", [CASE, f"(00){UNKNOWN}"], despatch="urn:dosetrail:document:DA2")
    portal = person("pharmacy", "quality")
    unknown = f"https://id.gs1.org/00/{UNKNOWN}"
    published(stocked)
    rows = {row["epc"]: row for row in read_csv(portal, "stock.csv")}
    case = rows[CASE]
    assert (case["product"], case["lot"], case["expiry"]) == ("Glarvia 100 IU", LOT, EXPIRY.isoformat())
    assert case["recalled"] == "yes", "what forbids the use of a pack stands on the case that it lies in"
    assert (rows[unknown]["product"], rows[unknown]["contains"], rows[unknown]["recalled"]) == ("", "0", "no")
    act(stocked, "pharmacy", "unpack", [CASE])
    rows = {row["epc"]: row for row in read_csv(portal, "stock.csv")}
    assert CASE not in rows, "an empty case is no goods"
    assert {pack("5"), pack("6"), unknown} <= set(rows)


def test_shipments_from_both_sides(stocked: House, person: Enter) -> None:
    for name, side in (("maker", "out"), ("pharmacy", "in")):
        portal = person(name)
        page = portal.get("shipments")
        assert "DA1" in page
        assert "On the way" in page
        rows = {row["despatch"]: row for row in read_csv(portal, "shipments.csv")}
        assert rows["DA1"]["direction"] == side
        assert (rows["DA1"]["status"], rows["DA2"]["status"]) == ("received", "open")
        assert rows["DA1"]["receiver"] == "Pharmacy"


def test_own_events_stream_in_log_order(stocked: House, person: Enter) -> None:
    portal = person("pharmacy")
    rows = read_csv(portal, "events.csv")
    own = PublishedEvent.objects.filter(reporter=stocked.parties["pharmacy"].uri).order_by("index")
    assert [row["event_id"] for row in rows] == list(own.values_list("event_id", flat=True))
    assert pack("1") in rows[-1]["epcs"]


def test_nothing_of_others_is_shown(stocked: House, person: Enter) -> None:
    """A pharmacy that has nothing sees nothing; the same pages of the other one do name these goods."""
    act(stocked, "pharmacy", "hold", [code("1")], reason="torn")
    foreign, own = person("other"), person("pharmacy")
    for path in PAGES:
        shown = []
        for portal in (foreign, own):
            answer = portal.client.get(f"/portal/{path}")
            shown.append((b"".join(answer.streaming_content) if answer.streaming else answer.content).decode())
        assert GTIN not in shown[0]
        assert "DA1" not in shown[0]
        if path in {"stock", "stock.csv", "events.csv"}:
            assert GTIN in shown[1]
    for path, text in (("stock", "Nothing is recorded at your places."), ("shipments", "No shipment from or to you")):
        assert text in foreign.get(path)
    assert "No alert concerns you." in foreign.get("alerts")
    assert "not uploaded" in foreign.get("logger")


def test_a_logger_upload_shows_its_curve(stocked: House, person: Enter) -> None:
    portal = person("pharmacy")
    answer = portal.post("logger", {"file": logger_file(), "holder": f"(00){SSCC}", "site": "", "time_zone": ""})
    assert answer.status_code == 302
    page = portal.client.get(answer["Location"]).content.decode()
    assert "data-wait" in page
    stocked.settle()
    page = portal.client.get(answer["Location"]).content.decode()
    assert re.search(r"Lowest</dt><dd>−0.5 °C", page)
    assert re.search(r"Highest</dt><dd>9.4 °C", page)
    assert re.search(r"Allowed</dt><dd>2.0 °C – 8.0 °C", page)
    assert "Readings outside the limits: 2" in page
    assert page.count("<polyline") == 2, "the pause of hours is a gap"
    assert page.count('class="limit"') == 2
    assert "TT-1.csv" in portal.get("logger")
    file = LoggerFile.objects.get()
    other = person("other")
    other.get(f"logger/{file.pk}", status=404)
    assert "TT-1.csv" not in other.get("logger")


@pytest.mark.parametrize(
    ("given", "field", "words"),
    [
        ({}, "file", "Choose the logger"),
        ({"file": SimpleUploadedFile("x.txt", b"hello"), "site": "pharmacy-main"}, "file", ""),
        ({"file": logger_file(), "holder": "(01)1"}, "holder", ""),
        ({"file": logger_file(), "holder": GTIN}, "holder", "must be one pack"),
        ({"file": logger_file(), "holder": f"(00){SSCC}", "time_zone": "Mars/Olympus"}, "time_zone", "IANA"),
        ({"file": logger_file(), "holder": "", "site": "maker-main"}, "holder", "what the logger rode with"),
    ],
)
def test_a_refused_upload_says_what_to_mend(
    stocked: House, person: Enter, given: dict[str, object], field: str, words: str
) -> None:
    answer = person("pharmacy").post("logger", given)
    page = html.unescape(answer.content.decode())
    assert 400 <= answer.status_code < 500
    assert f'<a href="#id_{field}">' in page
    assert words in page
    assert not LoggerFile.objects.exists()


LABEL = {"kind": "pack", "gtin": GTIN, "lot": LOT, "expiry": "2030-01-31", "serials": "A1\nA2", "format": "sheet"}


def test_a_printed_sheet_decodes_with_its_separators(house: House, person: Enter) -> None:
    page = person("maker").post("labels", LABEL).content.decode()
    symbols = re.findall(r"<svg xmlns.*?</svg>", page, re.S)
    assert len(symbols) == 4
    found = [barcode for svg in symbols for barcode in zxingcpp.read_barcodes(rendered(svg))]
    matrices = [one for one in found if one.format == zxingcpp.BarcodeFormat.DataMatrix]
    assert [one.bytes for one in matrices] == [
        f"01{GTIN}21{serial}\x1d1730013110{LOT}".encode() for serial in ("A1", "A2")
    ]
    links = [one.text for one in found if one.format == zxingcpp.BarcodeFormat.QRCode]
    assert links[0].startswith(f"http://testserver/01/{GTIN}/10/{LOT}/21/A1")
    assert "Glarvia" in page


def test_units_and_zpl(house: House, person: Enter) -> None:
    portal = person("maker")
    page = portal.post("labels", {"kind": "sscc", "ssccs": SSCC, "format": "sheet"}).content.decode()
    (svg,) = re.findall(r"<svg xmlns.*?</svg>", page, re.S)
    (barcode,) = zxingcpp.read_barcodes(rendered(svg))
    assert barcode.text == f"(00){SSCC}"
    answer = portal.post("labels", {**LABEL, "format": "zpl"})
    assert answer["Content-Disposition"] == 'attachment; filename="labels.zpl"'
    assert answer.content.decode().count("^XA") == 2


def test_random_serials_differ(house: House, person: Enter) -> None:
    page = person("maker").post("labels", {**LABEL, "serials": "", "count": "20"}).content.decode()
    assert len(set(re.findall(r"\(21\) (\w{12})", page))) == 20


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"gtin": "09521000001009"}, "gtin"),
        ({"expiry": "2030-02-31"}, "expiry"),
        ({"lot": ""}, "lot"),
        ({"lot": "x" * 21}, "lot"),
        ({"serials": "ü"}, "serials"),
        ({"serials": "", "count": "0"}, "count"),
        ({"kind": "sscc", "ssccs": "123"}, "ssccs"),
    ],
)
def test_what_is_wrong_is_not_printed(house: House, person: Enter, change: dict[str, str], field: str) -> None:
    answer = person("maker").post("labels", LABEL | change)
    assert answer.status_code == 400
    page = answer.content.decode()
    assert f'<a href="#id_{field}">' in page
    assert "<svg xmlns" not in page.split("<main")[1]


@pytest.fixture
def warm(watched: Watched) -> Watched:
    """A pack that grew warm at the wholesaler's."""
    watched.report("maker", watched.commission("maker", START, [pack("A1")]))
    values = [5, 5, 12, 14, 14, 12, 9, 5, 5]
    series = [(START + DAY + place * HOUR // 6, value) for place, value in enumerate(values)]
    watched.report("wholesaler", watched.sensor("wholesaler", pack("A1"), series))
    return watched


def test_a_party_answers_its_alert(warm: Watched, person: Enter) -> None:
    alert = Alert.objects.get()
    portal = person("wholesaler")
    assert "Alerts that concern you: 1" in portal.get("")
    assert f"/portal/alerts/{alert.id}" in portal.get("alerts")
    page = portal.get(f"alerts/{alert.id}")
    assert "<polyline" in page
    assert portal.post(f"alerts/{alert.id}", {"action": "answer", "version": "0", "comment": " "}).status_code == 400
    done = portal.post(f"alerts/{alert.id}", {"action": "acknowledge", "version": "0", "comment": "looking at it"})
    assert done.status_code == 302
    late = portal.post(f"alerts/{alert.id}", {"action": "answer", "version": "0", "comment": "too late"})
    assert late.status_code == 409
    assert "Someone else has acted" in late.content.decode()
    portal.post(f"alerts/{alert.id}", {"action": "answer", "version": "1", "comment": "cooling failed"})
    warm.house.settle()
    page = portal.get(f"alerts/{alert.id}")
    assert "looking at it" in page
    assert "cooling failed" in page
    assert Alert.objects.get().state == "answered"


def test_alerts_of_others_do_not_exist_here(warm: Watched, person: Enter) -> None:
    alert = Alert.objects.get()
    portal = person("other")
    portal.get(f"alerts/{alert.id}", status=404)
    given = {"action": "acknowledge", "version": "0", "comment": "mine?"}
    assert portal.post(f"alerts/{alert.id}", given).status_code == 404
    assert alert.id not in portal.get("alerts")
