"""The links that makers register, at the resolver: listed, walked up to, chosen by the reader's language, shown."""

from typing import Any

import pytest
from django.test import Client

from traceability.products import links as registered
from traceability.products.links import TargetLink
from traceability.products.models import Lot, TradeItem

from .test_resolver import BATCH, BROWSER, DATA, LINKSET, PACK, PRODUCT, VOC, levels
from .world import GTIN, NMPA_GTIN, RECALLED_LOT, UNKNOWN_GTIN, World

SITE = "https://leaflets.example.com"


def leaflet(language: str, *, name: str = "", kind: str = "epil", **more: Any) -> TargetLink:
    return TargetLink(kind, f"{SITE}/{name or language or 'all'}", f"Title {name or language}", language, **more)


def register(*links: TargetLink, gtin: str = GTIN, lot: str = "") -> None:
    item = TradeItem.objects.get(gtin=gtin)
    row = Lot.objects.get(item=item, number=lot) if lot else None
    registered.change(item=item, lot=row, edit=lambda _: links)


def ask(path: str, languages: str = "", accept: str = BROWSER) -> Any:
    headers = {"Accept": accept} | ({"Accept-Language": languages} if languages else {})
    return Client().get(path, headers=headers)


def test_they_stand_in_the_linkset_at_their_own_level_beside_ours(world: World) -> None:
    before = levels(PACK)
    register(leaflet("en"), leaflet("zh-Hans", media_type="application/pdf"), leaflet("", kind="recallStatus"))
    register(leaflet("", name="lot", kind="certificationInfo"), lot=PACK.split("/")[4])
    found = levels(PACK)
    assert found[PACK] == before[PACK]
    assert {name: found[BATCH][name] for name in before[BATCH]} == before[BATCH]
    (certificate,) = found[BATCH][VOC + "certificationInfo"]
    assert certificate == {"href": f"{SITE}/lot", "title": "Title lot", "type": "text/html"}
    assert found[PRODUCT][VOC + "epil"] == [
        {"href": f"{SITE}/en", "title": "Title en", "type": "text/html", "hreflang": ["en"]},
        {"href": f"{SITE}/zh-Hans", "title": "Title zh-Hans", "type": "application/pdf", "hreflang": ["zh-Hans"]},
    ]
    ours, makers = found[PRODUCT][VOC + "recallStatus"]
    assert (ours["href"], makers["href"]) == (f"http://testserver{PRODUCT}", f"{SITE}/all")
    assert VOC + "certificationInfo" not in levels(PRODUCT)[PRODUCT]
    assert VOC + "certificationInfo" not in levels(f"/01/{GTIN}/10/{RECALLED_LOT}")[f"/01/{GTIN}/10/{RECALLED_LOT}"]
    assert ask(f"{PACK}?linkType=all").json() == ask(PACK, accept=LINKSET).json()


@pytest.mark.parametrize("path", [PACK, BATCH, PRODUCT, PACK.replace("A0003", "NEVER")])
@pytest.mark.parametrize(
    ("languages", "expected"),
    [("", "en"), ("zh-CN,zh;q=0.9,en;q=0.8", "zh-Hans"), ("de-DE,de,en;q=0.1", "en"), ("fr", "en"), ("zh;q=0", "en")],
)
def test_the_way_leads_to_the_leaflet_in_the_reader_s_language(
    world: World, path: str, languages: str, expected: str
) -> None:
    register(leaflet("zh-Hans"), leaflet("en", is_default=True))
    for spelled in ("gs1:epil", "https://ref.gs1.org/voc/epil"):
        for accept in (BROWSER, DATA, LINKSET):
            answer = ask(f"{path}?17=300101&linkType={spelled}&next=https://evil.example/", languages, accept)
            # To the very address that was registered: nothing of the request goes along, nothing can be put into it.
            assert (answer.status_code, answer["Location"]) == (307, f"{SITE}/{expected}")
            assert "Accept-Language" in answer["Vary"]
            assert f"<http://testserver{path}?linkType=linkset>" in answer["Link"]


def test_a_lot_s_leaflet_goes_before_the_product_s(world: World) -> None:
    """An older batch has an older leaflet in its box: the level decides before the language."""
    register(leaflet("en"), leaflet("zh-Hans"))
    register(leaflet("en", name="of-lot"), lot=PACK.split("/")[4])
    assert ask(f"{PACK}?linkType=gs1:epil", "zh")["Location"] == f"{SITE}/of-lot"
    assert ask(f"{PRODUCT}?linkType=gs1:epil", "zh")["Location"] == f"{SITE}/zh-Hans"
    assert ask(f"/01/{GTIN}/10/{RECALLED_LOT}?linkType=gs1:epil", "zh")["Location"] == f"{SITE}/zh-Hans"
    assert ask(f"/01/{GTIN}/21/A0003?10={PACK.split('/')[4]}&linkType=gs1:epil")["Location"] == f"{SITE}/of-lot"


