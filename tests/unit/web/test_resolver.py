"""The Digital Link resolver: every link type in every form at every level, and nothing that a page would not say."""

import re
import time
from typing import Any
from urllib.parse import quote, unquote

import pytest
from django.db import OperationalError, connection
from django.test import Client

from traceability.gs1.digital_link import DigitalLink
from traceability.web.consumer import links, views

from .world import GTIN, LOT, NMPA_GTIN, RECALLED_LOT, UNKNOWN_GTIN, World, sscc

VOC = "https://ref.gs1.org/voc/"
LINKSET, DATA, HTML = "application/linkset+json", "application/ld+json", "text/html"
PACK, BATCH, PRODUCT = f"/01/{GTIN}/10/{LOT}/21/A0003", f"/01/{GTIN}/10/{LOT}", f"/01/{GTIN}"
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


def get(path: str, accept: str = "", **options: Any) -> Any:
    return Client().get(path, headers={"Accept": accept} if accept else {}, **options)


def levels(path: str) -> dict[str, dict[str, Any]]:
    """The links of each level by its anchor's path."""
    answer = get(path, LINKSET)
    assert answer.status_code == 200, answer.content
    assert answer["Content-Type"] == LINKSET
    return {one.pop("anchor").removeprefix("http://testserver"): one for one in answer.json()["linkset"]}


def of_product(*more: str) -> set[str]:
    return {VOC + name for name in ("defaultLink", "recallStatus", "epcis", "pip", "masterData", *more)}


def test_a_linkset_says_of_each_level_what_it_leads_to(world: World) -> None:
    found = levels(PACK)
    assert list(found) == [PACK, BATCH, PRODUCT]  # finest first
    assert set(found[PACK]) == {
        VOC + name for name in ("defaultLink", "verificationService", "recallStatus", "traceability", "epcis")
    }
    assert set(found[BATCH]) == {VOC + name for name in ("defaultLink", "recallStatus", "epcis")}
    assert set(found[PRODUCT]) == of_product()
    assert list(levels(f"/01/{GTIN}/21/A0003")) == [f"/01/{GTIN}/21/A0003", PRODUCT]
    assert list(levels(f"/01/{GTIN}/21/A0003?10={LOT}")) == [PACK, BATCH, PRODUCT]  # a lot in the query counts
    (target,) = found[PACK][VOC + "traceability"]
    assert target["type"] == "application/json"
    for level in found.values():
        for targets in level.values():
            for one in targets:
                assert set(one) <= {"href", "title", "type", "hreflang"}
                assert one["href"].startswith("http://testserver/")  # of this site only


@pytest.mark.parametrize("level", [PACK, BATCH, PRODUCT])
@pytest.mark.parametrize(
    "kind", sorted({name.removeprefix(VOC) for name in of_product("verificationService", "traceability")})
)
@pytest.mark.parametrize("accept", ["", BROWSER, DATA, LINKSET])
def test_every_link_type_at_every_level(world: World, level: str, kind: str, accept: str) -> None:
    there = {kind for found in levels(level).values() for kind in found}
    answers = [get(f"{level}?linkType={spelled}&17=300101", accept) for spelled in (f"gs1:{kind}", quote(VOC + kind))]
    assert len({(answer.status_code, answer.get("Location")) for answer in answers}) == 1
    answer = answers[0]
    if VOC + kind not in there:
        assert answer.status_code == 404
        assert ("gs1:recallStatus" in answer.content.decode()) is True  # it says what there is
    elif kind == "defaultLink":
        assert answer.status_code == 200
    else:
        assert answer.status_code == 307
        first = next(found[VOC + kind][0]["href"] for found in levels(level).values() if VOC + kind in found)
        target = answer["Location"]
        assert first.removeprefix("http://testserver") in target
        assert "17=300101" in target  # the rest of the query goes along
        assert "linkType" not in target
        assert target.startswith("/")
        assert not target.startswith("//")


@pytest.mark.parametrize("spelled", ["linkset", "all", "gs1:linkset"])
def test_the_whole_linkset_by_its_name(world: World, spelled: str) -> None:
    assert get(f"{PACK}?linkType={spelled}", BROWSER).json() == get(PACK, LINKSET).json()


