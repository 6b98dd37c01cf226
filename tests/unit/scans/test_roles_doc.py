"""The role guide is the step tables."""

from pathlib import Path

from traceability.scans import profile, roles_doc
from traceability.scans.tables import TABLES, steps_for

ROOT = Path(__file__).resolve().parents[3]
CORE = ROOT / "traceability" / "scans" / "profiles" / "core.json"


def test_the_page_is_what_the_tables_say() -> None:
    assert (ROOT / "docs" / "roles.md").read_text() == roles_doc.markdown(profile.read(CORE.read_text()))


def test_every_role_has_its_steps_and_each_step_one_meaning() -> None:
    assert [table.role for table in TABLES] == ["manufacturer", "distributor", "hospital", "pharmacy"]
    steps = steps_for([table.role for table in TABLES])
    assert len({step.id for step in steps}) == len(steps)
