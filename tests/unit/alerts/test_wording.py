"""Every code has its words in full, in both languages; numbers as people read them."""

import re
from pathlib import Path

import pytest
from django.utils import translation

from traceability.alerts import rules
from traceability.contracts import wording

ROOT = Path(__file__).resolve().parents[3]
PARAMS = {
    "limit_mc": 8000, "limit_s": 1800, "extreme_mc": 14_000, "certain_s": 2400, "possible_s": 3600,
    "start_ms": 1_772_400_000_000, "end_ms": 1_772_403_600_000, "expiry": "2026-01-31", "sold": "2026-02-01",
    "km": 3267, "minutes": 40, "missing": "1", "extra": "0", "recalled_ms": 1_772_400_000_000,
    "lot_class": "https://id.gs1.org/01/09521000001008/10/L1", "witness": "regulator", "detail": "in words",
    "kid": "ab" * 32, "party": "urn:dosetrail:party:maker", "since_ms": 1_772_400_000_000, "entries": 3, "things": 40,
    "frozen_ms": 1_772_400_000_000, "first_container": "https://id.gs1.org/00/095210000000000018",
    "second_container": "https://id.gs1.org/00/095210000000000025",
    "ring": ["https://id.gs1.org/00/095210000000000018", "https://id.gs1.org/00/095210000000000025"],
}  # fmt: skip
SUBJECT = "https://id.gs1.org/01/09521000001008/21/A1"


@pytest.mark.parametrize("code", sorted(wording._TEXTS))
def test_the_explanation_needs_no_particular_that_is_missing(code: str) -> None:
    text = wording.explain(code, PARAMS, subject=SUBJECT)
    assert "(01)09521000001008(21)A1" in text or code == "quantity-mismatch" or "abababababababab…" in text
    assert "{" not in text
    assert wording.title(code) != code


def test_titles_and_texts_are_of_the_same_codes() -> None:
    assert set(wording._TITLES) == set(wording._TEXTS)


@pytest.mark.parametrize(
    ("milli", "shown"), [(8000, "8.0 °C"), (-500, "−0.5 °C"), (14_250, "14.25 °C"), (0, "0.0 °C"), (-4001, "−4.001 °C")]
)
def test_temperatures(milli: int, shown: str) -> None:
    assert wording.celsius(milli) == shown


def test_a_bound_is_never_rounded_inwards() -> None:
    """119 s are at least one minute and at most two; whole minutes stay."""
    with translation.override("en"):
        text = wording.explain("temperature-hot", PARAMS | {"certain_s": 119, "possible_s": 119}, subject=SUBJECT)
        whole = wording.explain("temperature-hot", PARAMS, subject=SUBJECT)
    assert "for at least 1 and at most 2 minutes" in text
    assert "for at least 40 and at most 60 minutes" in whole


def test_honest_words_only() -> None:
    for text in wording._TEXTS.values():
        assert not re.search(r"genuine|guarantee|verified|authentic", str(text), re.IGNORECASE)


def test_states_lead_forward_only() -> None:
    assert rules.is_allowed("new", "acknowledged")
    assert rules.is_allowed("answered", "answered")
    for state in ("acknowledged", "answered", "resolved", "retracted", "new"):
        assert not rules.is_allowed("resolved", state)
        assert not rules.is_allowed("retracted", state)
        assert not rules.is_allowed(state, "new")


def test_a_statement_of_another_form_is_passed_over() -> None:
    body = {
        "@type": "AlertTransition", "alert": "a", "incident": "i", "version": 1, "from": "new", "to": "answered",
        "party": "p", "actor": "m",
    }  # fmt: skip
    assert rules.is_step(body)
    for wrong in ({"version": True}, {"version": "1"}, {"alert": None}, {"@type": "Other"}):
        assert not rules.is_step({**body, **wrong})
