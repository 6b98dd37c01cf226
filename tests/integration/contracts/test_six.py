"""The six contracts on the way that every event takes: capture, log, folds; raised, not raised, and taken back."""

from datetime import date

import pytest

from tests.integration.conftest import EXPIRY, pack
from traceability.contracts import selectors
from traceability.contracts.models import Finding

from .conftest import CASES, DAY, HOUR, LOT_CLASS, MINUTE, PALLET, START, Watched

A, B = pack("A1"), pack("B1")


def readings(start: int, *values: float) -> list[tuple[int, float]]:
    return [(start + place * 10 * MINUTE, value) for place, value in enumerate(values)]


def filled_pallet(watched: Watched) -> None:
    watched.report(
        "maker",
        watched.commission("maker", START, [A, B]),
        watched.pack("maker", START + HOUR, CASES[0], [A, B]),
        watched.pack("maker", START + 2 * HOUR, PALLET, [CASES[0]]),
    )


def test_warm_truck(watched: Watched) -> None:
    filled_pallet(watched)
    warm = watched.sensor("wholesaler", PALLET, readings(START + DAY, 5, 5, 12, 14, 14, 12, 9, 5, 5))
    watched.report("wholesaler", warm)
    assert watched.found() == [("temperature", "temperature-hot", PALLET)]
    (finding,) = Finding.objects.all()
    assert (finding.severity, finding.certainty) == ("S2", "certain")
    assert finding.params["extreme_mc"] == 14_000
    assert (finding.params["certain_s"], finding.params["possible_s"]) == (2400, 3600)
    assert finding.judged_by == "temperature-hot/1"
    assert selectors.affected_packs(finding) == [A, B]
    watched.void("wholesaler", warm)
    assert watched.found() == []
    assert Finding.objects.get().retracted_index is not None


def test_between_the_bounds_it_is_possible(watched: Watched) -> None:
    filled_pallet(watched)
    watched.report("wholesaler", watched.sensor("wholesaler", PALLET, readings(START + DAY, 5, 5, 9, 9, 9, 5, 5)))
    finding = Finding.objects.get()
    assert (finding.severity, finding.certainty) == ("S3", "possible")


def test_at_the_limit_and_too_short_are_good(watched: Watched) -> None:
    filled_pallet(watched)
    watched.report(
        "wholesaler", watched.sensor("wholesaler", PALLET, readings(START + DAY, 5, 8, 8, 8, 8, 8, 8, 5, 9, 5))
    )
    assert watched.found() == []


def test_a_pack_that_left_before_is_not_affected(watched: Watched) -> None:
    filled_pallet(watched)
    watched.report("maker", watched.pack("maker", START + 3 * HOUR, CASES[0], [B], action="DELETE"))
    watched.report("wholesaler", watched.sensor("wholesaler", PALLET, readings(START + DAY, 5, 12, 12, 12, 12, 12, 5)))
    assert selectors.affected_packs(Finding.objects.get()) == [A]


def test_frozen_box(watched: Watched) -> None:
    filled_pallet(watched)
    frozen = watched.sensor("wholesaler", CASES[0], readings(START + DAY, 5, *[-4] * 18, 5, 5))
    watched.report("wholesaler", frozen)
    assert watched.found() == [("temperature", "temperature-freeze", CASES[0])]
    watched.void("wholesaler", frozen)
    assert watched.found() == []


def test_contents_that_come_late_are_judged(watched: Watched) -> None:
    """The logger was read out before anyone said what is in the box."""
    watched.report("wholesaler", watched.sensor("wholesaler", PALLET, readings(START + DAY, 5, *[14] * 6, 5)))
    assert watched.found() == []
    filled_pallet(watched)
    assert watched.found() == [("temperature", "temperature-hot", PALLET)]


def expired_day_ms() -> int:
    """Local noon (UTC+8) of the last valid day."""
    return START + (EXPIRY - date(2026, 3, 1)).days * DAY + 4 * HOUR


@pytest.fixture
def in_2030(settings: object, tmp_path: object) -> None:
    from traceability.common import clock

    settings.CLOCK_FILE = str(tmp_path / "clock")  # type: ignore[attr-defined, operator]
    clock.set_simulated_ms(expired_day_ms() + 30 * DAY)


