"""What a pack was exposed to: its own readings, its containers' while inside, its places' while there."""

from traceability.coldchain import selectors, services

from .conftest import PACK, SSCC, House, csv, event, ms

OTHER_PACK = "https://id.gs1.org/01/09521101530001/21/B2"


def warm_truck(house: House) -> None:
    """Two packs on a pallet; one is taken out at noon, before the pallet gets warm."""
    place = {"readPoint": {"id": house.site.uri}, "bizLocation": {"id": house.site.uri}}
    packs = [PACK, OTHER_PACK]
    house.report(
        event("ObjectEvent", "2026-03-01T06:00", step="commissioning", action="ADD", epcList=packs, **place),
        event("ObjectEvent", "2026-03-01T06:00", step="commissioning", action="ADD", epcList=[SSCC], **place),
        event(
            "AggregationEvent",
            "2026-03-01T08:00",
            step="packing",
            action="ADD",
            parentID=SSCC,
            childEPCs=packs,
            **place,
        ),
        event(
            "AggregationEvent",
            "2026-03-01T12:00",
            step="unpacking",
            action="DELETE",
            parentID=SSCC,
            childEPCs=[PACK],
            **place,
        ),
    )
    rows = [(f"2026-03-01T{hour:02d}:00", "14.0" if hour > 12 else "5.0") for hour in range(7, 18)]
    services.upload(content=csv(*rows), filename="pallet.csv", party=house.maker, holder_epc=SSCC)
    house.publish()


def values(epc: str, holder: str) -> list[int]:
    return [value for leg in selectors.exposure_path(epc) if leg.holder == holder for _, value in leg.readings]


def test_a_pack_shares_its_containers_temperatures_while_inside(house: House) -> None:
    warm_truck(house)
    assert values(OTHER_PACK, SSCC) == [5000] * 5 + [14000] * 5
    (leg,) = [leg for leg in selectors.exposure_path(PACK) if leg.holder == SSCC]
    assert (leg.from_ms, leg.to_ms) == (ms("2026-03-01T08:00"), ms("2026-03-01T12:00"))
    assert [value for _, value in leg.readings] == [5000] * 4  # 08:00 to 11:00: out before it got warm


def test_its_own_logger_and_its_place(house: House) -> None:
    warm_truck(house)
    services.upload(content=csv(("2026-03-01T13:00", "6.0")), filename="own.csv", party=house.maker, holder_epc=PACK)
    services.upload(
        content=csv(("2026-03-01T05:00", "21.0"), ("2026-03-01T07:00", "7.0")),
        filename="room.csv",
        party=house.maker,
        site=house.site,
    )
    house.publish()
    assert values(PACK, PACK) == [6000]
    assert values(PACK, house.site.uri) == [7000]  # at five it did not exist yet


def test_a_leg_without_readings_is_there_and_empty(house: House) -> None:
    warm_truck(house)
    (leg,) = [leg for leg in selectors.exposure_path(PACK) if leg.holder == house.site.uri]
    assert (leg.from_ms, leg.readings) == (ms("2026-03-01T06:00"), [])


def test_what_came_after_it_was_sold_is_not_its_exposure(house: House) -> None:
    warm_truck(house)  # the second pack stays on the pallet, on record
    sold = event(
        "ObjectEvent",
        "2026-03-01T13:30",
        step="dispensing",
        disposition="dispensed",
        action="OBSERVE",
        epcList=[OTHER_PACK],
    )
    house.report(sold)
    assert values(OTHER_PACK, SSCC) == [5000] * 5 + [14000]  # 13:00 was before, 14:00 and later are not
    assert all(leg.to_ms is not None for leg in selectors.exposure_path(OTHER_PACK))
