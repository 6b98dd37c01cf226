"""Every code that a document's faults can have is called something, in English and in Chinese."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.utils import translation

from tests.unit.epcis.rule_table import DOCUMENT_RULES, RULES
from traceability.web.portal.document_views import kind_of

HOUSE = Path(__file__).resolve().parents[3] / "traceability"
# Where the code stands in a call, by the last name of what is called.
_CODE_AT = {"add": 0, "Fault": 2, "SourceError": 0, "error": 0, "refused": 0}
_FAMILIES = {"gs1-": ("gs1", "Gs1Error"), "json-": ("common", "StrictJsonError")}
_SHOWN = [
    *(HOUSE / "epcis").rglob("*.py"),
    *(HOUSE / "capture" / f"{name}.py" for name in ("jobs", "prepare", "store")),
]


def _calls(path: Path) -> Iterator[tuple[str, list[ast.expr]]]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func).rpartition(".")[2], node.args


def _codes(path: Path) -> Iterator[str]:
    for name, arguments in _calls(path):
        at = _CODE_AT.get(name)
        # A code never stands alone: words for people come behind it.
        if at is None or len(arguments) < at + 2:
            continue
        code = arguments[at]
        if isinstance(code, ast.Constant) and isinstance(code.value, str):
            yield code.value
        elif isinstance(code, ast.JoinedStr):
            yield from _of_family(code)


def _of_family(code: ast.JoinedStr) -> Iterator[str]:
    """`gs1-{error.code}` is as many codes as the errors of that room have."""
    family = code.values[0]
    assert isinstance(family, ast.Constant), ast.unparse(code)
    room, error = _FAMILIES[str(family.value)]
    for path in (HOUSE / room).glob("*.py"):
        for name, arguments in _calls(path):
            if name == error and arguments and isinstance(arguments[0], ast.Constant):
                yield f"{family.value}{arguments[0].value}"


CODES = sorted({code for path in _SHOWN for code in _codes(path)} | {"more"})


def test_the_walk_finds_the_codes_of_the_table_of_rules() -> None:
    table = {rule.code for rule in RULES} | {code for *_, code in DOCUMENT_RULES}
    assert sorted(table - set(CODES)) == []
    assert {"gs1-check-digit", "gs1-urn-format", "xml-malformed", "json-not-json", "future-event", "attempts"} < set(
        CODES
    )
    assert len(CODES) > 60


@pytest.mark.parametrize("code", CODES)
def test_each_code_has_words_in_both_languages(code: str) -> None:
    words = kind_of(code)
    assert words is not None
    with translation.override("en"):
        english = str(words)
    with translation.override("zh-hans"):
        assert str(words) != english


def test_a_code_that_nobody_gives_has_none() -> None:
    assert kind_of("no-such-code") is None
