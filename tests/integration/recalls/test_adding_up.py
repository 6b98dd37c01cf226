"""Whatever happened to a lot: its balance adds up, and each pack counts for one party, the one that custody names."""

from itertools import count
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.integration.conftest import GTIN, House
from tests.integration.visibility.conftest import Chain, sscc
from traceability.custody import lot_packs
from traceability.custody import selectors as custody
from traceability.custody.models import ItemState
from traceability.parties import selectors as parties
from traceability.recalls import gather

PARTIES = ("maker", "wholesaler", "pharmacy", "other")
PACKS = 12
PARTS = {
    "active": "held", "partially_dispensed": "held", "shipped": "in_transit", "dispensed": "dispensed",
    "destroyed": "destroyed", "decommissioned": "destroyed", "sampled": "destroyed", "exported": "exported",
}  # fmt: skip
_numbers = count(1)

_party = st.sampled_from(PARTIES)
_some = st.sets(st.integers(0, PACKS - 1), min_size=1, max_size=6)
_case = st.integers(0, 2)
_steps = st.lists(
    st.one_of(
        st.tuples(st.just("ship"), _party, _some, _party),
        st.tuples(st.just("ship case"), _party, _case, st.sampled_from([*PARTIES, "stranger"])),
        st.tuples(st.just("receiving"), _party, _some),
        st.tuples(st.just("receive case"), _party, _case),
        st.tuples(st.just("pack"), _party, _some, _case),
        st.tuples(st.just("nest"), _party, _case, _case),
        st.tuples(st.just("unpack"), _party, _case),
        st.tuples(st.sampled_from(["dispensing", "destroying", "sampling", "holding", "inspecting"]), _party, _some),
        st.tuples(st.just("stolen"), _party, _some),
        st.tuples(st.just("opening"), _party, st.sets(st.integers(PACKS, PACKS + 3), min_size=1)),
    ),
    max_size=9,
)


def _tell(chain: Chain, lot: str, steps: list[Any]) -> None:
    """The steps as events, an hour apart; cases and serials are the lot's own."""
    number = int(lot[1:])

    def packs(chosen: Any) -> list[str]:
        return [f"https://id.gs1.org/01/{GTIN}/21/{lot}-{one}" for one in sorted(chosen)]

    def case(one: int) -> str:
        return sscc(number * 10 + one)

    def to(party: str) -> list[dict[str, str]]:
        uri = "https://id.gs1.org/417/9521000099999" if party == "stranger" else chain.gln(party)
        return [{"type": "owning_party", "destination": uri}]

    chain.make("made", "maker", 0, packs(range(PACKS)), ilmd={"cbvmda:lotNumber": lot})
    for hour, (kind, by, *rest) in enumerate(steps, start=1):
        place = {"bizLocation": {"id": chain.house.place(by)}}
        match kind, rest:
            case "ship", [some, party]:
                chain.event(kind, by, hour, "shipping", packs(some), destinationList=to(party))
            case "ship case", [one, party]:
                chain.event(kind, by, hour, "shipping", [case(one)], destinationList=to(party))
            case "receive case", [one]:
                chain.event(kind, by, hour, "receiving", [case(one)], **place)
            case "pack", [some, one]:
                chain.pack(kind, by, hour, case(one), packs(some))
            case "nest", [inner, outer] if inner < outer:  # what lies in itself is a finding, and nowhere
                chain.pack(kind, by, hour, case(outer), [case(inner)])
            case "unpack", [one]:
                chain.pack(kind, by, hour, case(one), [], "DELETE")
            case "stolen", [some]:
                chain.event(kind, by, hour, "holding", packs(some), persistentDisposition={"set": ["stolen"]})
            case "opening", [some]:
                chain.event(kind, by, hour, "receiving", packs(some), ilmd=None)
            case _, [some] if not isinstance(some, int):
                chain.event(kind, by, hour, kind, packs(some), **place)
    chain.house.settle()


@example(steps=[("pack", "maker", {0}, 0), ("dispensing", "wholesaler", {0}), ("receive case", "maker", 0)])
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=_steps)
def test_balance_and_holders_are_what_custody_says_of_each_pack(house: House, steps: list[Any]) -> None:
    number = next(_numbers)
    lot = f"R{number}"
    _tell(Chain(house, ids=count(number * 1000)), lot, steps)
    holdings = gather.held([(GTIN, lot)])
    epcs = list(ItemState.objects.filter(gtin=GTIN, lot=lot).values_list("epc", flat=True))
    located = custody.states(epcs)
    balance = lot_packs.lot_balance(GTIN, lot)
    parts = {"held": 0, "in_transit": 0, "dispensed": 0, "destroyed": 0, "exported": 0, "unknown": 0}
    expected: dict[str, set[str]] = {}
    for epc, one in located.items():
        part = PARTS.get(one.status, "unknown")
        parts[part] += 1
        if part in {"held", "in_transit", "dispensed"}:
            receiver = parties.party_by_uri(one.holder.destination) if part == "in_transit" else None
            expected.setdefault(receiver.uri if receiver else one.party, set()).add(epc)
    assert {name: getattr(balance, name) for name in parts} == parts
    assert balance.commissioned + balance.opening == sum(parts.values())
    assert balance.commissioned == PACKS
    found = {holder: sorted(pack.epc for pack in gather.packs([(GTIN, lot)], holder).each) for holder in holdings}
    assert found == {holder: sorted(mine) for holder, mine in expected.items()}, steps
    assert {holder: gather.standing([(GTIN, lot)], holder).packs for holder in holdings} == {
        holder: mine.packs for holder, mine in holdings.items()
    }
    counted = {holder: mine.packs + mine.supplied for holder, mine in holdings.items()}
    assert counted == {holder: len(mine) for holder, mine in expected.items()}
