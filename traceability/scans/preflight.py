"""Asking first: what speaks against a step on these goods, from what is recorded. Pure."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property

from django.utils.functional import Promise

from traceability.gs1.scan import ScannedCode

from .reasons import ALLOW as ALLOW
from .reasons import ORDER, TEXTS
from .reasons import STOP as STOP
from .reasons import WARN as WARN
from .steps import Shape, Step

_DISPENSING = {"dispensing", "retail_selling"}


@dataclass(frozen=True)
class Reason:
    """Why a step is warned of or stopped; `code` is stable, `text` is for people."""

    verdict: str
    code: str
    epc: str = ""

    @property
    def text(self) -> str | Promise:
        return TEXTS.get(self.code, TEXTS["other"])


@dataclass(frozen=True)
class Tally:
    """Packs of a despatch advice beside those of a scan; what lies in a container counts, unknown contents as one."""

    expected: int
    before: int  # received earlier
    scanned: int
    missing: int
    over: int  # scanned, and not on the advice


@dataclass(frozen=True)
class Preflight:
    """The answer: the worst verdict and every reason; `tally` where a despatch advice was compared."""

    verdict: str
    reasons: tuple[Reason, ...]
    tally: Tally | None = None


@dataclass(frozen=True)
class LotFacts:
    """What is recorded of a lot: of one scanned, or of packs inside a scanned container. Dates are local days."""

    is_known: bool = True
    is_ours: bool = True  # no other party is registered as the item's maker
    item_known: bool = True
    expiry: date | None = None
    held: bool = False
    frozen: bool = False
    recalled: bool = False


@dataclass(frozen=True)
class Known:
    """What is recorded of a scanned thing. `expiry` as printed, `last_day` with an extension; `held` by anyone.

    `lot_held`: by its maker, with the whole lot; that is no hold of the thing, and no step on the thing ends it.

    `frozen`: its lot, by a regulator; `place_frozen`: where it stands. `unverified`: held since it was returned;
    `from_patient`: it came back after it had been handed out; `just_dispensed`: by this party, moments ago.
    """

    status: str
    place: str
    lot: str = ""
    expiry: date | None = None
    last_day: date | None = None
    held: bool = False
    lot_held: bool = False
    frozen: bool = False
    place_frozen: bool = False
    recalled: bool = False
    destinations: frozenset[str] = frozenset()
    containers: tuple[str, ...] = ()
    has_contents: bool = False
    is_sealed_case: bool = False  # holds packs of one lot and nothing else
    unverified: bool = False
    from_patient: bool = False
    just_dispensed: bool = False
    opened: date | None = None  # day of the first partial dispensing, at the place
    left: int | None = None
    lots_inside: frozenset[LotFacts] = frozenset()


@dataclass(frozen=True)
class Advice:
    """A despatch advice and what was scanned against it; each thing with the packs in it (itself, if nothing is)."""

    despatched: Mapping[str, frozenset[str]]
    scanned: Mapping[str, frozenset[str]]
    received: frozenset[str] = frozenset()  # packs that earlier receipts have covered
    cases: Mapping[str, frozenset[str]] = field(default_factory=dict)  # containers among and in them, with their packs

    @cached_property
    def listed(self) -> frozenset[str]:
        return frozenset[str]().union(*self.despatched.values())

    @cached_property
    def at_hand(self) -> frozenset[str]:
        return frozenset[str]().union(*self.scanned.values())

    @property
    def missing(self) -> frozenset[str]:
        return self.listed - self.at_hand - self.received

    @property
    def over(self) -> frozenset[str]:
        return self.at_hand - self.listed


@dataclass(frozen=True)
class Ask:
    """A step on codes at a place. `today` is the local date there; `lot`, `expiry`, `container`: its details."""

    step: Step
    codes: Sequence[ScannedCode]
    place: str
    today: date
    own_uris: Collection[str] = ()
    lot: str = ""
    expiry: date | None = None
    container: str = ""
    quantity_left: int | None = None
    open_pack_days: int | None = None  # of the profile


@dataclass(frozen=True)
class Situation:
    """What is recorded of everything that the ask names.

    `hindrances` are stops that were found outside this module: reason code, and what it is about. `place_frozen`: the
    place of the step.
    """

    known: Mapping[str, Known] = field(default_factory=dict)
    lots: Mapping[str, LotFacts] = field(default_factory=dict)  # by lot class, of lot steps and commissioning
    advice: Advice | None = None
    hindrances: Sequence[tuple[str, str]] = ()
    place_frozen: bool = False


def judge(ask: Ask, situation: Situation) -> Preflight:
    """All reasons against the step, and the worst verdict among them."""
    reasons = [Reason(STOP, code, about) for code, about in situation.hindrances]
    if situation.place_frozen and ask.step.shape is not Shape.LOT:
        reasons.append(Reason(_verdict(ask.step, "frozen"), "place-frozen", ask.place))
    for code in ask.codes:
        reasons += _of_code(ask.step, code)
        if not code.epc:
            continue
        if ask.step.shape in {Shape.LOT, Shape.COMMISSION}:
            reasons += _of_lot(ask, code, situation.lots)
        if ask.step.shape is not Shape.LOT:
            reasons += _of_thing(ask, code, situation.known)
    if ask.container:
        reasons += _of_container(ask, situation.known.get(ask.container))
    if situation.advice is not None:
        reasons += _of_advice(situation.advice)
    unique = tuple(dict.fromkeys(reasons))
    tally = _tally(situation.advice) if situation.advice is not None else None
    return Preflight(worst(reason.verdict for reason in unique), unique, tally)


def worst(verdicts: Iterable[str]) -> str:
    """The gravest of some verdicts; `allow` when there are none."""
    return max(verdicts, key=ORDER.__getitem__, default=ALLOW)


def _of_code(step: Step, code: ScannedCode) -> Iterator[Reason]:
    if not code.epc or code.kind == "unknown":
        yield Reason(STOP, "not-a-code", code.epc or code.raw)
    elif step.shape is Shape.LOT:
        if code.kind != "lot":
            yield Reason(STOP, "not-a-lot", code.epc)
    elif code.kind in {"gtin", "lot", "gln"}:
        yield Reason(STOP, "no-serial", code.epc)
    elif "missing-gs" in code.flags:
        yield Reason(WARN, "missing-gs", code.epc)


def _of_lot(ask: Ask, code: ScannedCode, lots: Mapping[str, LotFacts]) -> Iterator[Reason]:
    facts = lots.get(code.epc)
    if ask.step.shape is Shape.COMMISSION and ask.lot and code.lot and code.lot != ask.lot:
        yield Reason(STOP, "lot-mismatch", code.epc)
    if ask.step.shape is Shape.COMMISSION and ask.expiry and {code.expiry, facts and facts.expiry} - {None, ask.expiry}:
        yield Reason(STOP, "expiry-mismatch", code.epc)
    if facts is None:
        return
    if not facts.item_known:
        yield Reason(WARN, "unknown-product", code.epc)
    elif not facts.is_ours:
        yield Reason(STOP, "not-your-product", code.epc)
    elif not facts.is_known:
        yield Reason(WARN, "unknown-lot", code.epc)
    if facts.recalled:
        yield Reason(_verdict(ask.step, "recalled"), "recalled", code.epc)
    if facts.frozen:
        yield Reason(_verdict(ask.step, "frozen"), "frozen", code.epc)
    if facts.held and ask.step.shape is Shape.COMMISSION:
        yield Reason(WARN, "held", code.epc)


def _of_thing(ask: Ask, code: ScannedCode, known: Mapping[str, Known]) -> Iterator[Reason]:
    thing = known.get(code.epc)
    if ask.step.shape is Shape.COMMISSION:
        if thing is not None:
            yield Reason(STOP, "exists", code.epc)
    elif thing is None:
        if ask.step.shape is Shape.UNPACK and code.kind != "sscc":
            yield Reason(STOP, "not-inside", code.epc)
        elif ask.step.shape is not Shape.OPENING:
            yield Reason(_verdict(ask.step, "unknown"), "unknown", code.epc)
    else:
        yield from _of_state(ask, code, thing)
        yield from _of_print(ask.step, code, thing)
        yield from _of_whereabouts(ask, code, thing)
        yield from _of_contents(ask, code, thing)
        yield from _of_return(ask.step, code, thing)
        yield from _of_opened(ask, code, thing)


def _of_state(ask: Ask, code: ScannedCode, thing: Known) -> Iterator[Reason]:
    step = ask.step
    if thing.just_dispensed and step.biz_step in _DISPENSING:
        yield Reason(STOP, "double-scan", code.epc)
    if thing.status not in step.from_statuses:
        yield Reason(STOP, f"is-{thing.status}", code.epc)
    if thing.recalled:
        yield Reason(_verdict(step, "recalled"), "recalled", code.epc)
    if thing.frozen:
        yield Reason(_verdict(step, "frozen"), "frozen", code.epc)
    if thing.place_frozen and thing.place != ask.place and thing.status != "dispensed":
        yield Reason(_verdict(step, "frozen"), "at-frozen-place", code.epc)
    yield from _of_hold(step, code, thing)
    last_day = thing.last_day or thing.expiry
    if last_day is not None and ask.today > last_day:
        yield Reason(_verdict(step, "expired"), "expired", code.epc)


def _of_hold(step: Step, code: ScannedCode, thing: Known) -> Iterator[Reason]:
    """That it is on hold; where that is to be ended, what stays on hold all the same, and what never was."""
    if not step.ends_hold:
        if thing.held:
            yield Reason(_verdict(step, "held"), "held", code.epc)
    elif thing.lot_held:
        yield Reason(WARN, "lot-held", code.epc)
    elif not thing.held and "unverified" in step.stops_on:
        yield Reason(WARN, "not-held", code.epc)


def _of_print(step: Step, code: ScannedCode, thing: Known) -> Iterator[Reason]:
    """What stands on the pack against what its maker recorded; that is why goods are set aside, and no bar to it."""
    verdict = WARN if step.biz_step == "holding" else STOP
    if code.lot and thing.lot and code.lot != thing.lot:
        yield Reason(verdict, "lot-mismatch", code.epc)
    if code.expiry and thing.expiry and code.expiry != thing.expiry:
        yield Reason(verdict, "expiry-mismatch", code.epc)


def _of_whereabouts(ask: Ask, code: ScannedCode, thing: Known) -> Iterator[Reason]:
    step = ask.step
    if step.biz_step == "receiving":
        if thing.status == "shipped" and thing.destinations and not thing.destinations & set(ask.own_uris):
            yield Reason(WARN, "wrong-recipient", code.epc)
        elif thing.status == "active" and thing.place != ask.place:
            yield Reason(WARN, "no-despatch", code.epc)
    elif step.is_recorded and thing.place != ask.place and _is_anothers(ask, thing):
        yield Reason(_verdict(step, "elsewhere"), "elsewhere", code.epc)
    if step.shape is Shape.UNPACK and not (thing.has_contents or thing.containers or code.kind == "sscc"):
        yield Reason(STOP, "not-inside", code.epc)
    scanned = {one.epc for one in ask.codes}
    leaves = step.shape is Shape.PACK or step.biz_step in _DISPENSING | {"shipping"}
    if leaves and thing.containers and not scanned & set(thing.containers) and thing.containers[0] != ask.container:
        yield Reason(WARN, "in-container", code.epc)


def _is_anothers(ask: Ask, thing: Known) -> bool:
    """Whether a thing that is not at this place is on nobody's way to it either. What was sold may turn up anywhere."""
    if thing.status == "shipped":
        return "elsewhere" in ask.step.stops_on and not thing.destinations & set(ask.own_uris)
    return thing.status in {"active", "partially_dispensed"}


