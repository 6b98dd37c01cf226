"""What is recorded of everything that a scan names: custody, lots, products, shipments; a fixed number of queries."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.db.models import Q

from traceability.capture.models import EventEpc, PublishedEvent
from traceability.common import bulk
from traceability.custody import selectors as custody
from traceability.custody import stops
from traceability.custody.models import ItemState, LotStatus, Shipment
from traceability.custody.selectors import Located
from traceability.gs1.epc import NMPA_PREFIX
from traceability.gs1.scan import ScannedCode
from traceability.products.models import Lot, TradeItem
from traceability.visibility.rules import visible_indexes

from . import in_force, undo
from .preflight import Advice, Known, LotFacts, Situation
from .reading import Scan
from .steps import Shape

SALES = ("dispensing", "retail_selling")
_GONE = {"dispensed", "destroyed", "decommissioned", "sampled"}
Lots = Mapping[tuple[str, str], LotFacts]  # by (GTIN, lot number)


def situation(scan: Scan) -> Situation:
    """What preflight judges the scan by."""
    return Situation(
        known={} if scan.step.shape is Shape.LOT else _things(scan),
        lots=_scanned_lots(scan),
        advice=_advice(scan),
        hindrances=_hindrances(scan),
        place_frozen=bool(stops.frozen_places([scan.site.uri, scan.details.get("ward", scan.site.uri)])),
    )


def _things(scan: Scan) -> dict[str, Known]:
    """`known`, and what depends on who asks, and when."""
    found = known({*scan.epcs, scan.details.get("container", "")} - {""})
    items = custody.items(set(found))
    since = scan.now - in_force.current().rules.double_scan_s * 1000
    zone = ZoneInfo(scan.site.time_zone)
    return {
        epc: replace(
            one,
            just_dispensed=items[epc].status == "dispensed"
            and items[epc].party == scan.party.uri
            and items[epc].last_time_ms >= since,
            opened=_local_day(items[epc].opened_ms, zone),
        )
        for epc, one in found.items()
    }


def known(epcs: Collection[str]) -> dict[str, Known]:
    """What is recorded of these things and of what lies in them; things that nobody has recorded are left out."""
    located = custody.states(epcs)
    inside = custody.inside(located)
    packs = custody.items({epc for found in inside.values() for epc in found})
    lots = _lots({(row.gtin, row.lot) for row in (*packs.values(), *(one.item for one in located.values()))})
    frozen = stops.frozen_places({one.place for one in located.values()})
    returned, sold = _returned(located.values()), _sold(located.values())
    return {
        epc: replace(
            _known(one, lots, [packs[pack] for pack in inside[epc] if pack in packs]),
            place_frozen=one.place in frozen,
            unverified=bool({one.item.held_index, one.holder.held_index} & returned),
            from_patient=epc in sold,
        )
        for epc, one in located.items()
    }


def _known(one: Located, lots: Lots, packs: Collection[ItemState]) -> Known:
    lot = lots.get((one.item.gtin, one.item.lot), LotFacts())
    return Known(
        status=one.status,
        place=one.place,
        lot=one.item.lot,
        expiry=_day(one.item.expiry),
        last_day=lot.expiry,
        held=one.item.held_index is not None or one.holder.held_index is not None or lot.held,
        lot_held=lot.held,
        frozen=lot.frozen,
        recalled=lot.recalled,
        destinations=frozenset({one.holder.destination} - {""}),
        containers=one.path,
        has_contents=bool(packs),
        is_sealed_case=bool(packs)
        and all(row.gtin for row in packs)
        and len({(row.gtin, row.lot) for row in packs}) == 1,
        left=one.item.left,
        lots_inside=frozenset(_inside(row, lots) for row in packs if row.status not in _GONE),
    )


def _returned(located: Collection[Located]) -> set[int | None]:
    """The events that hold some of these things because they were returned."""
    held = {index for one in located for index in (one.item.held_index, one.holder.held_index) if index is not None}
    returns = PublishedEvent.objects.filter(biz_step="receiving", disposition="returned")
    return set(bulk.among(returns.values_list("index", flat=True), "index", held))


def _sold(located: Collection[Located]) -> set[str]:
    """The packs that were handed out whole and came back; the undone ones never were."""
    back = {one.item.epc for one in located if one.item.status == "active"}
    named = list(bulk.among(EventEpc.objects.filter(role="epc").values_list("epc", "event_index"), "epc", back))
    sales = PublishedEvent.objects.filter(biz_step__in=SALES, declaration_ms=None, voided_by=None).exclude(
        disposition="partially_dispensed"
    )
    found = set(bulk.among(sales.values_list("index", flat=True), "index", {index for _, index in named}))
    return {epc for epc, index in named if index in found}


def _inside(row: ItemState, lots: Lots) -> LotFacts:
    lot = lots.get((row.gtin, row.lot), LotFacts())
    return replace(lot, expiry=lot.expiry or _day(row.expiry), held=lot.held or row.held_index is not None)


def _scanned_lots(scan: Scan) -> dict[str, LotFacts]:
    """The lots that a lot step names, or that packs are commissioned under; by the scanned EPC."""
    if scan.step.shape not in {Shape.LOT, Shape.COMMISSION}:
        return {}
    gtins = _gtins(scan.codes)
    pairs = {code.epc: (gtins.get(code.epc, ""), scan.details.get("lot") or code.lot or "") for code in scan.codes}
    lots = _lots({pair for pair in pairs.values() if pair[1]}, own=scan.party.id)
    return {epc: lots[pair] for epc, pair in pairs.items() if pair in lots}


def _gtins(codes: Iterable[ScannedCode]) -> dict[str, str]:
    """The GTIN that each code names; for Chinese trace codes by the item's registered prefix."""
    found = {code.epc: code.gtin for code in codes if code.gtin}
    nmpa = {code.epc: code.epc.removeprefix(NMPA_PREFIX)[:7] for code in codes if code.kind == "nmpa"}
    if nmpa:
        items = TradeItem.objects.filter(nmpa_prefix__in=set(nmpa.values())).values_list("nmpa_prefix", "gtin")
        by_prefix = dict(items)
        found |= {epc: by_prefix.get(prefix) or "" for epc, prefix in nmpa.items()}
    return found