def test_a_form_for_everyone(world: World) -> None:
    for accept, kind in {"": HTML, "*/*": HTML, BROWSER: HTML, "image/png": HTML, DATA: DATA, "application/json": DATA,
                         f"{HTML};q=0.5, {LINKSET}": LINKSET}.items():  # fmt: skip
        for path in (PACK, BATCH, PRODUCT, f"/414/{world.glns['maker']}", f"/00/{sscc(1)}"):
            answer = get(path, accept)
            assert answer.status_code == 200, (path, accept)
            assert answer["Content-Type"].partition(";")[0] == kind, (path, accept)
            assert answer["Access-Control-Allow-Origin"] == "*"
            assert "Accept" in answer["Vary"]
            assert f'<http://testserver{path}?linkType=linkset>; rel="linkset"' in answer["Link"]
            assert f'<https://id.gs1.org{path}>; rel="http://www.w3.org/2002/07/owl#sameAs"' in answer["Link"]
            head = Client().head(path, headers={"Accept": accept})
            assert (head.status_code, head.content, head["Link"]) == (200, b"", answer["Link"])
    assert 'rel="http://www.w3.org/ns/json-ld#context"' in get(PACK, LINKSET)["Link"]
    options = Client().options(PACK)
    assert (options.status_code, options["Access-Control-Allow-Methods"]) == (204, "GET, HEAD, OPTIONS")
    assert Client().post(PACK).status_code == 405


def test_data_says_what_the_page_says(world: World) -> None:
    pack = get(PACK, DATA).json()
    assert (pack["gs1:gtin"], pack["gs1:hasSerialNumber"], pack["dosetrail:outcome"]) == (GTIN, "A0003", "sold")
    assert pack["@id"] == f"https://id.gs1.org{PACK}"
    assert get(BATCH, DATA).json()["dosetrail:recallRecorded"] is False
    assert get(f"/01/{GTIN}/10/{RECALLED_LOT}", DATA).json()["dosetrail:recallRecorded"] is True
    assert get(PRODUCT, DATA).json()["gs1:productName"] == "Glarvia"
    place = get(f"/414/{world.glns['lotus']}", DATA).json()
    assert (place["gs1:physicalLocationName"], place["gs1:organizationName"]) == ("lotus main", "Lotus Ltd")


def test_pages_of_products_batches_places_and_units(world: World) -> None:
    assert "Recalled by" in get(f"/01/{GTIN}/10/{RECALLED_LOT}").content.decode()
    page = get(BATCH).content.decode()
    assert "No recall of this batch" in page
    assert "Insulin glargine" in page
    assert "lotus main" in get(f"/414/{world.glns['lotus']}/254/shelf-2").content.decode()
    assert "Maker Ltd" in get(f"/417/{world.parties['maker'].identifiers.get(scheme='gln').value}").content.decode()
    for path in ("/8004/4000001111", "/253/4012345000054X1", "/8003/04012345000054ABC", "/8018/401234500000067657"):
        assert "Nothing about it is public" in get(path).content.decode()


@pytest.mark.parametrize("spelled", [f"/01/{GTIN[1:]}", f"/gtin/{GTIN}", f"/01/{GTIN}/", f"/01/{GTIN}?4330=5"])
def test_other_spellings_of_a_product(world: World, spelled: str) -> None:
    if spelled.startswith("/gtin"):
        assert get(spelled).status_code == 404  # names instead of AIs have left the standard
    else:
        assert get(spelled.rstrip("/"), LINKSET).json() == get(PRODUCT, LINKSET).json()


def test_the_events_of_a_product_are_those_of_its_packs_and_of_its_class() -> None:
    item = DigitalLink("01", "09521000001008")
    (product,) = links.levels(item)
    asked = [unquote(link.href) for link in product.links if link.kind == "epcis"]
    assert asked == [f"/epcis/events?{name}={item.canonical}" for name in ("MATCH_anyEPC", "MATCH_epcClass")]
    assert [unquote(one.href) for one in links.find([product], "epcis", links.Reader())] == asked[:1]


