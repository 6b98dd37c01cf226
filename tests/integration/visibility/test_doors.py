"""Every address of the house, asked by everybody: no answer names an event that the caller may not see.

An address that stands in no list below fails the build: whoever adds one decides here what it may show.
"""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, unquote

import pytest
from django.test import Client
from django.urls import get_resolver

from tests.integration.conftest import EXPIRY, GTIN, LOT, code
from tests.integration.portal.conftest import PASSWORD, SSCC, act
from tests.integration.recalls.conftest import published
from traceability.alerts.models import Alert
from traceability.capture.models import CaptureJob, EventEpc, PublishedEvent
from traceability.contracts import services as contracts
from traceability.custody.models import Shipment
from traceability.exceptions import expected, overview
from traceability.exceptions.models import ExpectedList
from traceability.parties import services as parties
from traceability.parties.models import PartyKey
from traceability.recalls import reach
from traceability.recalls.models import Notice, Recall
from traceability.scans.models import ScanEvent
from traceability.visibility import rules
from traceability.visibility.rules import visible_events
from traceability.web.shared.reports.catalogue import REPORTS

from .conftest import CASE, Chain, X, Y

# What each address may show of events: nothing; by the public rule (visibility/public.py, the log's own commitments);
# the caller's own; what `visible_events` gives; all, to a regulator.
NOTHING = """livez healthz metrics log/ log/checkpoint log/vkey log/vkeys log/reports epcis/ epcis/<path:rest>
    epcis/queries epcis/queries/<str:name> epcis/queries/<str:name>/subscriptions
    epcis/queries/<str:name>/subscriptions/<str:subscription_id> api/schema api/docs api/v1/<path:rest>
    api/v1/products api/v1/products/<slug:id> api/v1/products/<slug:id>/links
    api/v1/products/<slug:id>/links/<path:number> api/v1/lots/<slug:item> api/v1/lots/<slug:item>/<path:number>
    portal/products portal/products/<slug:item_id>
    portal/sign-in portal/sign-out portal/step/<slug:step_id> portal/labels portal/reads portal/master-data
    regulator/contracts regulator/witness-reports/<str:digest> regulator/master-data language verify/ verify/worker.js
    look-up .well-known/gs1resolver""".split()
_LINK = "^(?P<link>(?:00|01|253|255|401|402|414|417|8003|8004|8006|8010|8017|8018)/.+)$"
PUBLIC = [
    "",
    _LINK,
    "log/tile/<path:path>",
    "c/<path:code>",
    "evidence/c/<str:code>",
    "evidence/01/<str:gtin>/21/<path:serial>",
    "evidence/01/<str:gtin>/10/<path:lot>/21/<path:serial>",
]
OWN = """log/content epcis/capture epcis/capture/<str:job_id> api/v1/preflight api/v1/scans api/v1/statements
    api/v1/logger-files api/v1/logger-files/<str:sha256> portal/ portal/recorded portal/recorded/<str:nonce>
    portal/logger
    portal/logger/<int:file_id> portal/stock portal/stock.csv portal/shipments portal/shipments.csv portal/events.csv
    portal/documents portal/documents/<str:job_id> api/v1/places api/v1/places/<slug:id> api/v1/unknown
    portal/organisation portal/lots portal/open-packs portal/expected portal/correct portal/reports
    portal/keys/<slug:kid>
    portal/keys/<slug:kid>/signed.csv api/v1/deliveries
    api/v1/deliveries/<str:delivery_id> api/v1/deliveries/<str:delivery_id>/document
    api/v1/deliveries/<str:delivery_id>/acknowledgement api/v1/recalls api/v1/recalls/<slug:notice_id>
    api/v1/recalls/<slug:notice_id>/packs api/v1/recalls/<slug:notice_id>/acknowledgement
    api/v1/deliveries/<str:delivery_id>/resend portal/partners
    portal/deliveries/<str:delivery_id> portal/deliveries/<str:delivery_id>/document
    portal/deliveries/<str:delivery_id>/resend portal/recalls portal/recalls/new portal/recalls/<slug:recall_id>
    portal/recalls/<slug:recall_id>/edit portal/recalls/<slug:recall_id>/calls
    portal/recalls/<slug:recall_id>/holders.csv portal/recall-notices portal/recall-notices/<slug:notice_id>
    portal/recall-notices/<slug:notice_id>/packs.csv portal/recorded/<str:nonce>/take-back portal/exceptions
    portal/exceptions/new portal/exceptions/<str:item_id> api/v1/expected-lists
    api/v1/exceptions api/v1/exceptions/<str:exception_id> api/v1/exceptions/<str:exception_id>/answer
    api/v1/expected-lists/<int:list_id> api/v1/expected-lists/<int:list_id>/lines""".split()
