"""Packings that contradict each other: found, shown everywhere without harm, gone when the wrong one is void."""

from collections.abc import Callable, Sequence
from datetime import date
from itertools import permutations
from typing import Any

import pytest
from django.test import Client

from tests.integration.conftest import GTIN, LOT, pack
from tests.integration.portal.conftest import Portal, person
from traceability.contracts import selectors, touched
from traceability.contracts.models import Finding
from traceability.custody import lot_packs, trace
from traceability.custody import selectors as custody
from traceability.custody.models import Containment, ItemState, LotCount

from .conftest import CASES, DAY, HOUR, PALLET, START, Watched

__all__ = ["person"]
A, B = pack("A1"), pack("B1")
CASE, OTHER = CASES
THIRD = "https://id.gs1.org/8003/09521000001008X1"
UNDO = {"declarationTime": "2026-06-01T00:00:00.000Z", "reason": "did_not_occur"}


def custody_rows() -> dict[str, list[tuple[Any, ...]]]:
    """Custody without what tells only of log indexes."""
    stays = Containment.objects.order_by("child", "from_ms", "parent").values_list(
        "child", "parent", "from_ms", "to_ms"
    )
    items = ItemState.objects.order_by("epc").values_list(
        "epc", "status", "place", "party", "container", "last_time_ms"
    )
    counts = LotCount.objects.order_by("key").values_list("key", "packs")
    return {"stays": list(stays), "items": list(items), "counts": list(counts)}


def made(watched: Watched) -> None:
    watched.report("maker", watched.commission("maker", START, [A, B]))


def ring(watched: Watched, *containers: str) -> list[dict[str, Any]]:
    """Each of the containers packed into the next, the last into the first."""
    return [
        watched.pack("maker", START + (2 + place) * HOUR, containers[(place + 1) % len(containers)], [name])
        for place, name in enumerate(containers)
    ]


def test_a_second_parent_and_its_declaration_re_fold_exactly_what_they_say(watched: Watched) -> None:
    made(watched)
    watched.report("maker", watched.pack("maker", START + HOUR, CASE, [A, B]))
    before = custody_rows()
    wrong = watched.pack("wholesaler", START + DAY, OTHER, [A])
    answer = watched.house.capture("wholesaler", wrong)
    assert answer.status_code == 202
    watched.house.settle()
    assert watched.found() == [("containment", "containment-second", A)]
    finding = Finding.objects.get()
    assert finding.params["first_container"] == CASE
    assert selectors.affected_packs(finding) == [A]
    assert custody.state(A).path == (OTHER,)  # type: ignore[union-attr]  # the newest record is believed
    assert custody.state(B).path == (CASE,)  # type: ignore[union-attr]
    watched.void("wholesaler", wrong)
    assert watched.found() == []
    now = custody_rows()
    now["items"] = [row for row in now["items"] if row[0] != OTHER]
    assert now == before


def test_packs_that_share_a_wrong_packing_share_an_alert(watched: Watched) -> None:
    made(watched)
    watched.report("maker", watched.pack("maker", START + HOUR, CASE, [A, B]))
    watched.report("maker", watched.pack("maker", START + DAY, OTHER, [A, B]))
    assert [subject for _, _, subject in watched.found()] == [A, B]
    assert Finding.objects.values("incident").distinct().count() == 1


@pytest.mark.parametrize("named", [[A], []])
def test_taken_out_between_is_in_order_until_that_is_void(watched: Watched, named: Sequence[str]) -> None:
    """Also when the container was emptied without naming what was in it."""
    made(watched)
    watched.report("maker", watched.pack("maker", START + HOUR, CASE, [A]))
    watched.report("maker", watched.pack("maker", START + DAY, OTHER, [A]))
    assert watched.found() == [("containment", "containment-second", A)]
    out = watched.pack("maker", START + 2 * HOUR, CASE, named, action="DELETE")
    if not named:
        del out["childEPCs"]
    watched.report("maker", out)  # reported late
    assert watched.found() == []
    watched.void("maker", out)
    assert watched.found() == [("containment", "containment-second", A)]


RINGS = [(CASE,), (CASE, OTHER), (CASE, OTHER, PALLET), (CASE, OTHER, PALLET, THIRD)]


