"""Three weeks of the demo world as timed actions, with the incidents planted in it. Pure: a seed gives the same plan.

Each lot goes factory -> pallets -> distributor -> cases -> hospital or pharmacy -> patient. Nothing in it is wrong
except what `Planner.incidents` lists.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import count
from math import asin, cos, radians, sin, sqrt
from random import Random
from typing import Any
from uuid import UUID

from . import events
from .world import CITIES, SHORT_DATED_DAYS, SMALL, Case, Lot, Pack, Pallet, Party, Size, World

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
DAYS = 21
DISPENSED_SHARE = (8, 25)  # of a case
TRUCK_KM_PER_HOUR = 60
LOGGER_INTERVAL_MS = 10 * MINUTE


@dataclass(frozen=True)
class Action:
    """Something a party does at a moment, and the front door it uses: `events`, `scan`, `logger` or `desk`.

    `keys` are the goods it touches; two actions with a common key must be seen by the house in their order.
    """

    at_ms: int
    party: str
    door: str
    keys: frozenset[str]
    data: dict[str, Any]


@dataclass(frozen=True)
class Incident:
    """What was planted: its kind, the EPC or document it shows on, the simulated time and the packs hit."""

    kind: str
    subject: str
    at_ms: int
    packs: tuple[Pack, ...] = ()


@dataclass
class Plan:
    """The actions in time order and the incidents among them."""

    actions: list[Action] = field(default_factory=list)
    incidents: list[Incident] = field(default_factory=list)
    sold: set[str] = field(default_factory=set)  # EPCs handed out
    unpacked: list[tuple[str, Case]] = field(default_factory=list)  # dispenser, case it opened
    sealed: dict[str, tuple[Pallet | Case, Lot]] = field(default_factory=dict)  # party -> a container left in stock

    def in_stock(self) -> Iterator[Pack]:
        """Packs that lie open in a dispenser's stock at the end."""
        return (pack for _, case in self.unpacked for pack in case.packs if pack.epc not in self.sold)

    def stock(self) -> dict[str, dict[str, str]]:
        """Per party one pack and one SSCC that it holds at the end."""
        found = {
            party: {"sscc": load.epc, "sscc_code": load.code, "pack": pack.epc, "pack_code": pack.code}
            for party, (load, _) in self.sealed.items()
            for pack in [_packs_in(load)[0]]
        }
        touched = {pack.lot for incident in self.incidents for pack in incident.packs}
        for party, case in self.unpacked:
            loose = [pack for pack in case.packs if pack.epc not in self.sold and pack.lot not in touched]
            if party in found and loose:
                found[party] |= {"pack": loose[0].epc, "pack_code": loose[0].code}
        return found


def make_plan(world: World, *, seed: int, start_ms: int) -> Plan:
    """All actions of `world` between `start_ms` (local midnight in China) and 21 days later."""
    planner = Planner(world, seed=seed, start_ms=start_ms)
    for number, lot in enumerate(world.lots):
        planner.lot(number, lot)
    planner.last_day()
    planner.plan.actions.sort(key=lambda action: action.at_ms)
    planner.plan.incidents.sort(key=lambda incident: incident.at_ms)
    return planner.plan


