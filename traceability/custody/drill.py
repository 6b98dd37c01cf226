"""Recall drills: a recall that people practise with, marked by the extension `drill: true`. Pure."""

from collections.abc import Mapping
from typing import Any


def is_drill(event: Mapping[str, Any]) -> bool:
    """Whether a class-level event says of itself, under any prefix, that it is a drill; then it changes nothing."""
    return any(name.rpartition(":")[2].rpartition("/")[2] == "drill" and value is True for name, value in event.items())
