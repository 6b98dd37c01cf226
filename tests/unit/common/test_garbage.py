import subprocess
import sys

import pytest

FROZEN = "import gc, {module}; print(gc.get_freeze_count())"


@pytest.mark.parametrize(("module", "spared"), [("traceability.wsgi", True), ("traceability.asgi", False)])
def test_the_web_process_spares_what_it_has_loaded(module: str, spared: bool) -> None:
    found = subprocess.run([sys.executable, "-c", FROZEN.format(module=module)], capture_output=True, check=True)
    assert (int(found.stdout) > 50_000) is spared
