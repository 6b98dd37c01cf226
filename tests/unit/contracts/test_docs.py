"""The guide names every template and every parameter with its default."""

import re
from pathlib import Path

from traceability.contracts import engine

GUIDE = (Path(__file__).resolve().parents[3] / "docs" / "contracts.md").read_text()


def test_every_template_and_parameter_is_in_the_guide() -> None:
    rows = dict(re.findall(r"^\| `([a-z\-]+)` \|(.*)$", GUIDE, re.MULTILINE))
    assert set(rows) == set(engine.TEMPLATES)
    for name in set(rows) - {"temperature-freeze"}:  # its parameters are those of the row above
        for parameter, default in engine.check(name, {}).write().items():
            assert f"`{parameter}`" in rows[name]
            if type(default) is int:
                assert f"{default:,}" in rows[name], (name, parameter)
