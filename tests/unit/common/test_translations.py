"""Both languages are complete: no string of the product is without its Chinese, and the compiled file is current."""

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import polib
import pytest

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def messages() -> ModuleType:
    spec = importlib.util.spec_from_file_location("messages", ROOT / "locale" / "messages.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_no_string_stands_twice(messages: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Which of two would be shown nobody could say; a doubled one is found."""
    text = messages.CATALOGUE.read_text()
    assert messages.catalogue()
    doubled = tmp_path / "django.po"
    doubled.write_text(f'{text}\n\nmsgid "Menu"\nmsgstr "菜单"\n')
    monkeypatch.setattr(messages, "CATALOGUE", doubled)
    with pytest.raises(ValueError, match="already exists"):
        messages.catalogue()


def test_every_string_has_its_chinese(messages: ModuleType) -> None:
    assert messages.missing() == set()


def test_nothing_is_translated_that_nobody_uses(messages: ModuleType) -> None:
    used = {msgid for msgid, _ in messages.used()}
    assert {entry.msgid for entry in polib.pofile(str(messages.CATALOGUE)) if not entry.obsolete} <= used


def test_placeholders_survive_translation(messages: ModuleType) -> None:
    for entry in polib.pofile(str(messages.CATALOGUE)):
        for text in [entry.msgstr, *entry.msgstr_plural.values()]:
            if text:
                assert set(re.findall(r"%\(\w+\)s|\{\w+\}", text)) == set(
                    re.findall(r"%\(\w+\)s|\{\w+\}", entry.msgid)
                ), text


def test_the_compiled_catalogue_is_current(messages: ModuleType) -> None:
    compiled = {entry.msgid: entry.msgstr for entry in polib.mofile(str(messages.CATALOGUE.with_suffix(".mo")))}
    source = {entry.msgid: entry.msgstr for entry in polib.pofile(str(messages.CATALOGUE)) if entry.translated()}
    assert compiled == source


def _strings(messages: ModuleType) -> list[str]:
    texts = [text for entry in messages.catalogue() for text in (entry.msgstr, *entry.msgstr_plural.values())]
    return [*texts, (ROOT / "static" / "consumer" / "words-zh.js").read_text()]


def _strays(texts: list[str]) -> set[str]:
    """Words of the last column of docs/translating.md that stand in some text."""
    rows = re.findall(r"^\|[^|]+\|[^|]+\| ([^|\-]+) \|$", (ROOT / "docs" / "translating.md").read_text(), re.MULTILINE)
    never = {word for row in rows for word in row.split(", ")} - {"never"}
    assert len(never) > 20
    return {word for word in never if any(word in text for text in texts)}


def test_each_thing_has_one_term(messages: ModuleType) -> None:
    assert _strays(_strings(messages)) == set()
    assert _strays(["货品已被暂扣。"]) == {"货品", "暂扣"}


def test_punctuation_beside_chinese_is_full_width(messages: ModuleType) -> None:
    half = re.compile(r"[\u4e00-\u9fff][,;:!?()]|[,;:!?)][\u4e00-\u9fff]")
    assert [text for text in _strings(messages)[:-1] if half.search(text)] == []
    assert half.search("温度,湿度")
