"""The profile that this house runs under: the file that the setting PROFILE_FILE names."""

from collections.abc import Collection
from functools import lru_cache
from pathlib import Path

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from traceability.contracts.parameters import ParameterError

from . import profile, tables
from .profile import Profile
from .steps import Step


def current() -> Profile:
    """The profile; ImproperlyConfigured when its file is missing or does not fit (the house does not start then)."""
    return _read(Path(settings.PROFILE_FILE))


def step_for(roles: Collection[str], step_id: str) -> Step | None:
    """One step of a party with these roles under the profile, or None."""
    found = tables.step_for(roles, step_id)
    return profile.on(found, current().rules) if found else None


@lru_cache(maxsize=8)
def _read(path: Path) -> Profile:
    try:
        return profile.read(path.read_text(encoding="utf-8"))
    except (OSError, ParameterError) as error:
        raise ImproperlyConfigured(f"DOSETRAIL_PROFILE: {path}: {error}") from error
