"""A world of packs for page tests; see world.py."""

import pytest

from tests.kept import Kept

from .world import World, laid_down


@pytest.fixture
def world(db: None, world_kept: Kept) -> World:
    return laid_down(world_kept)