class Planner:
    """Plans lot by lot; which lot carries which incident is fixed, the packs are drawn."""

    def __init__(self, world: World, *, seed: int, start_ms: int, size: Size = SMALL) -> None:
        self.world, self.start_ms, self.size = world, start_ms, size
        self.random = Random(f"dosetrail/plan/{seed}")
        self.plan = Plan()
        self.despatches: Iterator[int] = count(1)
        self.dispensers = world.by_role("hospital") + world.by_role("pharmacy")
        self.distributors = world.by_role("distributor")
        self.round: list[Party] = []
        first: dict[str, Lot] = {}
        for lot in world.lots:
            first.setdefault(lot.item.id, lot)
        self.warm, self.frozen, self.cloned = map(first.get, ("glarvia", "hepashield", "amoxil"))
        self.twice, self.short, self.recalled = map(first.get, ("metrada", "statoril", "airomix"))
        self.expired = world.lots[-1] if world.lots else None
        self.unshipped = {lot.item.manufacturer: lot for lot in world.lots if lot not in self._special()}

    def _special(self) -> list[Lot | None]:
        return [self.warm, self.frozen, self.cloned, self.twice, self.short, self.recalled, self.expired]

    def lot(self, number: int, lot: Lot) -> None:
        """Make, release and ship one lot, then follow its pallets."""
        maker = self.world.parties[lot.item.manufacturer]
        made = self.start_ms + (number % 6) * DAY + 8 * HOUR + number * MINUTE
        self._make(lot, maker, made)
        for place, pallet in enumerate(lot.pallets):
            if place == 1 and self.unshipped.get(maker.id) is lot:
                self.plan.sealed[maker.id] = (pallet, lot)
                continue  # stays in the maker's stock
            distributor = self.distributors[(number + place) % len(self.distributors)]
            arrived = self._ship(pallet, lot, maker, distributor, at_ms=made + 5 * HOUR + place * 20 * MINUTE)
            if lot not in self._special() and distributor.id not in self.plan.sealed:
                self.plan.sealed[distributor.id] = (pallet, lot)
                continue  # stays in the distributor's stock, unopened
            self._distribute(lot, pallet, distributor, at_ms=self._next_morning(arrived))
        if lot is self.recalled:
            self._recall(lot, maker)

    def _make(self, lot: Lot, maker: Party, at_ms: int) -> None:
        packs, per_event = [pack.epc for pack in lot.packs], self.size.packs_per_event
        made = [
            events.commission(lot, packs[start : start + per_event], **self._common(maker, at_ms + start * 10))
            for start in range(0, len(packs), per_event)
        ]
        cases = [
            events.aggregate(
                case.epc,
                [pack.epc for pack in case.packs],
                action="ADD",
                **self._common(maker, at_ms + HOUR + place * 1000),
            )
            for place, case in enumerate(lot.cases)
        ]
        pallets = [
            events.aggregate(
                pallet.epc,
                [case.epc for case in pallet.cases],
                action="ADD",
                **self._common(maker, at_ms + 2 * HOUR + place * MINUTE),
            )
            for place, pallet in enumerate(lot.pallets)
        ]
        report = f"urn:epcglobal:cbv:bt:{maker.gln}:COA-{lot.number}"
        released = [events.release(lot, report, **self._common(maker, at_ms + 4 * HOUR))]
        for batch, offset in ((made, 10), (cases, 80), (pallets, 130), (released, 241)):
            self._post(maker, batch, at_ms + offset * MINUTE, keys=[lot.number])

    def _ship(self, load: Pallet | Case, lot: Lot, sender: Party, receiver: Party, *, at_ms: int) -> int:
        """One load travels and is received; the time of receipt."""
        despatch = events.despatch_uri(sender, next(self.despatches))
        travel = travel_ms(sender, receiver)
        self._despatch([load], lot, sender, receiver, at_ms=at_ms, despatch=despatch)
        self._receipt([load], sender, receiver, at_ms=at_ms + travel, despatch=despatch)
        self._logger(load, lot, receiver, start_ms=at_ms, end_ms=at_ms + travel)
        return at_ms + travel

    def _despatch(
        self, loads: Sequence[Pallet | Case], lot: Lot, sender: Party, receiver: Party, *, at_ms: int, despatch: str
    ) -> None:
        shipped = events.ship(
            [load.epc for load in loads],
            sender=sender,
            receiver=receiver,
            despatch=despatch,
            at_ms=at_ms,
            event_id=self._event_id(),
        )
        self._post(sender, [shipped], at_ms, keys=[lot.number, *(load.sscc for load in loads)])

    def _receipt(
        self, loads: Sequence[Pallet | Case], sender: Party, receiver: Party, *, at_ms: int, despatch: str
    ) -> None:
        epcs = [load.epc for load in loads]
        received = events.receive(
            epcs, sender=sender, receiver=receiver, despatch=despatch, at_ms=at_ms, event_id=self._event_id()
        )
        scan = {
            "step": "receive",
            "codes": [load.code for load in loads],
            "details": {"despatch": despatch, "sender": sender.id},
        }
        self._do(receiver, "receive", [received], scan, at_ms, keys=[load.sscc for load in loads])

    def _distribute(self, lot: Lot, pallet: Pallet, distributor: Party, *, at_ms: int) -> None:
        self._unpack(pallet, [(case.epc, case.code) for case in pallet.cases], distributor, at_ms)
        cases = list(pallet.cases)
        receivers = [self._next_dispenser() for _ in cases]
        if lot is self.short and not self._planted("short_delivery"):
            self._short_delivery(cases[-2:], lot, distributor, receivers[-1], at_ms=at_ms + 2 * HOUR)
            cases = cases[:-2]
        for place, case in enumerate(cases):
            leaves = at_ms + 2 * HOUR + place * 15 * MINUTE
            arrived = self._ship(case, lot, distributor, receivers[place], at_ms=leaves)
            if lot not in self._special() and receivers[place].id not in self.plan.sealed:
                self.plan.sealed[receivers[place].id] = (case, lot)
                continue  # stays in the dispenser's stock, sealed
            self._dispense_case(case, lot, receivers[place], at_ms=arrived + 2 * HOUR)

    def _next_dispenser(self) -> Party:
        """Dispensers in turn, each round in an order of its own, so that everyone is supplied."""
        if not self.round:
            self.round = self.random.sample(self.dispensers, len(self.dispensers))
        return self.round.pop()

    def _short_delivery(self, cases: Sequence[Case], lot: Lot, sender: Party, receiver: Party, *, at_ms: int) -> None:
        despatch = events.despatch_uri(sender, next(self.despatches))
        arrived = at_ms + travel_ms(sender, receiver)
        self._despatch(cases, lot, sender, receiver, at_ms=at_ms, despatch=despatch)
        self._receipt(cases[:1], sender, receiver, at_ms=arrived, despatch=despatch)
        self._plant("short_delivery", despatch, arrived, cases[1].packs)
        asked = {
            "kind": "data-no-product",
            "codes": [cases[1].code],
            "place": receiver.site_uri,
            "note": "One case of this delivery has not arrived.",
            "partner": sender.id,
            "despatch": despatch,
        }
        self._at_desk(receiver, "exception", asked, arrived + 3 * HOUR, keys=[cases[1].sscc])
        told = {"comment": "The sender has not answered for four days."}
        self._at_desk(receiver, "escalate", told, arrived + 4 * DAY, keys=[cases[1].sscc])

    def _unpack(self, container: Pallet | Case, inside: Sequence[tuple[str, str]], party: Party, at_ms: int) -> None:
        unpacked = events.aggregate(
            container.epc, [epc for epc, _ in inside], action="DELETE", **self._common(party, at_ms)
        )
        scan = {"step": "unpack", "codes": [container.code]}
        self._do(party, "unpack", [unpacked], scan, at_ms, keys=[container.sscc, *(code for _, code in inside)])

    def _dispense_case(self, case: Case, lot: Lot, dispenser: Party, *, at_ms: int) -> None:
        """Unpack a case and hand out packs over the next days, one incident at most."""
        self._unpack(case, [(pack.epc, pack.code) for pack in case.packs], dispenser, at_ms)
        self.plan.unpacked.append((dispenser.id, case))
        if self._last_day(lot, at_ms) is None:
            return
        part, of = DISPENSED_SHARE
        chosen = self.random.sample(case.packs, len(case.packs) * part // of)
        for place, pack in enumerate(chosen):
            minutes = place % 20 * 37 + self.random.randrange(30)
            sold = self._next_morning(at_ms) + (place % 4) * DAY + minutes * MINUTE
            last = self._last_day(lot, sold)
            if last is not None and sold < last:
                self._dispense(pack, dispenser, sold)
        left = [pack for pack in case.packs if pack not in chosen]
        self._plant_at_dispenser(lot, left, chosen, dispenser, at_ms=at_ms)

    def _last_day(self, lot: Lot, at_ms: int) -> int | None:
        """Until when this lot may be handed out, or None when `at_ms` is past it."""
        last = self.start_ms + DAYS * DAY - 12 * HOUR
        if lot is self.recalled:
            last = self._recall_ms()
        if lot is self.expired:
            last = self._midnight(lot.expiry)
        return last if at_ms < last else None

    def _plant_at_dispenser(
        self, lot: Lot, left: Sequence[Pack], sold: Sequence[Pack], dispenser: Party, *, at_ms: int
    ) -> None:
        elsewhere = self._far_from(dispenser)
        if lot is self.cloned and not self._planted("cloned_serial"):
            pack, seen = left[0], self._next_morning(at_ms) + 2 * HOUR
            for party, when in ((dispenser, seen), (elsewhere, seen + 40 * MINUTE)):
                self._observe(pack, party, when, step="stocking", disposition="sellable_accessible")
            self._plant("cloned_serial", pack.epc, seen + 40 * MINUTE, [pack])
        if lot is self.twice and not self._planted("double_dispense"):
            pack = sold[0]
            again = self._next_morning(at_ms) + 5 * DAY + 3 * HOUR
            self._observe(pack, elsewhere, again, step="dispensing", disposition="dispensed")
            self._plant("double_dispense", pack.epc, again, [pack])
        if lot is self.expired and not self._planted("expired_sale"):
            late = self._midnight(lot.expiry) + 2 * DAY + 10 * HOUR
            self._observe(left[0], dispenser, late, step="dispensing", disposition="dispensed")
            self._plant("expired_sale", left[0].epc, late, [left[0]])
        if lot is self.recalled and not self._planted("moved_after_recall"):
            late = self._recall_ms() + 26 * HOUR
            self._observe(left[0], dispenser, late, step="dispensing", disposition="dispensed")
            self._plant("moved_after_recall", left[0].epc, late, [left[0]])

    def _recall(self, lot: Lot, maker: Party) -> None:
        given = {
            "class": "1",
            "lots": [f"{lot.item.gtin} {lot.number}"],
            "reason": "Some canisters of this lot hold less than the dose that the label states.",
            "instruction": "Set all packs of this lot aside and answer with your counts. We collect them.",
        }
        self._at_desk(maker, "recall", given, self._recall_ms(), keys=[lot.number])
        told = list(dict.fromkeys(party for party, case in self.plan.unpacked if case.packs[0].lot == lot.number))
        for place, party in enumerate(told[: len(told) // 2]):
            at_ms = self._recall_ms() + 3 * HOUR + place * 40 * MINUTE
            self._at_desk(self.world.parties[party], "answer_recall", {}, at_ms, keys=[lot.number])

    def last_day(self) -> None:
        """A regulator freezes the lot of the pack that was handed out twice; a hospital gives a part of a pack."""
        end = self.start_ms + (DAYS - 1) * DAY - HOUR
        (twice,) = [incident for incident in self.plan.incidents if incident.kind == "double_dispense"]
        (lot,) = [lot for lot in self.world.lots if lot.number == twice.packs[0].lot]
        (regulator,) = self.world.by_role("regulator")
        self._post(regulator, [events.freeze(lot, **self._common(regulator, end))], end, keys=[lot.number])
        hospital, pack = self._spare()
        opened = {
            "step": "dispense_part",
            "codes": [pack.code],
            "place": hospital.site_uri,
            "details": {"quantity_left": "7"},
        }
        self.plan.actions.append(Action(end - HOUR, hospital.id, "scan", frozenset([pack.code]), opened))

    def _spare(self) -> tuple[Party, Pack]:
        """A hospital and the last loose pack of a case that nothing is planned for."""
        hit = {pack.lot for incident in self.plan.incidents for pack in incident.packs}
        for party_id, case in self.plan.unpacked:
            party = self.world.parties[party_id]
            loose = [pack for pack in case.packs if pack.epc not in self.plan.sold]
            if party.role == "hospital" and len(loose) > 1 and case.packs[0].lot not in hit:
                return party, loose[-1]
        raise AssertionError("no hospital has unpacked a case")

    def _at_desk(self, party: Party, task: str, data: dict[str, Any], at_ms: int, *, keys: Sequence[str]) -> None:
        self.plan.actions.append(Action(at_ms, party.id, "desk", frozenset(keys), {**data, "task": task}))

    def _recall_ms(self) -> int:
        return self.start_ms + 18 * DAY + 9 * HOUR

    def _dispense(self, pack: Pack, dispenser: Party, at_ms: int) -> None:
        self.plan.sold.add(pack.epc)
        done = events.observe([pack.epc], step="dispensing", disposition="dispensed", **self._common(dispenser, at_ms))
        self._do(dispenser, "dispense", [done], {"step": "dispense", "codes": [pack.code]}, at_ms, keys=[pack.code])

    def _observe(self, pack: Pack, party: Party, at_ms: int, *, step: str, disposition: str) -> None:
        if step == "dispensing":
            self.plan.sold.add(pack.epc)
        seen = events.observe([pack.epc], step=step, disposition=disposition, **self._common(party, at_ms))
        self._post(party, [seen], at_ms, keys=[pack.code])

    def _logger(self, load: Pallet | Case, lot: Lot, receiver: Party, *, start_ms: int, end_ms: int) -> None:
        """The logger that rode with a cold load, read out on arrival."""
        if lot.item.profile == "room":
            return
        base = -20_000 if lot.item.profile == "freezer" else 5_000
        readings = [
            (at, base + self.random.randrange(-900, 900, 100)) for at in range(start_ms, end_ms + 1, LOGGER_INTERVAL_MS)
        ]
        if lot is self.warm and isinstance(load, Pallet) and not self._planted("warm_truck"):
            readings = _bent(readings, peak=14_000, lasts_ms=4 * HOUR)
            self._plant("warm_truck", load.epc, readings[len(readings) // 2][0], _packs_in(load))
        if lot is self.frozen and isinstance(load, Case) and not self._planted("frozen_box"):
            readings = _bent(readings, peak=-4_000, lasts_ms=3 * HOUR)
            self._plant("frozen_box", load.epc, readings[len(readings) // 2][0], _packs_in(load))
        data = {"holder": load.epc, "device": f"SIM-{load.sscc[-6:]}", "readings": readings, "place": receiver.site_id}
        at_ms = end_ms + 20 * MINUTE
        self.plan.actions.append(Action(at_ms, receiver.id, "logger", frozenset([load.sscc]), data))

    def _do(
        self,
        party: Party,
        step: str,
        by_epcis: list[dict[str, Any]],
        scan: dict[str, Any],
        at_ms: int,
        *,
        keys: Sequence[str],
    ) -> None:
        """Distributors with their own software send EPCIS; everyone else scans."""
        if party.role == "distributor" and self.distributors.index(party) < 2:
            self._post(party, by_epcis, at_ms, keys=keys)
        else:
            data = {**scan, "place": party.site_uri}
            self.plan.actions.append(Action(at_ms, party.id, "scan", frozenset(keys), data))

    def _post(self, party: Party, batch: list[dict[str, Any]], at_ms: int, *, keys: Sequence[str]) -> None:
        self.plan.actions.append(Action(at_ms, party.id, "events", frozenset(keys), {"events": batch}))

    def _plant(self, kind: str, subject: str, at_ms: int, packs: Sequence[Pack]) -> None:
        self.plan.incidents.append(Incident(kind, subject, at_ms, tuple(packs)))

    def _planted(self, kind: str) -> bool:
        return any(incident.kind == kind for incident in self.plan.incidents)

    def _far_from(self, party: Party) -> Party:
        return max(self.world.by_role("pharmacy"), key=lambda other: distance_km(party, other))

    def _common(self, party: Party, at_ms: int) -> dict[str, Any]:
        return {"party": party, "at_ms": at_ms, "event_id": self._event_id()}

    def _event_id(self) -> str:
        return f"urn:uuid:{UUID(int=self.random.getrandbits(128), version=4)}"

    def _next_morning(self, at_ms: int) -> int:
        return self.start_ms + ((at_ms - self.start_ms) // DAY + 1) * DAY + 9 * HOUR

    def _midnight(self, day: date) -> int:
        """The first moment of `day`, in the world's own count of days."""
        first = self.world.lots[-1].expiry.toordinal()
        return self.start_ms + (day.toordinal() - first + SHORT_DATED_DAYS) * DAY


def travel_ms(sender: Party, receiver: Party) -> int:
    """How long a truck takes, loading and waiting included."""
    return int(distance_km(sender, receiver) / TRUCK_KM_PER_HOUR * HOUR) + 8 * HOUR


def distance_km(one: Party, other: Party) -> float:
    """Great-circle distance between the cities of two parties."""
    (lat1, lon1), (lat2, lon2) = (
        (radians(CITIES[party.city][0] / 1e6), radians(CITIES[party.city][1] / 1e6)) for party in (one, other)
    )
    half = sin((lat2 - lat1) / 2) ** 2 + cos(lat1) * cos(lat2) * sin((lon2 - lon1) / 2) ** 2
    return 2 * 6371 * asin(sqrt(half))


def _bent(readings: list[tuple[int, int]], *, peak: int, lasts_ms: int) -> list[tuple[int, int]]:
    """The readings with an excursion to `peak` in their middle."""
    middle = readings[len(readings) // 2][0]
    return [(at, peak if abs(at - middle) <= lasts_ms // 2 else value) for at, value in readings]


def _packs_in(load: Pallet | Case) -> Sequence[Pack]:
    return load.packs if isinstance(load, Case) else [pack for case in load.cases for pack in case.packs]