@pytest.mark.parametrize("containers", RINGS)
@pytest.mark.parametrize("together", [True, False])
def test_a_ring_is_found_and_ends_with_any_of_its_packings(
    watched: Watched, containers: Sequence[str], together: bool
) -> None:
    made(watched)
    packings = ring(watched, *containers)
    before = [watched.pack("maker", START + HOUR, CASE, [A, B]), *packings]
    for batch in [before] if together else [[one] for one in before]:
        watched.report("maker", *batch)
    rings = [("containment", "containment-ring", name) for name in sorted(containers)]
    assert watched.found() == rings
    assert Finding.objects.values("incident").distinct().count() == 1
    watched.void("maker", packings[0])
    assert watched.found() == []
    watched.report("maker", watched.pack("maker", START + 2 * HOUR, packings[0]["parentID"], containers[:1]))
    assert watched.found() == rings


def test_a_ring_needs_the_look_at_all_of_it(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    """Negative control: who is not named by the declaration would keep its finding."""
    packings = ring(watched, CASE, OTHER, PALLET)
    watched.report("maker", *packings)
    monkeypatch.setattr(touched, "on_rings", lambda edges: set())
    watched.void("maker", packings[0])  # names CASE and OTHER
    assert watched.found() == [("containment", "containment-ring", PALLET)]


EXPECTED = [
    (CASE, {"lot": "", "ring": [OTHER, CASE]}),
    (OTHER, {"lot": "", "ring": [CASE, OTHER]}),
    (OTHER, {"lot": "", "first_container": CASE, "second_container": PALLET}),
]


@pytest.mark.parametrize("order", list(permutations(range(3)))[1::2])
def test_any_order_of_arrival_finds_the_same(watched: Watched, order: Sequence[int]) -> None:
    made(watched)
    packings = ring(watched, CASE, OTHER)
    moved = watched.pack("maker", START + DAY, PALLET, [OTHER])
    events = [*packings, moved]
    for place in order:
        watched.report("maker", events[place])
    rows = [("containment", "containment-ring", CASE), ("containment", "containment-ring", OTHER)]
    assert sorted(watched.found()) == sorted([*rows, ("containment", "containment-second", OTHER)])
    found = Finding.objects.filter(retracted_index=None).order_by("subject", "code")
    assert list(found.values_list("subject", "params")) == EXPECTED
    watched.void("maker", packings[1])
    assert watched.found() == []


def test_nothing_is_its_own_container(watched: Watched) -> None:
    made(watched)
    watched.report("maker", watched.pack("maker", START + HOUR, CASE, [A, B]), *ring(watched, CASE, OTHER, PALLET))
    for name in (CASE, OTHER, PALLET):
        found = custody.state(name)
        assert found is not None
        assert name not in found.path
        assert len(found.path) == len(set(found.path)) == 2
        assert name not in {stay.container for stay in custody.path(name)}
        assert name not in custody.all_contents([name])
        assert custody.all_contents([name]) >= {A, B}
    assert custody.state(A).path == (CASE, OTHER, PALLET)  # type: ignore[union-attr]
    assert [stay.container for stay in custody.path(A)] == [CASE, OTHER, PALLET]
    told = trace.ask(trace.subject(CASE, today=date(2026, 6, 1)))
    assert told.trace.packs == 2
    whole = trace.ask(trace.subject(f"(01){GTIN}(10){LOT}", today=date(2026, 6, 1)))
    assert whole.trace.packs == 2
    assert lot_packs.lot_balance(GTIN, LOT).held == 2
    assert sum(one.packs for one in lot_packs.trace_down(GTIN, LOT)) == 2


def test_pages_stay_up(watched: Watched, person: Callable[..., Portal]) -> None:
    made(watched)
    watched.report("maker", watched.pack("maker", START + HOUR, CASE, [A, B]), *ring(watched, CASE, OTHER, PALLET))
    watched.report("wholesaler", watched.pack("wholesaler", START + DAY, THIRD, [B]))
    serials = [epc.removeprefix("https://id.gs1.org") for epc in (A, B, CASE)]
    for path in serials:
        answer = Client(headers={"Accept": "text/html"}).get(path)
        assert answer.status_code == 200, path
    maker, inspector = person("maker", "quality"), person("regulator", "inspector")
    for path, query in (("stock", {}), ("lots", {}), ("alerts", {}), ("trace", {"code": A}), ("trace", {"code": CASE})):
        maker.get(path, **query)
    for path in ("", f"trace?code={A}", f"trace?code={OTHER}"):
        assert inspector.client.get(f"/regulator/{path}").status_code == 200, path
    shown = inspector.client.get("/regulator/").content.decode()
    assert "Recorded as lying in itself" in shown
    assert "Packed again without having been taken out" in shown
    inspector.client.cookies["django_language"] = "zh-hans"
    assert "记录显示装在自身之内" in inspector.client.get("/regulator/").content.decode()
