"""Secrets of the embedded size."""

import stat
from pathlib import Path

from traceability.common.secretfile import read_or_create


def test_a_secret_is_drawn_once_and_readable_by_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "key"
    first = read_or_create(path)
    assert len(first) == 32
    assert read_or_create(path) == first
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert read_or_create(tmp_path / "other") != first