@pytest.mark.usefixtures("in_2030")
def test_expired_sale(watched: Watched) -> None:
    watched.report("maker", watched.commission("maker", START, [A, B]))
    on_the_day = watched.event("pharmacy", expired_day_ms() + 11 * HOUR, step="dispensing", epcs=[A])
    watched.report("pharmacy", on_the_day)
    assert watched.found() == []
    late = watched.event("pharmacy", expired_day_ms() + 13 * HOUR, step="retail_selling", epcs=[B])
    watched.report("pharmacy", late)
    assert watched.found() == [("expired-sale", "expired-sale", B)]
    assert Finding.objects.get().params["sold"] == "2030-02-01"
    watched.void("pharmacy", late)
    assert watched.found() == []


@pytest.mark.usefixtures("in_2030")
def test_an_extended_expiry_counts_from_its_entry_on(watched: Watched) -> None:
    from traceability.products import services as products
    from traceability.products.models import Lot

    watched.report("maker", watched.commission("maker", START, [A, B]))
    watched.report("pharmacy", watched.event("pharmacy", expired_day_ms() + 2 * DAY, step="dispensing", epcs=[A]))
    lot = Lot.objects.get()
    products.save_lot(
        item=lot.item, number=lot.number, production_date=lot.production_date, expiry_date=date(2031, 1, 31)
    )
    watched.house.settle()
    watched.report("pharmacy", watched.event("pharmacy", expired_day_ms() + 3 * DAY, step="dispensing", epcs=[B]))
    assert watched.found() == [("expired-sale", "expired-sale", A)]


def test_clone_by_travel(watched: Watched) -> None:
    watched.report("maker", watched.commission("maker", START, [A]))
    here = watched.event("pharmacy", START + DAY, step="stocking", epcs=[A])
    there = watched.event("other", START + DAY + 40 * MINUTE, step="stocking", epcs=[A])
    watched.report("pharmacy", here)
    assert watched.found() == []
    watched.report("other", there)
    assert watched.found() == [("clone", "clone-impossible-travel", A)]
    finding = Finding.objects.get()
    assert finding.severity == "S1"
    assert finding.params["km"] == 3267
    watched.void("other", there)
    assert watched.found() == []


def test_four_hours_by_air_are_possible(watched: Watched) -> None:
    watched.report("maker", watched.commission("maker", START, [A]))
    watched.report("pharmacy", watched.event("pharmacy", START + DAY, step="stocking", epcs=[A]))
    watched.report("other", watched.event("other", START + DAY + 4 * HOUR, step="stocking", epcs=[A]))
    assert watched.found() == []


def test_clone_by_commissioning(watched: Watched) -> None:
    first = watched.commission("maker", START, [A, B])
    watched.report("maker", first)
    again = watched.commission("maker", START + HOUR, [A, B], ilmd={"cbvmda:lotNumber": "OTHER"})
    watched.report("maker", again)
    assert [subject for _, _, subject in watched.found()] == [A, B]
    assert Finding.objects.values_list("incident", flat=True).distinct().count() == 1
    watched.void("maker", again)
    assert watched.found() == []


def test_the_same_commissioning_sent_again_is_no_clone(watched: Watched) -> None:
    first = watched.commission("maker", START, [A])
    watched.report("maker", first)
    watched.report("maker", {**first, "eventID": "urn:uuid:00000000-0000-4000-8000-00000000ffff"})
    assert watched.found() == []


def test_double_dispense(watched: Watched) -> None:
    watched.report("maker", watched.commission("maker", START, [A]))
    watched.report("pharmacy", watched.event("pharmacy", START + DAY, step="dispensing", epcs=[A]))
    again = watched.event("other", START + 6 * DAY, step="dispensing", epcs=[A])
    watched.report("other", again)
    assert watched.found() == [("double-dispense", "double-dispense-elsewhere", A)]
    watched.void("other", again)
    assert watched.found() == []


def test_an_undone_sale_does_not_count(watched: Watched) -> None:
    first = watched.event("pharmacy", START + DAY, step="dispensing", epcs=[A])
    watched.report("maker", watched.commission("maker", START, [A]))
    watched.report("pharmacy", first)
    watched.void("pharmacy", first)
    watched.report("other", watched.event("other", START + 6 * DAY, step="dispensing", epcs=[A]))
    assert watched.found() == []