def _of_contents(ask: Ask, code: ScannedCode, thing: Known) -> Iterator[Reason]:
    for lot in thing.lots_inside:
        if lot.recalled:
            yield Reason(_verdict(ask.step, "recalled"), "inside-recalled", code.epc)
        if lot.frozen:
            yield Reason(_verdict(ask.step, "frozen"), "inside-frozen", code.epc)
        if lot.held:
            yield Reason(_verdict(ask.step, "held"), "inside-held", code.epc)
        if lot.expiry is not None and ask.today > lot.expiry:
            yield Reason(_verdict(ask.step, "expired"), "inside-expired", code.epc)


def _of_return(step: Step, code: ScannedCode, thing: Known) -> Iterator[Reason]:
    """What came back: cleared when each pack or sealed case was compared with its maker's record, or never."""
    if thing.from_patient and "from-patient" in step.stops_on:
        yield Reason(STOP, "from-patient", code.epc)
    if thing.unverified and "unverified" in step.stops_on:
        yield Reason(STOP, "unverified", code.epc)
    if step.id != "verify_return":
        return
    if not thing.unverified:
        yield Reason(STOP, "not-a-return", code.epc)
    if code.kind == "sscc" and not thing.is_sealed_case:
        yield Reason(STOP, "verify-each", code.epc)
    if code.kind == "pack" and not (code.lot and code.expiry):
        yield Reason(STOP, "print-missing", code.epc)


