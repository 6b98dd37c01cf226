"""Trading partners' own EPCIS software against a running house, and other readers of our links, hashes and labels."""

import json
import shutil
import string
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote, unquote

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.epcis import samples
from tests.unit.gs1.test_keys import gtins
from traceability.epcis import document as documents
from traceability.epcis.event_hash import event_hash
from traceability.gs1 import digital_link, keys
from traceability.gs1.errors import Gs1Error

from .conftest import HOME, ROOT, House, database, ending, environment_of, free_port, until

pytestmark = [pytest.mark.outside, pytest.mark.xdist_group("outside-clients")]
HERE = Path(__file__).parent
GTIN = "09521141012345"
# CSET 82 (GS1 General Specifications, figure 7.11-1). digital-link.js takes all of it percent-encoded but the quotation
# mark, which its grammar forgets; what is reserved in URIs it refuses raw, though RFC 3986 allows it in a path.
CSET_82 = string.ascii_letters + string.digits + "!\"%&'()*+,-./:;<=>?_"
TEXTS = st.text(CSET_82.replace('"', ""), min_size=1, max_size=20)


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


def test_openepcis_client_pages_by_the_link_and_not_by_the_body(partners):
    house, tokens = partners
    since, common = minutes_ago(60), {"url": house.url, "token": tokens["maker"]}
    serials = [f"PAGED{number}" for number in range(7)]
    taken = openepcis("capture", **common, serials=serials, gtin=GTIN[1:], time=minutes_ago(3))
    until(lambda: len(events_of(house, tokens["maker"], EQ_eventID="|".join(taken["ids"]))) == 7)
    whole = [event["eventID"] for event in openepcis("query", **common, since=since, per_page=1000)]
    per_page = -(-len(whole) // 3)
    pages = openepcis("pages", **common, since=since, per_page=per_page)
    assert [len(page) for page in pages[:-1]] == [per_page, per_page]
    assert [event["eventID"] for page in pages for event in page] == whole
    # Its own walk ends after one page. The standard's schema gives a document no member that would lead it on.
    assert [event["eventID"] for event in openepcis("query", **common, since=since, per_page=per_page)] == whole[
        :per_page
    ]
    answer = httpx.get(f"{house.url}/events", headers={"Authorization": f"Bearer {tokens['maker']}"}).json()
    judged = epcis2("schema", documents=[answer, {**answer, "nextPageToken": "x"}])
    assert [one["valid"] for one in judged] == [True, False], judged
    assert {error["params"].get("propertyName") for error in judged[1]["errors"]} >= {"nextPageToken"}


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


KEYS = {
    "00": "006141411234567890",
    "01": GTIN,
    "253": "4012345000054X/1",
    "255": "4012345000054123",
    "401": "4012345AB%C",
    "402": "40123450000006780",
    "414": "4012345000054",
    "417": "4012345000054",
    "8003": "04012345000054S+1",
    "8004": "4000001111/a",
    "8006": f"{GTIN}0102",
    "8010": "4012345A/B-1",
    "8017": "401234500000067657",
    "8018": "401234500000067657",
}
PARTS = {
    "22": "2A/b",
    "10": "L-1&2",
    "21": "A1?=",
    "235": "T(1)",
    "254": "dock/2",
    "7040": "1ABC",
    "8011": "42",
    "8019": "7",
}
# It asks every key for a check digit, and does not know where these have theirs or that they have none: none is valid.
UNCHECKED = {"401", "417", "8004", "8006", "8010", "8017"}
# Qualifiers of the standard that the grammar it runs does not know.
UNHEARD_OF = {"235", "7040"}


def link_of(key, *qualifiers):
    return digital_link.DigitalLink(key, KEYS[key], tuple((ai, PARTS[ai]) for ai in qualifiers))


def every_form():
    """Each key alone, with each of its qualifiers, and with all that may stand together."""
    for key, qualifiers in keys.QUALIFIERS.items():
        yield from (link_of(key, *some) for some in {(), *((ai,) for ai in qualifiers), qualifiers})
    yield link_of("01", "235")


def decoded(pairs):
    return {ai: unquote(value) for ai, value in pairs.items()}


def agreed(uris):
    for uri, theirs in zip(uris, epcis2("links", uris=uris), strict=True):
        mine = digital_link.parse(uri)
        refused = mine.key in UNCHECKED or UNHEARD_OF & dict(mine.qualifiers).keys()
        assert theirs["valid"] is not bool(refused), uri
        assert theirs["value"] is True, uri
        assert decoded(theirs["identifier"]) == {mine.key: mine.value}
        assert decoded(theirs["keyQualifiers"]) == dict(mine.qualifiers)
        assert theirs["uri"] == uri


def test_digital_link_js_agrees_on_each_key_with_each_of_its_qualifiers():
    assert set(KEYS) == set(keys.QUALIFIERS)
    agreed([digital_link.CANONICAL_DOMAIN + link.path for link in every_form()])


def test_digital_link_js_refuses_what_we_refuse():
    checked = [link_of(key).path for key in KEYS if keys.AIS[key].checked and key not in UNCHECKED]
    place = {key: keys.AIS[key].checked - 1 for key in KEYS}
    wrong = []
    for path in checked:
        _, key, value = path.split("/", 2)
        digit = str((int(value[place[key]]) + 1) % 10)
        wrong.append(f"https://id.gs1.org/{key}/{value[: place[key]]}{digit}{value[place[key] + 1 :]}")
    # A lot behind the serial, a qualifier of another key, a lot too long, and characters outside CSET 82.
    item = digital_link.build(gtin=GTIN)
    wrong += [f"{item}/21/A/10/L", f"{item}/254/A", f"{item}/10/{'L' * 21}"]
    wrong += [f"{item}/21/a{quote(character)}b" for character in "#$@ ^`{|}\\é"]
    for uri in wrong:
        with pytest.raises(Gs1Error):
            digital_link.parse(uri)
    assert [one["uri"] for one in epcis2("links", uris=wrong) if one["valid"]] == []


def test_digital_link_js_reads_each_character_that_we_write():
    uris = {one: digital_link.build(gtin=GTIN, lot=f"a{one}b", serial=f"{one}") for one in CSET_82}
    judged = dict(zip(uris, epcis2("links", uris=list(uris.values())), strict=True))
    assert [one for one in CSET_82 if not judged[one]["valid"]] == ['"']
    assert all(decoded(judged[one]["keyQualifiers"]) == {"10": f"a{one}b", "21": one} for one in CSET_82)
    # Raw, where a path may hold them so: we read them, it does not; neither writes them.
    raw = {one: f"{digital_link.build(gtin=GTIN)}/21/a{one}b" for one in "!&'()*+,:;="}
    assert [digital_link.parse(uri).qualifier("21") for uri in raw.values()] == [f"a{one}b" for one in raw]
    assert [one["valid"] for one in epcis2("links", uris=list(raw.values()))] == [False] * len(raw)


@settings(max_examples=3, deadline=None)
@given(st.lists(st.tuples(gtins, st.none() | TEXTS, st.none() | TEXTS), min_size=100, max_size=100))
def test_digital_link_js_agrees_on_any_link_that_we_build(packs):
    agreed([digital_link.build(gtin=gtin, lot=lot, serial=serial) for gtin, lot, serial in packs])
