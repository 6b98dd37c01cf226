"""The house whose disk, power and processes are taken away."""

from collections.abc import Iterator

import pytest

from .harness import Workshop


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workshop]:
    """A founded house and the process that works in it."""
    made = Workshop(tmp_path_factory.mktemp("durability"))
    yield made
    made.close()