def _of_opened(ask: Ask, code: ScannedCode, thing: Known) -> Iterator[Reason]:
    """A pack that was opened before: for how long it may be used, and that nothing grows in it."""
    if ask.step.biz_step not in _DISPENSING or thing.status != "partially_dispensed":
        return
    if ask.quantity_left is not None and thing.left is not None and ask.quantity_left >= thing.left:
        yield Reason(STOP, "not-less", code.epc)
    if ask.open_pack_days and thing.opened and ask.today > open_until(thing.opened, ask.open_pack_days):
        yield Reason(STOP, "open-too-long", code.epc)


def open_until(opened: date, days: int) -> date:
    """The last day on which a pack opened on that day is dispensed from: all of it, as expiry dates are meant."""
    return opened + timedelta(days=days)


def _of_container(ask: Ask, container: Known | None) -> Iterator[Reason]:
    """The case or pallet that things are packed into; one that nobody has seen yet is new."""
    if ask.container in {code.epc for code in ask.codes}:
        yield Reason(STOP, "container-in-itself", ask.container)
    if container is None:
        return
    if container.status != "active":
        yield Reason(STOP, f"is-{container.status}", ask.container)
    elif container.place != ask.place:
        yield Reason(WARN, "elsewhere", ask.container)


def _of_advice(advice: Advice) -> Iterator[Reason]:
    """Missing and surplus goods; a container that is missing (or surplus) whole is named once, not pack by pack."""
    for epc in _whole_or_parts({**advice.cases, **advice.despatched}, advice.missing):
        yield Reason(WARN, "short", epc)
    for epc in _whole_or_parts({**advice.cases, **advice.scanned}, advice.over):
        yield Reason(WARN, "over", epc)


def _tally(advice: Advice) -> Tally:
    before = len(advice.listed & advice.received)
    return Tally(len(advice.listed), before, len(advice.at_hand), len(advice.missing), len(advice.over))


def _whole_or_parts(things: Mapping[str, frozenset[str]], packs: frozenset[str]) -> list[str]:
    """The outermost of these things that hold nothing but such packs, and the packs that lie in none of them."""
    whole, left = list[str](), set(packs)
    for epc, inside in sorted(things.items(), key=lambda one: (-len(one[1]), one[0])):
        if inside and inside <= left:
            whole.append(epc)
            left -= inside
    return sorted(whole) + sorted(left)


def _verdict(step: Step, word: str) -> str:
    return STOP if word in step.stops_on else WARN