def test_several_that_fit_alike_are_the_reader_s_to_choose(world: World) -> None:
    register(leaflet("en", name="a"), leaflet("en", name="b"), leaflet("zh-Hans"), leaflet("en", kind="smpc"))
    page = ask(f"{PACK}?linkType=gs1:epil", "en")
    assert page.status_code == 300
    assert f'href="{SITE}/a"' in page.content.decode()
    assert f'href="{SITE}/b"' in page.content.decode()
    assert "zh-Hans" not in page.content.decode().partition("maker-links")[2].partition("</ul>")[0]
    data = ask(f"{PACK}?linkType=gs1:epil", "en", LINKSET)
    assert (data.status_code, data["Content-Type"]) == (300, LINKSET)
    (level,) = data.json()["linkset"]
    assert [one["href"] for one in level.pop(VOC + "epil")] == [f"{SITE}/a", f"{SITE}/b"]
    assert level == {"anchor": f"http://testserver{PRODUCT}"}
    assert ask(f"{PACK}?linkType=gs1:epil", "zh")["Location"] == f"{SITE}/zh-Hans"


def test_the_form_that_is_asked_for_decides_among_equals(world: World) -> None:
    register(leaflet("en", name="page"), leaflet("en", name="paper", media_type="application/pdf"))
    assert ask(f"{PRODUCT}?linkType=gs1:epil", "en", "application/pdf")["Location"] == f"{SITE}/paper"
    assert ask(f"{PRODUCT}?linkType=gs1:epil", "en", BROWSER)["Location"] == f"{SITE}/page"
    assert ask(f"{PRODUCT}?linkType=gs1:epil", "en", "*/*").status_code == 300


def test_what_the_record_answers_no_maker_answers_in_its_place(world: World) -> None:
    register(leaflet("", kind="recallStatus", is_default=True), leaflet("", kind="pip"))
    for path in (PACK, BATCH, PRODUCT):
        assert ask(f"{path}?linkType=gs1:recallStatus")["Location"] == path
    assert ask(f"{PRODUCT}?linkType=gs1:pip")["Location"] == f"{SITE}/all"  # its own page is the maker's to name
    assert ask(PRODUCT).status_code == ask(f"{PRODUCT}?linkType=gs1:defaultLink").status_code == 200
    assert ask(f"{PRODUCT}?linkType=gs1:epil").status_code == 404


def test_the_page_shows_them_in_the_reader_s_language_and_whose_they_are(world: World) -> None:
    register(leaflet("en"), leaflet("zh-Hans"), TargetLink("safetyInfo", f"{SITE}/s?a=1&b=2", "<b>Safety</b>"))
    for path in (PACK, BATCH, PRODUCT, f"/01/{GTIN}/21/A0003", world.packs["recalled"].code_path):
        page = ask(path, "en").content.decode()
        assert f'<a href="{SITE}/en" rel="noopener noreferrer" hreflang="en">Package leaflet</a>' in page
        assert "at leaflets.example.com" in page
        assert f'href="{SITE}/s?a=1&amp;b=2"' in page
        assert "&lt;b&gt;Safety&lt;/b&gt;" in page
        assert f"{SITE}/zh-Hans" not in page
        chinese = ask(path, "zh-CN").content.decode()
        assert f'href="{SITE}/zh-Hans"' in chinese
        assert f'href="{SITE}/en"' not in chinese
    register(leaflet("fr"))
    assert "at leaflets.example.com · French" in ask(PRODUCT, "en").content.decode()
    register()
    assert "maker-links" not in ask(PRODUCT, "en").content.decode()


def test_a_pack_that_nobody_recorded_shows_the_same_as_one_that_has_not_left_its_maker(world: World) -> None:
    register(leaflet("en"))
    pair = world.packs["not_shipped"], world.packs["serial_unknown"]
    pages = [ask(one.code_path, "en").content.decode().replace(one.serial, "?") for one in pair]
    assert pages[0] == pages[1]
    assert f'href="{SITE}/en"' in pages[0]
    assert "maker-links" not in ask(f"/01/{UNKNOWN_GTIN}/21/X", "en").content.decode()


def test_a_trade_code_leads_to_its_product_s_links(world: World) -> None:
    register(leaflet("en"), gtin=NMPA_GTIN)
    path = world.packs["trace_code"].code_path
    assert ask(f"{path}?linkType=gs1:epil")["Location"] == f"{SITE}/en"
    assert levels(path)[f"/01/{NMPA_GTIN}"][VOC + "epil"][0]["href"] == f"{SITE}/en"
    assert f'href="{SITE}/en"' in ask(path, "en").content.decode()
    TradeItem.objects.filter(gtin=NMPA_GTIN).update(gtin=None)  # then its links are found at the code itself
    assert levels(path)[path][VOC + "epil"][0]["href"] == f"{SITE}/en"
    assert ask(f"{path}?linkType=gs1:epil")["Location"] == f"{SITE}/en"
