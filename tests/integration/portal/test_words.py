"""Every word of the portal has its Chinese one."""

import ast
import json
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
PART = ROOT / "locale" / "zh_Hans" / "parts" / "portal.json"
IN_TEMPLATE = re.compile(
    r"""translate (?:"([^"]*)"|'([^']*)')|blocktranslate[^%]*%\}(.*?)\{% endblocktranslate""", re.S
)


def words() -> set[str]:
    """What the portal's templates and modules mark as translatable."""
    found = set()
    for template in (ROOT / "templates" / "portal").rglob("*.html"):
        for double, single, block in IN_TEMPLATE.findall(template.read_text()):
            found.add(double or single or re.sub(r"\{\{ (\w+) \}\}", r"%(\1)s", block))
    for module in (ROOT / "traceability" / "web" / "portal").glob("*.py"):
        for node in ast.walk(ast.parse(module.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in {"_", "gettext_lazy"}:
                found |= {argument.value for argument in node.args if isinstance(argument, ast.Constant)}
    return found


def test_every_word_is_translated_with_its_placeholders() -> None:
    chinese = json.loads(PART.read_text())
    english = words()
    assert len(english) > 150
    assert english - set(chinese) == set()
    assert set(chinese) - english == set(), "left over"
    placeholder = re.compile(r"\{\w+\}|%\(\w+\)s")
    for text, translated in chinese.items():
        assert sorted(placeholder.findall(text)) == sorted(placeholder.findall(translated)), text