def test_odd_characters_come_back_escaped(world: World) -> None:
    serial = "a/b%&(7)?"
    found = levels(f"/01/{GTIN}/21/{quote(serial, safe='')}")
    path = next(iter(found))
    assert path == f"/01/{GTIN}/21/{quote(serial, safe='')}"
    href = found[path][VOC + "epcis"][0]["href"]
    assert unquote(unquote(href)).endswith(f"/21/{serial}")


MALFORMED = [
    "/01/09504000059119", "/01/123", f"/01/{GTIN}/10/{'L' * 21}", f"/01/{GTIN}/21/%C3%A9", "/00/123", "/414/1",
    f"/01/{GTIN}/10/L/235/X", "/8004/%20", f"/01/{GTIN}/21/{'9' * 3000}",
]  # fmt: skip


@pytest.mark.parametrize("path", MALFORMED)
def test_what_is_malformed_is_400_in_every_form(world: World, path: str) -> None:
    assert get(path, BROWSER).status_code == 400
    for accept in (DATA, LINKSET):
        answer = get(path, accept)
        assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")
        assert answer.json()["code"] == "malformed"


def test_what_is_not_known_here_is_404(world: World) -> None:
    for path in (f"/01/{UNKNOWN_GTIN}", f"/01/{UNKNOWN_GTIN}/10/L", "/414/4012345000054", "/417/4012345000054"):
        assert get(path, BROWSER).status_code == 404
        assert get(path, DATA).status_code == 404
    assert get(f"/01/{UNKNOWN_GTIN}/21/X", LINKSET).json()["code"] == "not-known"
    assert get(f"/01/{UNKNOWN_GTIN}/21/X?linkType=gs1:pip", BROWSER).status_code == 404
    assert 'data-outcome="product_unknown"' in get(f"/01/{UNKNOWN_GTIN}/21/X", BROWSER).content.decode()


def test_no_form_tells_an_unknown_serial_from_one_that_has_not_left_its_maker(world: World) -> None:
    pair = world.packs["not_shipped"], world.packs["serial_unknown"]
    queries = ["", *(f"?linkType=gs1:{kind}" for kind in ("epcis", "traceability", "verificationService", "pip", "no"))]
    for accept in (BROWSER, DATA, LINKSET):
        for query in queries:
            answers = []
            for pack in pair:
                started = time.monotonic()
                answer = get(pack.code_path + query, accept)
                waited = time.monotonic() - started >= views.STEADY_SECONDS
                assert waited or query or accept == LINKSET  # what reads the dossier takes a steady time
                headers = {name: value.replace(pack.serial, "?") for name, value in answer.headers.items()}
                for own in ("Content-Length", "X-Request-Id"):
                    headers.pop(own, None)
                answers.append((answer.status_code, headers, answer.content.replace(pack.serial.encode(), b"?")))
            assert answers[0] == answers[1], (accept, query)


def test_a_batch_that_nobody_recorded_looks_like_one_that_was_not_recalled(world: World) -> None:
    pages = [get(f"/01/{GTIN}/10/{lot}").content.decode().replace(lot, "?") for lot in (LOT, "NEVER")]
    assert pages[0] == pages[1]


def test_a_shipping_unit_says_nothing_of_itself(world: World) -> None:
    number = sscc(1)
    pages = [re.sub(rf"{one}", "?", get(f"/00/{one}").content.decode()) for one in (number, sscc(987_654))]
    assert pages[0] == pages[1]
    assert "shown to the companies concerned only" in pages[0]


