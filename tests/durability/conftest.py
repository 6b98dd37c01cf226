"""The house whose disk, power and processes are taken away."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.run import in_memory

from .harness import Workshop


@pytest.fixture(scope="module")
def workshop() -> Iterator[Workshop]:
    """A founded house and the process that works in it.

    It lies in memory: strace makes the faults at the calls, and disk.py takes the power from what they traced.
    """
    with tempfile.TemporaryDirectory(prefix="dosetrail-durability-", dir=in_memory()) as folder:
        made = Workshop(Path(folder))
        yield made
        made.close()
