"""A rule that says it is not concerned by a thing's facts finds nothing in them, as of any entry."""

from dataclasses import replace

import pytest
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st

from traceability.contracts import engine
from traceability.contracts.engine import TEMPLATES, Version
from traceability.contracts.facts import Recalled, Seen, ThingFacts
from traceability.custody.fold import Fact

SHANGHAI, URUMQI = (31_230_400, 121_473_700), (43_825_600, 87_616_800)
LOT = "https://id.gs1.org/01/09521000001008/10/L1"
VERSIONS = [
    Version(name, 1, name, {}, frozenset(), active_from=0) for name, one in TEMPLATES.items() if one.kind == "thing"
]
_INDEXES = st.integers(0, 9)
_VOID = st.sampled_from([(), (), ((3, None),), ((3, 6),)])


@st.composite
def _events(draw: st.DrawFn) -> tuple[Seen, ...]:
    steps = ["commissioning", "dispensing", "shipping", "storing", "sensor_reporting"]
    return tuple(
        Seen(
            index,
            f"e{index}",
            draw(st.sampled_from([0, 1_000, 10**13])),
            reporter=draw(st.sampled_from("pq")),
            step=(step := draw(st.sampled_from(steps))),
            action="ADD" if step == "commissioning" else "OBSERVE",
            point=draw(st.sampled_from([None, SHANGHAI, URUMQI])),
            lot="L1",
            expiry=draw(st.sampled_from(["", "2026-01-31"])),
            fingerprint=draw(st.sampled_from("xy")),
            void=draw(_VOID),
        )
        for index in sorted(draw(st.sets(_INDEXES, max_size=4)))
    )


@st.composite
def _packings(draw: st.DrawFn) -> dict[str, list[Fact]]:
    packed = [
        Fact(
            index=index, time_ms=index, event_id=f"e{index}", role="child", type="AggregationEvent", action="ADD",
            step="packing", disposition="", place="", reporter="p", parent=draw(st.sampled_from(["pack", "X", "Y"])),
        )
        for index in sorted(draw(st.sets(_INDEXES, max_size=2)))
    ]  # fmt: skip
    return {"pack": packed} if packed else {}


FACTS = st.builds(
    ThingFacts,
    st.just("pack"),
    _events(),
    names=st.just({-1: ("glarvia", "09521000001008")}),
    recalls=st.sampled_from([(), (Recalled(0, LOT, 0, "reg"),), (Recalled(0, LOT, 0, "reg", what="freeze"),)]),
    packings=_packings(),
)


def _missed(facts: ThingFacts) -> set[str]:
    """The rules that find something as of some entry, though they say that the facts do not concern them."""
    concerned = {version.template for version in engine.concerned(facts, VERSIONS)}
    return {found for found in _found(facts) if found not in concerned}


def _found(facts: ThingFacts) -> set[str]:
    states = [facts.as_of(index) for index in range(10)]
    return {
        version.template
        for version in VERSIONS
        for state in states
        if engine.evaluate("thing", state, [version], ledger_time_ms=0)
    }


@settings(max_examples=100, deadline=None)
@given(FACTS)
def test_a_rule_that_is_not_concerned_finds_nothing(facts: ThingFacts) -> None:
    assert _missed(facts) == set()


@pytest.mark.parametrize("template", [version.template for version in VERSIONS])
def test_each_rule_finds_something_in_such_facts(template: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control: a rule that says it is never concerned is caught."""
    first = settings(max_examples=5_000, deadline=None, phases=[Phase.generate])  # it need not be the simplest
    facts = find(FACTS, lambda facts: template in _found(facts), settings=first)
    changed = {**TEMPLATES, template: replace(TEMPLATES[template], concerns=lambda _: False)}
    monkeypatch.setattr(engine, "TEMPLATES", changed)
    assert _missed(facts) == {template}
