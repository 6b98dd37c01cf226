"""A founded house for the browser: committed, so that the live server's threads see it."""

import os

# Playwright's own event loop runs in this thread; Django would take every query for one made in async code.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

from tests.integration.conftest import house
from tests.integration.regulator.test_pages import alert

__all__ = ["alert", "house"]
