"""A founded house for the browser: committed, so that the live server's threads see it."""

import os

# Playwright's own event loop runs in this thread; Django would take every query for one made in async code.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

from tests.e2e.consumer.conftest import visitor
from tests.integration.conftest import house
from tests.integration.portal.conftest import person, stocked

__all__ = ["house", "person", "stocked", "visitor"]
