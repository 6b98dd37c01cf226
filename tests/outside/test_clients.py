"""Trading partners' own EPCIS software against a running house, and other readers of our links, hashes and labels."""

import json
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.epcis import samples
from tests.unit.gs1.test_keys import gtins
from traceability.epcis import document as documents
from traceability.epcis.event_hash import event_hash
from traceability.gs1 import digital_link

from .conftest import HOME, ROOT, House, database, ending, environment_of, free_port, until

pytestmark = [pytest.mark.outside, pytest.mark.xdist_group("outside-clients")]
HERE = Path(__file__).parent
GTIN = "09521141012345"
# What digital-link.js knows of CSET 82; it takes some of it raw only, and refuses some of it at all.
PLAIN = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.", min_size=1, max_size=20)


def said(command, facts):
    """What the program answers to the facts."""
    done = subprocess.run(command, input=json.dumps(facts), capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


def epcis2(task, **facts):
    return said([shutil.which("node"), str(HERE / "js" / "client.mjs"), task], facts)


def openepcis(task, **facts):
    return said([str(HOME / "bin" / "python"), str(HERE / "openepcis.py"), task], facts)


@pytest.fixture(scope="module")
def partners(tmp_path_factory):
    """A house with engine and web running: the address of its EPCIS interface, and a token of each party."""
    folder, port = tmp_path_factory.mktemp("partners"), free_port()
    environment = environment_of(folder, port)
    with database() as name:
        environment["DOSETRAIL_OUTSIDE_DATABASE"] = name
        build = [sys.executable, "-m", "tests.outside.build_partners", str(folder)]
        subprocess.run(build, cwd=ROOT, env=environment, check=True)
        both = subprocess.Popen([sys.executable, "-m", "traceability.supervisor"], cwd=ROOT, env=environment)
        with ending(both):
            house = House(folder, environment, f"http://127.0.0.1:{port}/epcis")
            until(lambda: httpx.get(f"{house.url}/events").status_code == 401)
            yield house, json.loads((folder / "tokens").read_text())


def minutes_ago(count):
    return (datetime.now(UTC) - timedelta(minutes=count)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def events_of(house, token, **parameters):
    answer = httpx.get(f"{house.url}/events", params=parameters, headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 200
    return answer.json()["epcisBody"]["queryResults"]["resultsBody"]["eventList"]


def test_epcis2_js_captures_polls_and_pages(partners):
    house, tokens = partners
    common = {"url": house.url, "token": tokens["maker"]}
    serials = [f"JS{number}" for number in range(7)]
    taken = epcis2("capture", **common, serials=serials, gtin=GTIN, time=minutes_ago(5), validate=True)
    assert taken["status"] == 202, taken
    assert taken["headers"]["gs1-epcis-version"] == "2.0.0"
    job = epcis2("poll", **common, location=taken["headers"]["location"])
    assert (job["running"], job["success"], job.get("errors", [])) == (False, True, [])
    parameters = {"MATCH_anyEPC": f"https://id.gs1.org/01/{GTIN}", "EQ_bizStep": "storing|picking", "perPage": "3"}
    until(lambda: len(events_of(house, tokens["maker"], MATCH_anyEPC=f"https://id.gs1.org/01/{GTIN}/21/JS6")) == 1)
    pages = epcis2("query", **common, parameters=parameters)
    assert [len(page) for page in pages] == [3, 3, 1]
    found = [event for page in pages for event in page]
    assert {event["epcList"][0].rpartition("/")[2] for event in found} == set(serials)
    assert {event["bizStep"] for event in found} == {"storing"}
    assert epcis2("query", **{**common, "token": tokens["stranger"]}, parameters=parameters) == [[]]


def test_epcis2_js_hears_what_is_wrong(partners):
    house, tokens = partners
    common = {"url": house.url, "serials": ["X"], "time": minutes_ago(5), "validate": False}
    wrong = epcis2("capture", **common, token=tokens["maker"], gtin="09521141012346")
    assert wrong["status"] == 400
    assert json.loads(wrong["text"])["errors"][0]["pointer"].endswith("/epcList/0")
    assert epcis2("capture", **common, token="no", gtin=GTIN)["status"] == 401
    refused = epcis2("query", url=house.url, token=tokens["maker"], parameters={"EQ_nonsense": "1"})
    assert (refused["status"], json.loads(refused["text"])["errors"][0]["parameter"]) == (400, "EQ_nonsense")


def test_openepcis_client_captures_and_reads_back(partners):
    house, tokens = partners
    since, common = minutes_ago(60), {"url": house.url, "token": tokens["maker"]}
    serials = [f"PY/{number}" for number in range(3)]
    taken = openepcis("capture", **common, serials=serials, gtin=GTIN[1:], time=minutes_ago(4))
    assert (taken["success"], taken["errors"], taken["same_job"], taken["unknown"]) == (True, [], True, False)
    until(lambda: len(events_of(house, tokens["maker"], EQ_eventID="|".join(taken["ids"]))) == 3)
    found = {event["eventID"]: event for event in openepcis("query", **common, since=since, per_page=100)}
    assert set(taken["ids"]) <= set(found)
    # The client names its events by their hash: ours is the same, so both names find the same event.
    assert [event_hash(documents.bare(found[name])) for name in taken["ids"]] == taken["ids"]
    assert openepcis("query", url=house.url, token=tokens["stranger"], since=since, per_page=100) == []
    assert openepcis("refused", **common)["status"] == 400


# Each where it follows the standard's table (docs/dependencies.md says where it does not).
@pytest.mark.parametrize("kind", ["AssociationEvent", "TransformationEvent"])
def test_event_hashes_of_epcis2_js(kind):
    event, context = samples.bare(kind), {"ours": "https://ours.example/ns/"}
    plain = {name: value for name, value in event.items() if name != "@context"}
    assert epcis2("hashes", events=[plain], context=context) == [event_hash(event)]
    changed = {**plain, "bizStep": "packing"}
    assert epcis2("hashes", events=[changed], context=context) != [event_hash(event)]


@pytest.mark.parametrize("kind", ["AssociationEvent", "AggregationEvent"])
def test_event_hashes_of_the_reference_generator(kind):
    document = samples.document(samples.event(kind))
    assert openepcis("hashes", document=document) == [event_hash(event) for event in documents.events(document)]
    changed = samples.document(samples.event(kind, bizStep="inspecting"))
    assert openepcis("hashes", document=changed) != openepcis("hashes", document=document)


OURS = [
    digital_link.build(gtin=GTIN),
    digital_link.build(gtin=GTIN, lot="L-1"),
    digital_link.build(gtin=GTIN, lot="L-1", serial="A1"),
    "https://id.gs1.org/00/006141411234567890",
    "https://id.gs1.org/414/4012345000054/254/dock-2",
    "https://id.gs1.org/417/4012345000054",
    "https://id.gs1.org/8004/4000001111",
    "https://id.gs1.org/8018/401234500000067657",
    "https://id.gs1.org/253/4012345000054X1",
]


# What its grammar refuses of its own standard's keys, and so is compared as parsed only.
REFUSED = {"417", "401", "8004", "8010", "8017"}


def agreed(uris):
    for uri, theirs in zip(uris, epcis2("links", uris=uris), strict=True):
        mine = digital_link.parse(uri)
        assert theirs["valid"] is (mine.key not in REFUSED), uri
        assert theirs["identifier"] == {mine.key: mine.value}
        assert theirs["keyQualifiers"] == dict(mine.qualifiers)
        assert theirs["uri"] == uri


def test_digital_link_js_agrees_on_our_links():
    agreed(OURS)
    wrong = [uri.replace(GTIN, "09521141012346") for uri in OURS[:3]] + ["https://id.gs1.org/00/006141411234567891"]
    assert [one["valid"] for one in epcis2("links", uris=wrong)] == [False] * 4


@settings(max_examples=3, deadline=None)
@given(st.lists(st.tuples(gtins, st.none() | PLAIN, st.none() | PLAIN), min_size=100, max_size=100))
def test_digital_link_js_agrees_on_any_link_that_we_build(packs):
    agreed([digital_link.build(gtin=gtin, lot=lot, serial=serial) for gtin, lot, serial in packs])