_COLLECTIONS = ("bizLocations", "bizSteps", "dispositions", "epcs", "eventTypes", "readPoints")
AUDIENCE = """epcis/events epcis/events/<path:event_id> epcis/nextPageToken/<str:token>
    epcis/queries/<str:name>/events portal/alerts portal/alerts/<str:alert_id>
    portal/alerts/<str:alert_id>/withdrawn.csv portal/reports/<slug:report_id> portal/reports/<slug:report_id>.csv
    portal/reports/<slug:report_id>/proofs.json api/v1/trace portal/trace portal/trace.csv portal/shipment
    portal/shipment/proofs api/v1/expected-lists/<int:list_id>/comparison
    api/v1/expected-lists/<int:list_id>/comparison/<slug:part>""".split()
AUDIENCE += [f"epcis/{name}{rest}" for name in _COLLECTIONS for rest in ("", "/<path:value>", "/<path:value>/events")]
REGULATOR = """regulator/ regulator/alerts/<str:alert_id> regulator/alerts/<str:alert_id>/evidence.json
    regulator/alerts/<str:alert_id>/readings.csv regulator/alerts/<str:alert_id>/withdrawn.csv regulator/trace
    regulator/recalls regulator/keys regulator/keys/<slug:kid> regulator/keys/<slug:kid>/signed.csv regulator/unknown
    regulator/health regulator/recalls/new regulator/recalls/<slug:recall_id> regulator/recalls/<slug:recall_id>/edit
    regulator/recalls/<slug:recall_id>/calls regulator/recalls/<slug:recall_id>/holders.csv
    regulator/reports regulator/reports/<slug:report_id> regulator/reports/<slug:report_id>.csv
    regulator/reports/<slug:report_id>/proofs.json regulator/trace.csv regulator/exceptions
    regulator/exceptions/<str:item_id> regulator/freezes regulator/freezes/one""".split()
PLACED = [*NOTHING, *PUBLIC, *OWN, *AUDIENCE, *REGULATOR]
CALLERS = ("nobody", "other", "maker", "wholesaler", "pharmacy")


def _routes(resolver: Any, before: str = "") -> Iterator[str]:
    for one in resolver.url_patterns:
        route = before + str(one.pattern)
        yield from _routes(one, route) if hasattr(one, "url_patterns") else [route]


def test_every_address_has_its_place_in_the_matrix() -> None:
    routes = set(_routes(get_resolver()))
    assert sorted(routes - set(PLACED)) == [], "say in which list this address belongs, and see that it keeps to it"
    assert sorted(PLACED) == sorted(routes), "no address stands here twice, or after it has gone"


@pytest.fixture
def town(chain: Chain) -> Chain:
    """X is sold twice, far apart (an alert); Y stays at the wholesaler; the lot is recalled; `other` is a stranger."""
    contracts.deploy_defaults()
    chain.make("made", "maker", 0, [X, Y], ilmd={"cbvmda:lotNumber": LOT})
    chain.pack("packed", "maker", 1, CASE, [X, Y])
    chain.ship("sent", "maker", 2, [CASE], to="wholesaler")
    chain.receive("got", "wholesaler", 3, [CASE])
    chain.pack("unpacked", "wholesaler", 4, CASE, [], "DELETE")
    chain.ship("sent X", "wholesaler", 5, [X], to="pharmacy")
    chain.receive("got X", "pharmacy", 6, [X])
    for place in ("pharmacy", "wholesaler"):
        site = {"id": chain.house.place(place)}
        chain.event(f"sold by {place}", place, 7, "dispensing", [X], bizLocation=site, readPoint=site)
    chain.house.settle()
    chain.names[published(chain.house).event_id] = "recall"
    assert reach.run() > 0
    _told_of(chain)
    return chain


