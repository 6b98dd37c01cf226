"""`make messages`: compile the translations, and say which strings of the source have none.

Needs polib only, so that no GNU gettext has to be installed. Translations live in
`<language>/LC_MESSAGES/django.po`; the compiled `django.mo` beside it is committed.
"""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import polib

ROOT = Path(__file__).resolve().parents[1]
CATALOGUE = Path(__file__).parent / "zh_Hans" / "LC_MESSAGES" / "django.po"
FUNCTIONS = {"gettext", "gettext_lazy", "gettext_noop", "ngettext", "ngettext_lazy", "pgettext", "_"}
SOURCES = ("traceability", "ledger")


def used() -> set[tuple[str, str | None]]:
    """Every (msgid, plural) that Python code and templates of the product translate."""
    found = set()
    for folder in SOURCES:
        for path in (ROOT / folder).rglob("*.py"):
            found |= set(_python(path.read_text()))
    for path in (ROOT / "templates").rglob("*.html"):
        found |= set(_template(path.read_text(), str(path)))
    return found


def catalogue() -> polib.POFile:
    """The catalogue; ValueError where a string stands twice, as merges bring about."""
    return polib.pofile(str(CATALOGUE), check_for_duplicates=True)


def missing() -> set[str]:
    """The msgids in use that the catalogue does not translate."""
    translated = {entry.msgid for entry in catalogue() if entry.translated()}
    return {msgid for msgid, _ in used() if msgid not in translated}


def _python(source: str) -> Iterator[tuple[str, str | None]]:
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        texts = [arg.value for arg in node.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)]
        if name in FUNCTIONS and texts:
            yield texts[0], texts[1] if name.startswith("ngettext") and len(texts) > 1 else None


def _template(source: str, origin: str) -> Iterator[tuple[str, str | None]]:
    from django.utils.translation.template import templatize

    for call in re.finditer(r"\bn?gettext\(.*?\)(?=\s|$)", templatize(source, origin=origin), re.DOTALL):
        yield from _python(call.group().strip())
    for call in re.finditer(r" _\((u?'.*?'|u?\".*?\")\)", templatize(source, origin=origin)):
        yield from _python(call.group().strip())


if __name__ == "__main__":
    catalogue().save_as_mofile(str(CATALOGUE.with_suffix(".mo")))
    for text in sorted(missing()):
        sys.stdout.write(f"no translation: {text}\n")
