"""A maker's products in the portal, and the links of their codes: its quality people change them, nobody else."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.integration.conftest import LOT, House
from traceability.common.models import MasterVersion
from traceability.parties.models import PartyKey
from traceability.products import links
from traceability.products.models import Lot, TradeItem

from .conftest import Portal

Enter = Callable[..., Portal]
GIVEN = {
    "kind": "epil", "href": "https://leaflets.example.com/en", "title": "Leaflet", "language": "en",
    "media_type": "text/html",
}  # fmt: skip
PAGE = "products/glarvia"


def send(portal: Portal, action: str, link: str = "new", path: str = PAGE, **given: str) -> Any:
    version = re.search(r'name="version" value="([^"]*)"', portal.get(path))
    assert version is not None
    return portal.post(path, {**GIVEN, "version": version[1], "action": action, "link": link, **given})


def standing(lot: str = "") -> links.Links:
    item = TradeItem.objects.get(id="glarvia")
    return links.of(item, Lot.objects.get(item=item, number=lot) if lot else None)


def test_links_are_listed_added_changed_and_removed(house: House, person: Enter) -> None:
    portal = person("maker", "quality")
    assert "Glarvia 100 IU" in portal.get("products")
    assert "No link is registered" in portal.get(PAGE)
    added = send(portal, "add", is_default="1")
    assert (added.status_code, added["Location"]) == (302, "/portal/products/glarvia")
    page = portal.get(PAGE)
    assert "Package leaflet" in page
    assert 'href="https://leaflets.example.com/en" rel="noopener noreferrer"' in page
    send(portal, "add", language="zh-Hans", href="https://leaflets.example.com/zh", is_default="1")
    assert [(one.language, one.is_default) for one in standing()] == [("en", False), ("zh-Hans", True)]
    send(portal, "change", "0", title="Leaflet 2")
    assert [one.title for one in standing()] == ["Leaflet 2", "Leaflet"]
    assert '<td class="num">2</td>' in portal.get("products")
    send(portal, "remove", "0")
    assert [one.language for one in standing()] == ["zh-Hans"]
    send(portal, "remove", "0")
    house.settle()
    versions = MasterVersion.objects.filter(subject="links:glarvia").order_by("index")
    assert [len(one.body["links"]) for one in versions] == [1, 2, 2, 1, 0]


def test_a_lot_has_links_of_its_own(house: House, person: Enter) -> None:
    portal = person("maker", "admin")
    path = f"{PAGE}?lot={LOT}"
    assert send(portal, "add", path=path)["Location"] == f"/portal/products/glarvia?lot={LOT}"
    assert (len(standing(LOT)), len(standing())) == (1, 0)
    assert "no links of its own" not in portal.get(path)
    portal.get(f"{PAGE}?lot=NEVER", 404)


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"href": "http://a.example/"}, "href"), ({"href": "https://u:p@a.example/"}, "href"), ({"title": ""}, "title"),
        ({"kind": ""}, "kind"), ({"language": "English"}, "language"), ({"media_type": "x"}, "media_type"),
    ],
)  # fmt: skip
def test_a_fault_is_said_at_its_field_and_what_was_written_stays(
    house: House, person: Enter, given: dict[str, str], field: str
) -> None:
    answer = send(person("maker", "quality"), "add", **given)
    page = answer.content.decode()
    assert answer.status_code == 400
    assert f'href="#id_{field}_new"' in page
    assert f'id="error_{field}_new"' in page
    assert f'value="{given.get("title", "Leaflet")}"' in page
    assert standing() == ()


def test_a_change_on_an_older_page_is_refused(house: House, person: Enter) -> None:
    """The lost update: without the version the second of two people would change what the first had made of it."""
    portal = person("maker", "quality")
    send(portal, "add")
    version = links.digest(standing())
    send(portal, "change", "0", title="By another")
    late = portal.post(PAGE, {**GIVEN, "version": version, "action": "change", "link": "0", "title": "Late"})
    assert late.status_code == 409
    assert "Late" in late.content.decode()
    assert portal.post(PAGE, {"version": version, "action": "remove", "link": "0"}).status_code == 409
    assert [one.title for one in standing()] == ["By another"]


def test_nobody_else_changes_them(house: House, person: Enter) -> None:
    operator = person("maker", "operator")
    assert "<details" not in operator.get(PAGE)
    forged = {**GIVEN, "version": links.digest(()), "action": "add", "link": "new"}
    assert operator.post(PAGE, forged).status_code == 403
    for party in ("pharmacy", "wholesaler", "regulator"):
        portal = person(party, "admin")
        portal.get("products", 403)
        portal.get(PAGE, 403)
        assert portal.post(PAGE, forged).status_code == 403
    other = house.parties["other"]
    other.roles = ["manufacturer"]
    other.save()
    stranger = person("other", "admin")
    stranger.get(PAGE, 404)
    assert "No product of yours" in stranger.get("products")
    assert stranger.post(PAGE, forged).status_code == 404
    assert standing() == ()


def test_what_is_not_there_is_not_changed(house: House, person: Enter) -> None:
    portal = person("maker", "quality")
    for action, link in (("change", "0"), ("remove", "0"), ("remove", "-1"), ("remove", "x"), ("else", "new")):
        assert (
            portal.post(PAGE, {**GIVEN, "version": links.digest(()), "action": action, "link": link}).status_code == 404
        )
    PartyKey.objects.filter(party=house.parties["maker"]).delete()
    answer = send(portal, "add")
    assert answer.status_code == 409
    assert "no signing key in force" in answer.content.decode()