def _lots(pairs: Collection[tuple[str, str]], *, own: str = "") -> dict[tuple[str, str], LotFacts]:
    """Facts of lots by (GTIN, number), from master data and class-level events; four queries.

    '' as number: of packs whose lot nobody recorded, what stops the whole product.
    """
    pairs = {pair for pair in pairs if pair[0]}
    if not pairs:
        return {}
    makers = dict(TradeItem.objects.filter(gtin__in={gtin for gtin, _ in pairs}).values_list("gtin", "manufacturer_id"))
    expiries = _expiries(pairs)
    statuses = stops.lot_statuses(pairs)
    recorded = _recorded(pairs) if own else set()
    found = {}
    for pair in pairs:
        status = statuses.get(pair, LotStatus())
        maker = makers.get(pair[0])
        found[pair] = LotFacts(
            is_known=pair in expiries or pair in recorded,
            is_ours=maker == own,
            item_known=maker is not None,
            expiry=expiries.get(pair),
            held=status.held_index is not None,
            frozen=status.frozen_index is not None,
            recalled=status.recalled_index is not None,
        )
    return found


def _expiries(pairs: Collection[tuple[str, str]]) -> dict[tuple[str, str], date]:
    """The last day of registered lots, with any extension."""
    rows = Lot.objects.filter(item__gtin__in={gtin for gtin, _ in pairs}, number__in={number for _, number in pairs})
    found = rows.values_list("item__gtin", "number", "expiry_date")
    return {(gtin or "", number): last for gtin, number, last in found}


def _recorded(pairs: Collection[tuple[str, str]]) -> set[tuple[str, str]]:
    """Which of the lots have packs on record."""
    named = Q()
    for gtin, lot in pairs:
        named |= Q(gtin=gtin, lot=lot)
    return set(ItemState.objects.filter(named).values_list("gtin", "lot").distinct())


def _advice(scan: Scan) -> Advice | None:
    despatch = scan.details.get("despatch")
    row = custody.shipment(despatch) if despatch and scan.step.biz_step == "receiving" else None
    if row is None or row.shipped_ms is None or not visible_indexes([row.shipped_index or 0], scan.party):
        return None  # what travels under a stranger's advice is not told by what is short of it
    packs = custody.leaves({*row.despatched, *row.received, *scan.epcs}, at_ms=row.shipped_ms)
    return Advice(
        despatched={epc: packs[epc] for epc in row.despatched},
        scanned={epc: packs[epc] for epc in scan.epcs},
        cases={epc: inside for epc, inside in packs.items() if inside != {epc}},
        received=frozenset[str]().union(*(packs[epc] for epc in row.received)),
    )


def _hindrances(scan: Scan) -> list[tuple[str, str]]:
    found = [] if scan.may else [("no-permission", "")]
    if scan.step.biz_step == "shipping" and (despatch := scan.details.get("despatch")):
        taken = Shipment.objects.filter(despatch=despatch).exclude(sender__in=["", scan.party.uri]).exists()
        found += [("despatch-taken", despatch)] if taken else []
    if scan.step.shape is Shape.UNDO:
        reason = undo.find(scan)[1]
        found += [(reason, scan.epcs[0])] if reason else []
    return found


def _local_day(ms: int | None, zone: ZoneInfo) -> date | None:
    return datetime.fromtimestamp(ms / 1000, zone).date() if ms is not None else None


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        return None