def _told_of(chain: Chain) -> None:
    """Everybody has a list of its own of everything: what it compares with is what its party may see."""
    for number in Shipment.objects.values_list("despatch", flat=True):
        for caller in CALLERS[1:]:
            expected.store(chain.house.parties[caller], expected.Given(number, "advice", f"(00){SSCC}".encode()))


def _addresses(chain: Chain) -> list[str]:
    """Every address with the names of things that the caller may be a stranger to."""
    given = {
        "<path:event_id>": [body["eventID"] for body in chain.bodies.values()],
        "<str:job_id>": list(CaptureJob.objects.values_list("id", flat=True)) or ["none"],
        "<str:nonce>": list(ScanEvent.objects.values_list("nonce", flat=True)) or ["none"],
        "<slug:kid>": list(PartyKey.objects.values_list("kid", flat=True)),
        "<str:alert_id>": list(Alert.objects.values_list("id", flat=True)),
        "<int:file_id>": ["1"],
        "<int:list_id>": [str(one) for one in ExpectedList.objects.values_list("pk", flat=True)],
        "<slug:part>": list(overview.PARTS),
        "<str:sha256>": ["0" * 64],
        "<str:digest>": ["0" * 64],
        "<slug:step_id>": ["receive"],
        "<path:path>": ["entries/000"],
        "<str:code>": ["83014300000000000001"],
        "<path:code>": ["83014300000000000001"],
        "<str:name>": ["theirs"],
        "<str:delivery_id>": ["none"],
        "<slug:id>": ["none"],
        "<str:item_id>": ["none"],
        "<slug:recall_id>": list(Recall.objects.values_list("id", flat=True)),
        "<slug:notice_id>": list(Notice.objects.values_list("id", flat=True)),
        "<slug:item>": ["none"],
        "<slug:item_id>": ["none", "glarvia"],
        "<path:number>": [LOT],
        "<str:subscription_id>": ["none"],
        "<str:token>": ["none"],
        "<path:value>": ["dispensing", Y, "ObjectEvent"],
        "<str:gtin>": [GTIN],
        "<path:lot>": [LOT],
        "<path:serial>": ["X"],
        "<path:rest>": ["else"],
        "<slug:report_id>": [report.id for report in REPORTS],
    }
    links = (f"01/{GTIN}/21/X", f"01/{GTIN}/10/{LOT}/21/X", f"01/{GTIN}/10/{LOT}", f"00/{SSCC}", "00/" + CASE[-18:])
    found = [f"/{route}" for route in (*PLACED, *links) if route != _LINK]
    found += [f"/{link}?linkType=all" for link in links]
    for slot, values in given.items():
        found = [address.replace(slot, value) for address in found for value in (values if slot in address else [""])]
    queries = ("perPage=1000", f"MATCH_anyEPC={Y}", "eventType=ObjectEvent")
    asked = "?code=(01)09521000001008(21)Y&site=pharmacy-main&party=pharmacy&first=2026-01-01&last=2026-12-31"
    reports = [address + asked for address in found if "/reports/" in address]
    found += [*reports, *(address.replace("(21)Y", f"(10){LOT}") for address in reports)]
    things = [
        (door, thing)
        for thing in (X, Y, CASE)
        for door in ("api/v1/trace?of", "portal/trace?code", "portal/trace.csv?code")
    ]
    found += [f"/{door}={quote(thing)}" for door, thing in things]
    sent = Shipment.objects.values_list("despatch", flat=True)
    found += [f"/portal/{door}?despatch={quote(one)}" for one in sent for door in ("shipment", "shipment/proofs")]
    return [*found, *(f"/epcis/events?{query}" for query in queries), "/portal/alerts?all=1"]


