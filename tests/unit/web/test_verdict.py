"""One verdict per look-up, and what it says."""

import itertools

import pytest
from django.utils import translation

from traceability.web.consumer.verdict import Outcome, PackFacts, decide
from traceability.web.consumer.words import OUTCOMES


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (PackFacts(True, True), Outcome.REGISTERED),
        (PackFacts(True, True, dispensed=1), Outcome.SOLD),
        (PackFacts(True, True, dispensed=2), Outcome.SOLD_AGAIN),
        (PackFacts(True, True, copied=True), Outcome.SOLD_AGAIN),
        (PackFacts(True, True, recalled=True), Outcome.RECALLED),
        (PackFacts(True, True, expired=True), Outcome.EXPIRED),
        (PackFacts(True, True, withdrawn=True), Outcome.WITHDRAWN),
        (PackFacts(True, True, withdrawn=True, expired=True, temperature=True, dispensed=1), Outcome.WITHDRAWN),
        (PackFacts(True, True, withdrawn=True, recalled=True), Outcome.RECALLED),
        (PackFacts(True, False, withdrawn=True), Outcome.SERIAL_UNKNOWN),
        (PackFacts(True, True, frozen=True), Outcome.FROZEN),
        (PackFacts(True, False, frozen=True), Outcome.SERIAL_UNKNOWN),
        (PackFacts(True, True, temperature=True), Outcome.TEMPERATURE),
        (PackFacts(True, False), Outcome.SERIAL_UNKNOWN),
        (PackFacts(False, False), Outcome.PRODUCT_UNKNOWN),
        (PackFacts(False, True), Outcome.REGISTERED),
    ],
)
def test_each_fact_has_its_outcome(facts: PackFacts, expected: Outcome) -> None:
    assert decide(facts) is expected


def test_what_forbids_use_comes_first() -> None:
    order = [("recalled", Outcome.RECALLED), ("copied", Outcome.SOLD_AGAIN), ("frozen", Outcome.FROZEN)]
    order += [("expired", Outcome.EXPIRED), ("temperature", Outcome.TEMPERATURE)]
    for (first, outcome), (second, _) in itertools.combinations(order, 2):
        assert decide(PackFacts(True, True, dispensed=1, **{first: True, second: True})) is outcome


def test_nothing_is_told_of_a_pack_that_is_not_on_the_market() -> None:
    told = {
        decide(PackFacts(True, False, recalled=r, expired=e, dispensed=d, copied=c, temperature=t))
        for r, e, d, c, t in itertools.product([False, True], [False, True], [0, 1, 2], [False, True], [False, True])
    }
    assert told == {Outcome.SERIAL_UNKNOWN}


@pytest.mark.parametrize("language", ["en", "zh-hans"])
@pytest.mark.parametrize("outcome", Outcome)
def test_every_outcome_says_what_it_means_and_what_to_do(outcome: Outcome, language: str) -> None:
    with translation.override(language):
        words = OUTCOMES[outcome]
        said = " ".join(map(str, [words.title, words.meaning, *words.actions]))
    assert len(words.actions) >= 2
    for forbidden in ("genuine", "verified", "guarantee", "authentic", "fake", "正品", "已验证", "保证", "假药"):
        assert forbidden not in said.lower()
