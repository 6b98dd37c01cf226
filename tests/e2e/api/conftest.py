"""A browser runs an event loop in this thread; Django would refuse the database beside it."""

import os

os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