def test_codes_that_are_not_gs1s(world: World) -> None:
    code = world.packs["trace_code"].serial
    assert 'data-outcome="registered"' in get(f"/c/{code}").content.decode()
    assert get("/c/110375286414")["Location"] == "/01/04150037528643"  # PPN -> NTIN
    assert get("/c/urn:epc:id:sgtin:9521141.001234.A1")["Location"] == "/01/09521141012345/21/A1"
    label = f"(01){GTIN}(17)300101(10)L/1(21)S&1"
    assert get(f"/c/{quote(label, safe='')}")["Location"] == f"/01/{GTIN}/10/L%2F1/21/S%261"
    assert "lotus main" in get("/c/urn:dosetrail:site:lotus-main").content.decode()
    assert get("/c/urn:dosetrail:party:lotus", DATA).json()["gs1:organizationName"] == "Lotus Ltd"
    for nothing in (
        "12",
        "hello",
        "urn:dosetrail:site:none",
        "https://evil.example/",
        "110375286415",
        "//evil.example",
    ):
        assert get(f"/c/{nothing}").status_code == 404, nothing
        assert get(f"/c/{nothing}", DATA).status_code == 404
    assert NMPA_GTIN


def test_a_trade_code_has_the_links_of_its_pack_and_product(world: World) -> None:
    path, unknown = world.packs["trace_code"].code_path, "/c/89999999999999999999"
    found = levels(path)
    assert list(found) == [path, f"/01/{NMPA_GTIN}"]
    assert set(found[path]) == set(levels(PACK)[PACK])
    assert found[path][VOC + "traceability"][0]["href"] == f"http://testserver/evidence{path}"
    assert get(f"{path}?linkType=all", BROWSER).json() == get(path, LINKSET).json()
    assert get(f"{path}?linkType=gs1:pip")["Location"] == f"/01/{NMPA_GTIN}"
    assert unquote(get(f"{path}?linkType=gs1:epcis")["Location"]).endswith(world.packs["trace_code"].epc)
    assert get(f"{path}?linkType=gs1:no", DATA).json()["code"] == "no-such-link"
    data = get(path, DATA).json()
    assert (data["@id"], data["gs1:gtin"], data["dosetrail:outcome"]) == (
        world.packs["trace_code"].epc, NMPA_GTIN, "registered",
    )  # fmt: skip
    for accept in (BROWSER, DATA, LINKSET):
        assert f'<http://testserver{path}?linkType=linkset>; rel="linkset"' in get(path, accept)["Link"]
        assert "Accept" in get(path, accept)["Vary"]
    assert get(unknown, LINKSET).json()["code"] == get(unknown, DATA).json()["code"] == "not-known"
    assert get(f"{unknown}?linkType=gs1:pip", BROWSER).status_code == 404
    nobody = path[:-4] + "0000"
    assert {name: len(one) for name, one in levels(nobody).items()} == {
        nobody: len(found[path]), f"/01/{NMPA_GTIN}": len(found[f"/01/{NMPA_GTIN}"]),
    }  # fmt: skip


def test_the_resolver_describes_itself(world: World) -> None:
    found = get("/.well-known/gs1resolver").json()
    assert found["resolverRoot"] == "http://testserver"
    assert found["supportedPrimaryKeys"] == ["all"]


def test_a_failing_database_is_503_in_every_form(world: World) -> None:
    def fail(*_: object) -> None:
        raise OperationalError("no database")

    with connection.execute_wrapper(fail):
        for accept in (BROWSER, DATA, LINKSET):
            assert get(PACK, accept).status_code == 503
            assert get(PRODUCT, accept).status_code == 503
            assert get(world.packs["trace_code"].code_path, accept).status_code == 503


def test_pages_in_chinese(world: World) -> None:
    for path in (PRODUCT, f"/00/{sscc(1)}", f"/414/{world.glns['maker']}", "/8004/4000001111", "/414/4012345000054"):
        page = Client().get(path, headers={"Accept-Language": "zh-Hans"}).content.decode()
        assert '<html lang="zh-Hans">' in page
        text = re.search(r'verdict-text">([^<]+)', page)
        assert text is not None
        assert re.search(r"[\u4e00-\u9fff]", text[1])


def test_walking_up_finds_what_the_finest_level_lacks() -> None:
    assert links.local_name("gs1:pip") == links.local_name("https://gs1.org/voc/pip") == links.local_name("pip")
    here, above = (
        links.Level("lot", "/01/1/10/2", []),
        links.Level("product", "/01/1", [links.Link("pip", "/01/1", "")]),
    )
    assert links.find([here, above], "pip", links.Reader()) == above.links
    assert links.find([here], "pip", links.Reader()) == []