def _hidden(chain: Chain, caller: str) -> dict[str, str]:
    """What no answer to a caller may hold: IDs and hashes of events that it may not see, things it knows not."""
    everything = PublishedEvent.objects.all()
    seen = everything.none() if caller == "nobody" else visible_events(everything, chain.house.parties[caller])
    hidden = everything.exclude(index__in=list(seen.values_list("index", flat=True)))
    words = {}
    for event in hidden:
        words |= {event.event_id: chain.names[event.event_id], event.statement_hash: chain.names[event.event_id]}
    known = set(EventEpc.objects.filter(event_index__in=seen.values("index")).values_list("epc", flat=True))
    return words | {thing: thing for thing in {X, Y, CASE} - known}


def _doors(chain: Chain, caller: str) -> list[Client]:
    """The caller's ways in: its system's token, and its administrator's browser."""
    if caller == "nobody":
        return [Client()]
    parties.add_member(party=chain.house.parties[caller], username=caller, password=PASSWORD, role="admin")
    browser = Client()
    assert browser.login(username=caller, password=PASSWORD)
    return [chain.house.client(caller), browser]


def _told(chain: Chain, caller: str) -> list[tuple[str, str]]:
    """(address, what it told) of every answer that tells something hidden."""
    hidden = _hidden(chain, caller)
    public = ("/01/", "/evidence/", "/c/", "/log/tile/")
    found = []
    for client in _doors(chain, caller):
        for address in _addresses(chain):
            answer = client.get(address)
            assert answer.status_code < 500 or address == "/healthz", address
            content = b"".join(answer.streaming_content) if answer.streaming else answer.content  # type: ignore[arg-type]
            text = content.decode(errors="replace").replace("\\/", "/")
            if not address.startswith(public):
                found += [
                    (address, what) for word, what in hidden.items() if word in text and word not in unquote(address)
                ]
    return found


@pytest.mark.parametrize("caller", CALLERS)
def test_no_answer_tells_what_the_caller_may_not_see(town: Chain, caller: str) -> None:
    assert len(Alert.objects.all()) >= 1
    assert _told(town, caller) == []


def test_the_matrix_notices_an_open_door(town: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control."""
    hidden = _hidden(town, "other")
    monkeypatch.setattr("traceability.api.event_views.visible_events", lambda events, party: events)
    monkeypatch.setattr("tests.integration.visibility.test_doors._hidden", lambda *_: hidden)
    assert _told(town, "other")


@pytest.mark.parametrize("caller", ["other", "maker", "wholesaler", "pharmacy"])
def test_the_regulators_pages_are_shut_to_others(town: Chain, caller: str) -> None:
    for client in _doors(town, caller):
        for address in _addresses(town):
            if address.startswith("/regulator/"):
                assert client.get(address).status_code in {302, 403}, address


def test_what_is_short_of_a_strangers_advice_is_not_told(chain: Chain) -> None:
    goods = [code("X"), code("Y")]
    asked = {"step": "receive", "codes": [code("Z")], "place": chain.house.place("other"), "details": {}}
    for party, step, codes, details in (
        ("maker", "commission", goods, {"lot": LOT, "expiry": EXPIRY.isoformat()}),
        ("maker", "ship", goods, {"receiver": "pharmacy", "despatch": "DA1"}),
    ):
        act(chain.house, party, step, codes, **details)
    asked["details"] = {"despatch": "urn:dosetrail:document:DA1"}
    theirs = chain.house.post("other", "/api/v1/preflight", asked)
    assert theirs.status_code == 200, theirs.content
    assert "short" not in {one["code"] for one in theirs.json()["reasons"]}
    own = chain.house.post("pharmacy", "/api/v1/preflight", {**asked, "place": chain.house.place("pharmacy")})
    assert "short" in {one["code"] for one in own.json()["reasons"]}


def test_a_look_up_of_things_is_cut_to_those_one_has_seen(town: Chain) -> None:
    wholesaler, pharmacy = town.house.parties["wholesaler"], town.house.parties["other"]
    assert rules.visible_things([X, Y, "urn:x:1"], wholesaler) == {X, Y}
    assert rules.visible_things([X, Y], pharmacy) == set()
