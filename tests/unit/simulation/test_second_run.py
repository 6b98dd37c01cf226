"""A world that was built before is left alone; only its address may be another one."""

import json
import stat
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

BUILT = {"base_url": "http://127.0.0.1:8000", "seed": 7, "tokens": {"maker": "dt_x"}, "complete": True}


@pytest.fixture
def demo_json(tmp_path: Path, settings: Any) -> Path:
    settings.DATA_DIR = tmp_path
    return tmp_path / "demo.json"


def test_demo_json_follows_the_port(demo_json: Path) -> None:
    demo_json.write_text(json.dumps(BUILT))
    call_command("simulate", "--if-absent", "--base-url", "http://127.0.0.1:9000")
    assert json.loads(demo_json.read_text()) == BUILT | {"base_url": "http://127.0.0.1:9000"}
    assert stat.S_IMODE(demo_json.stat().st_mode) == 0o600


def test_on_the_same_port_nothing_is_written(demo_json: Path) -> None:
    demo_json.write_text(json.dumps(BUILT))
    call_command("simulate", "--if-absent", "--base-url", BUILT["base_url"])
    assert demo_json.read_text() == json.dumps(BUILT)


def test_half_a_world_is_refused(demo_json: Path) -> None:
    demo_json.write_text(json.dumps({"complete": False}))
    with pytest.raises(CommandError, match="RESET=1"):
        call_command("simulate", "--if-absent", "--base-url", "http://127.0.0.1:9000")