def test_a_sale_in_two_cities_at_once_is_one_incident(watched: Watched) -> None:
    watched.report("maker", watched.commission("maker", START, [A]))
    watched.report("pharmacy", watched.event("pharmacy", START + DAY, step="dispensing", epcs=[A]))
    watched.report("other", watched.event("other", START + DAY + 40 * MINUTE, step="dispensing", epcs=[A]))
    assert watched.found() == [("clone", "clone-impossible-travel", A)]


def delivery(watched: Watched, received: list[str]) -> dict[str, object]:
    filled_pallet(watched)
    watched.report("maker", watched.travel("maker", START + 4 * HOUR, "shipping", CASES, "urn:x:DA1", "wholesaler"))
    receipt = watched.travel("wholesaler", START + DAY, "receiving", received, "urn:x:DA1", "wholesaler")
    watched.report("wholesaler", receipt)
    return receipt


def test_short_delivery(watched: Watched) -> None:
    receipt = delivery(watched, CASES[:1])
    assert watched.found() == [
        ("quantity-mismatch", "quantity-mismatch", "urn:x:DA1")
    ]  # ledger time is past the window
    finding = Finding.objects.get()
    assert (finding.params["missing"], finding.params["missing_items"]) == ("1", [CASES[1]])
    watched.report(
        "wholesaler", watched.travel("wholesaler", START + DAY, "receiving", CASES[1:], "urn:x:DA1", "wholesaler")
    )
    assert watched.found() == []
    watched.void("wholesaler", receipt)
    assert watched.found() == [("quantity-mismatch", "quantity-mismatch", "urn:x:DA1")]


def test_contents_received_one_by_one_agree(watched: Watched) -> None:
    filled_pallet(watched)
    watched.report("maker", watched.travel("maker", START + 4 * HOUR, "shipping", [PALLET], "urn:x:DA2", "wholesaler"))
    watched.report("wholesaler", watched.travel("wholesaler", START + DAY, "receiving", [A], "urn:x:DA2", "wholesaler"))
    assert len(watched.found()) == 1
    watched.report("wholesaler", watched.travel("wholesaler", START + DAY, "receiving", [B], "urn:x:DA2", "wholesaler"))
    assert watched.found() == []


def test_moved_after_recall(watched: Watched) -> None:
    watched.report("maker", watched.commission("maker", START, [A, B]))
    watched.report("pharmacy", watched.event("pharmacy", START + DAY, step="dispensing", epcs=[B]))
    recall = watched.recall("maker", START + 2 * DAY)
    watched.report("maker", recall)
    assert watched.found() == []
    late = watched.event("pharmacy", START + 3 * DAY, step="dispensing", epcs=[A])
    watched.report("pharmacy", late)
    assert watched.found() == [("movement-after-recall", "movement-after-recall-sold", A)]
    assert Finding.objects.get().params["lot_class"] == LOT_CLASS
    watched.void("maker", recall)
    assert watched.found() == []


def test_a_recalled_lot_inside_a_case_may_go_back_only(watched: Watched) -> None:
    filled_pallet(watched)
    watched.report("regulator", watched.recall("regulator", START + DAY))
    back = watched.travel("wholesaler", START + 2 * DAY, "shipping", [CASES[0]], "urn:x:DA3", "maker")
    watched.report("wholesaler", back)
    assert watched.found() == []
    on = watched.travel("wholesaler", START + 3 * DAY, "shipping", [CASES[0]], "urn:x:DA4", "pharmacy")
    watched.report("wholesaler", on)
    assert watched.found() == [("movement-after-recall", "movement-after-recall-shipped", CASES[0])]
    watched.void("wholesaler", on)
    assert watched.found() == []


def test_nobody_else_recalls(watched: Watched) -> None:
    """Negative control: a competitor's class-level event has no effect; nor what happened before the recall."""
    watched.report("maker", watched.commission("maker", START, [A, B]))
    watched.report("pharmacy", watched.recall("pharmacy", START + DAY))
    watched.report("pharmacy", watched.event("pharmacy", START + 2 * DAY, step="dispensing", epcs=[A]))
    watched.report("maker", watched.recall("maker", START + 3 * DAY))
    watched.report("pharmacy", watched.event("pharmacy", START + 2 * DAY, step="dispensing", epcs=[B]))
    assert watched.found() == []
