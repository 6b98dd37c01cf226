"""CSV out: read back by a CSV reader, inert in a spreadsheet."""

import csv
import io

from hypothesis import given
from hypothesis import strategies as st

from traceability.common.csv_export import BOM, csv_lines, inert


@given(
    st.lists(
        st.lists(st.text(st.characters(exclude_characters="\x00", exclude_categories=("Cs",))), min_size=2, max_size=2)
    )
)
def test_no_cell_starts_a_formula_and_nothing_is_lost(rows: list[list[str]]) -> None:
    text = "".join(csv_lines(["a", "b"], rows))
    read = list(csv.reader(io.StringIO(text.removeprefix(BOM), newline="")))[1:]
    assert [list(row) for row in read] == [[inert(cell) for cell in row] for row in rows]
    assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for row in read for cell in row)


def test_a_formula_stays_readable() -> None:
    assert inert("=1+1") == "'=1+1"
    assert inert("plain") == "plain"
    assert inert(None) == ""
