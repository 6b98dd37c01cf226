"""Every code is documented, every sentence has its Chinese, and the error says it in the reader's language."""

import re
from datetime import UTC
from pathlib import Path

import pytest
from django.utils import translation

from traceability.coldchain import loggers, wording
from traceability.coldchain.loggers.model import LoggerError

ROOT = Path(__file__).resolve().parents[3]
SOURCES = [path.read_text() for path in (ROOT / "traceability" / "coldchain").rglob("*.py")]


def test_every_error_code_is_documented_and_none_besides() -> None:
    raised = {code for source in SOURCES for code in re.findall(r'"(logger\.[a-z-]+)"', source)}
    documented = set(re.findall(r"`(logger\.[a-z-]+)`", (ROOT / "docs" / "logger-files.md").read_text()))
    assert raised == documented
    assert len(raised) > 20


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (
            b"timestamp,temperature_c\n2026-11-01T08:00:00Z,warm\n",
            "Line 2: The temperature must be °C like 5.1 (at most three decimals).",
        ),
        (b"%PDF-1.7", "This is a PDF report. Upload the .txt file"),
    ],
)
def test_the_sentence_has_its_particulars(content: bytes, sentence: str) -> None:
    with pytest.raises(LoggerError) as error:
        loggers.parse(content, zone=UTC)
    with translation.override("en"):
        assert wording.explain(error.value).startswith(sentence)
